"""How everything on the screens is to look and to speak; they are built anew when it changes."""

from __future__ import annotations

from dataclasses import dataclass

from kivy.metrics import dp, sp

from app.look.palette import Palette
from app.strings import Catalogue

TOUCH_DP = 48
"""Every control is at least so wide and high (WCAG 2.5.5, Material Design)."""


@dataclass(frozen=True)
class Look:
    """Told to every widget when it is made."""

    palette: Palette
    words: Catalogue
    text_size: float = 1.0

    def size_of(self, role: str) -> float:
        """Of the letters, in pixels; it follows the system's text size, too."""
        return sp(_LETTERS[role][0] * (1.0 + (self.text_size - 1.0) * _LETTERS[role][2]))

    def is_bold(self, role: str) -> bool:
        """Whether text of that role is bold."""
        return _LETTERS[role][1]

    @property
    def touch(self) -> float:
        """The least size of a control, in pixels."""
        return dp(TOUCH_DP)


# role: (points at the normal size, bold, how far it takes part in larger text)
_LETTERS = {
    "display": (32, True, 0.6),
    "title": (22, True, 0.7),
    "heading": (16, True, 1.0),
    "body": (15.5, False, 1.0),
    "caption": (13, False, 1.0),
}
