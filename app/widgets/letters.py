"""Text, drawn with a fraction of what Kivy's Label keeps for every one.

A Label has seventy properties, each with its observers: some 300 objects that Python's collector
has to look through and, when a screen was left, to free. Screens consist mostly of text.
"""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.core.text import Label as Plain
from kivy.core.text.markup import MarkupLabel
from kivy.graphics import Color, Rectangle
from kivy.uix.widget import Widget

from app.look.palette import rgba

LINE_HEIGHT = 1.12
"""Of the font's own."""

ALIGNED = {"left": 0.0, "center": 0.5, "right": 1.0}
"""Share of the room that is left to the left of the letters."""


class Letters(Widget):
    """Draws its text, and is as large as that.

    colour: "#RRGGBB"; align: "left", "center" or "right", of the lines, too; padding: in pixels,
    beside and above the letters; markup: whether the text has Kivy's; least: pixels, so wide and
    high it is at least.
    """

    def __init__(
        self,
        text: str,
        font_size: float,
        colour: str,
        bold: bool = False,
        align: str = "left",
        padding: tuple[float, float] = (0, 0),
        markup: bool = False,
        line_height: float = 1.0,
        least: float = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.markup = markup
        self.texture_size = (0, 0)
        self._least = least
        self._natural_width = 0.0
        self._colour = colour
        self._letters = (MarkupLabel if markup else Plain)(
            text=text,
            font_size=font_size,
            bold=bold,
            halign=align,
            valign="middle",
            padding=padding,
            line_height=line_height,
        )
        with self.canvas:
            self._ink = Color(*rgba(colour))
            self._area = Rectangle(size=(0, 0))
        self.draw_letters_soon = Clock.create_trigger(self.draw_letters, -1)
        for side in ("x", "y", "width", "height"):
            self.fbind(side, self._place)
        self.draw_letters_soon()

    @property
    def text(self) -> str:
        """What it says."""
        return self._letters.text

    @text.setter
    def text(self, text: str) -> None:
        if text != self._letters.text:
            self._letters.text = text
            self.draw_letters_soon()

    @property
    def bold(self) -> bool:
        """Whether its letters are."""
        return self._letters.options["bold"]

    @bold.setter
    def bold(self, bold: bool) -> None:
        if bold != self.bold:
            self._letters.options["bold"] = bold
            self.draw_letters_soon()

    @property
    def colour(self) -> str:
        """Of its letters."""
        return self._colour

    @colour.setter
    def colour(self, colour: str) -> None:
        self._colour = colour
        self._ink.rgba = rgba(colour)

    @property
    def widest(self) -> float | None:
        """Pixels in which its words are wrapped; None: they are not."""
        return self._letters.text_size[0]

    @widest.setter
    def widest(self, width: float | None) -> None:
        if width != self.widest:
            self._letters.text_size = (width, None)
            self.draw_letters_soon()

    @property
    def natural_width(self) -> float:
        """Of the letters in one line, once they were drawn so."""
        return self._natural_width

    def fit_into(self, width: float) -> None:
        """Wraps the words of one that is as wide as its letters, if they are longer."""
        self.widest = width if self._natural_width > width else None

    def draw_letters(self, *_: Any) -> None:
        """At once, rather than before the next frame."""
        self.draw_letters_soon.cancel()
        texture = None
        if self._letters.text:
            self._letters.refresh()
            texture = self._letters.texture
        self._area.texture = texture
        self.texture_size = (0, 0) if texture is None else tuple(texture.size)
        if self.widest is None:
            self._natural_width = self.texture_size[0]
        self.drawn()
        self._place()

    def drawn(self) -> None:
        """Its letters are `texture_size` large now."""
        self.size = tuple(max(side, self._least) for side in self.texture_size)

    def _place(self, *_: Any) -> None:
        width, height = self.texture_size
        x = self.x + (self.width - width) * ALIGNED[self._letters.options["halign"]]
        self._area.size = self.texture_size
        self._area.pos = (int(x), int(self.y + (self.height - height) / 2))
