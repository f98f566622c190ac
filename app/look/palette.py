"""The colours of both themes.

The emotions' colours were searched by computer: within hues that suit the emotion, the eight are as
far from one another as they can be for normal sight and for protanopia, deuteranopia and
tritanopia alike, and all of them stand out from the surfaces. `tests/app/test_palette.py` computes
both again. No colour is ever the only sign: a face and a word go with it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from edge import LABELS


@dataclass(frozen=True)
class Palette:
    """Colours as "#RRGGBB"."""

    name: str
    background: str
    surface: str
    """Cards, on the background."""
    raised: str
    """Chips, fields and tracks, on a card."""
    outline: str
    """Edges of controls: 3 : 1 against what they stand on."""
    text: str
    muted: str
    """Text of less weight."""
    accent: str
    on_accent: str
    danger: str
    on_danger: str
    warning: str
    ink: str
    """Features of the faces, on an emotion's colour."""
    emotions: Mapping[str, str]

    def emotion(self, label: str) -> str:
        """The colour of an emotion."""
        return self.emotions[label]


def _emotions(*colours: str) -> dict[str, str]:
    return dict(zip(LABELS, colours))


DARK = Palette(
    name="dark",
    background="#0F1216",
    surface="#1A1F26",
    raised="#272E37",
    outline="#76818E",
    text="#F3F5F8",
    muted="#AEB7C2",
    accent="#8EA8FF",
    on_accent="#0B1130",
    danger="#FF8A80",
    on_danger="#2B0603",
    warning="#FFC857",
    ink="#15181D",
    emotions=_emotions(
        "#A4A6B0", "#91FAEC", "#D5BB10", "#7AB5F4", "#F47A75", "#A053EA", "#D3F08C", "#B15B82"
    ),
)

LIGHT = Palette(
    name="light",
    background="#F3F4F7",
    surface="#FFFFFF",
    raised="#E9ECF1",
    outline="#76818E",
    text="#14181D",
    muted="#525C68",
    accent="#3450C8",
    on_accent="#FFFFFF",
    danger="#B3261E",
    on_danger="#FFFFFF",
    warning="#8A5A00",
    ink="#FFFFFF",
    emotions=_emotions(
        "#5F666E", "#149785", "#9B8E35", "#3462E1", "#B23E43", "#5E407D", "#245E02", "#812444"
    ),
)

PALETTES = {palette.name: palette for palette in (DARK, LIGHT)}


@functools.cache
def rgba(colour: str, alpha: float = 1.0) -> tuple[float, float, float, float]:
    """As Kivy takes it."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue, alpha
