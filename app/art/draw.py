"""Draws the app's icons and splash: a face whose mouth is a voice, in the colours of the emotions.

    python -m app.art.draw

writes them into this folder, the same to the pixel each time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from app.look.palette import DARK

FOLDER = Path(__file__).resolve().parent
CANVAS = 108.0
"""Side of an adaptive icon, dp: https://developer.android.com/develop/ui/views/launch/icon_design"""
SAFE_RADIUS = 33.0
"""dp about the middle, which no launcher's mask cuts off."""
VISIBLE = 72.0
"""Side of what a launcher shows of the canvas, dp."""
XXXHDPI = 4  # pixels for each dp

# Each bar: x, y of its middle, half its height, dp from the canvas's middle; then its radius.
EYES = ((-10.5, -14.0, 4.5, 4.0), (10.5, -14.0, 4.5, 4.0))
MOUTH = (
    (-24.0, 3.5, 1.5, 2.7),
    (-16.0, 9.5, 5.0, 2.7),
    (-8.0, 13.5, 9.5, 2.7),
    (0.0, 15.0, 6.0, 2.7),
    (8.0, 13.5, 9.0, 2.7),
    (16.0, 9.5, 5.0, 2.7),
    (24.0, 3.5, 1.5, 2.7),
)
MOUTH_COLOURS = ("sad", "fearful", "surprised", "angry", "happy", "calm", "disgust")
NIGHT = "#232F5C"
"""The lower right corner of the background; the upper left one is the theme's."""


def foreground(side: int, shown: float = CANVAS) -> np.ndarray:
    """The face alone: (side, side, 4), uint8; `shown` dp of the canvas fill the side."""
    picture = np.zeros((side, side, 4))
    bars = [(bar, DARK.text) for bar in EYES]
    bars += [(bar, DARK.emotion(label)) for bar, label in zip(MOUTH, MOUTH_COLOURS)]
    for bar, colour in bars:
        _paint(picture, _coverage(side, shown, bar), colour)
    return _bytes(picture)


def background(side: int) -> np.ndarray:
    """A slope from the theme's background to a night's blue: (side, side, 3), uint8."""
    along = np.add.outer(np.arange(side), np.arange(side)) / (2 * side - 2)
    slope = np.clip((along - 0.3) / 0.7, 0, 1)[..., None]
    return _bytes(_rgb(DARK.background) * (1 - slope) + _rgb(NIGHT) * slope)


def icon(side: int) -> np.ndarray:
    """Face on background up to the edges, without transparency, as Apple asks: uint8."""
    return _over(foreground(side, VISIBLE), background(side))


def rounded_icon(side: int) -> np.ndarray:
    """For Androids before adaptive icons: (side, side, 4), uint8."""
    corner = side * 0.22
    inner = side / 2 - corner
    y, x = np.abs(np.indices((side, side)) + 0.5 - side / 2) - inner
    distance = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) - corner
    alpha = np.clip(0.5 - distance, 0, 1)[..., None]
    return np.concatenate([icon(side), _bytes(alpha)], axis=2)


def splash(side: int) -> np.ndarray:
    """The face on the theme's background, whose colour fills the rest of the screen: uint8."""
    flat = np.broadcast_to(_bytes(_rgb(DARK.background)), (side, side, 3))
    return _over(foreground(side), flat)


def pictures() -> dict[str, np.ndarray]:
    """All files of this folder."""
    adaptive = int(CANVAS * XXXHDPI)
    return {
        "icon-foreground.png": foreground(adaptive),
        "icon-background.png": background(adaptive),
        "icon.png": rounded_icon(512),
        "icon-ios.png": icon(1024),
        "splash.png": splash(768),
        "launch-ios.png": foreground(512, VISIBLE),
    }


def _coverage(side: int, shown: float, bar: tuple[float, float, float, float]) -> np.ndarray:
    """How much of each pixel an upright bar with round ends covers: (side, side), 0 to 1."""
    x, y, half_height, radius = bar
    scale = side / shown
    rows, columns = (np.indices((side, side)) + 0.5 - side / 2) / scale
    beyond = np.maximum(np.abs(rows - y) - half_height, 0)
    return np.clip(0.5 - (np.hypot(columns - x, beyond) - radius) * scale, 0, 1)


def _paint(picture: np.ndarray, coverage: np.ndarray, colour: str) -> None:
    picture[..., :3][coverage > 0] = _rgb(colour)  # the bars do not touch
    picture[..., 3] = np.maximum(picture[..., 3], coverage)


def _over(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    alpha = upper[..., 3:] / 255
    return _bytes((upper[..., :3] * alpha + lower * (1 - alpha)) / 255)


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture * 255).astype(np.uint8)


def main(folder: Path = FOLDER) -> int:
    from PIL import Image

    for name, picture in pictures().items():
        Image.fromarray(picture).save(folder / name, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
