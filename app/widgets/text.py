"""Text that is as high as it needs to be at its width, and never cut off."""

from __future__ import annotations

from typing import Any

from kivy.uix.label import Label

from app.look.look import Look
from app.look.palette import rgba

UNPLACED = 1.0
"""Pixels: the width of what no parent has placed yet."""


class Text(Label):
    """A paragraph or a heading.

    role: one of those of `app.look.look`; colour: "#RRGGBB", None for the palette's text.
    fit: whether it is as wide as its letters, rather than as its parent makes it.
    """

    def __init__(
        self,
        look: Look,
        text: str = "",
        role: str = "body",
        colour: str | None = None,
        align: str = "left",
        fit: bool = False,
        **settings: Any,
    ) -> None:
        self._fits = fit
        super().__init__(
            text=text,
            font_size=look.size_of(role),
            bold=look.is_bold(role),
            color=rgba(colour or look.palette.text),
            halign=align,
            valign="middle",
            line_height=1.12,
            size_hint_y=None,
            **{"width": UNPLACED, **settings},
        )
        self._natural_width = 0.0
        if fit:
            self.size_hint_x = None
            self.bind(texture_size=self._fit)
        else:
            self.bind(width=self._wrap, texture_size=self._grow)

    @property
    def natural_width(self) -> float:
        """Of the letters in one line, once they are drawn; of one that fits its letters."""
        return self._natural_width

    def fit_into(self, width: float) -> None:
        """Wraps the words of one that fits its letters, if they are longer."""
        wanted = (width, None) if self._natural_width > width else (None, None)
        if tuple(self.text_size) != wanted:
            self.text_size = wanted

    def texture_update(self, *_: Any) -> None:
        """Draws the letters, once their width is known."""
        if self._fits or self.text_size[0] is not None:
            super().texture_update()

    def _fit(self, *_: Any) -> None:
        if self.text_size[0] is None:
            self._natural_width = self.texture_size[0]
        self.size = self.texture_size

    def _wrap(self, *_: Any) -> None:
        self.text_size = (self.width, None)

    def _grow(self, *_: Any) -> None:
        self.height = self.texture_size[1]
