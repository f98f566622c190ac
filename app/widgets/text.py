"""Text that is as high as it needs to be at its width, and never cut off."""

from __future__ import annotations

from typing import Any

from app.look.look import Look
from app.widgets.box import UNPLACED
from app.widgets.letters import LINE_HEIGHT, Letters


class Text(Letters):
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
        self._least_width = 0.0
        super().__init__(
            text,
            look.size_of(role),
            colour or look.palette.text,
            bold=look.is_bold(role),
            align=align,
            line_height=LINE_HEIGHT,
            size_hint_y=None,
            **{"width": UNPLACED, **settings},
        )
        if fit:
            self.size_hint_x = None
        else:
            self.bind(width=self._wrap)

    def draw_letters(self, *_: Any) -> None:
        """At once, if their width is known."""
        if self._fits or self.widest is not None:
            super().draw_letters()

    def at_least(self, width: float) -> None:
        """So wide, if its letters are not wider; of one that fits them."""
        self._least_width = width
        self.drawn()

    def drawn(self) -> None:
        if self._fits:
            self.size = max(self.texture_size[0], self._least_width), self.texture_size[1]
        else:
            self.height = self.texture_size[1]

    def _wrap(self, *_: Any) -> None:
        self.widest = self.width
