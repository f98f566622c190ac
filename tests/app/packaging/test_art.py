"""The icons and the splash: as drawn by their program, and as the systems ask."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from app.art import draw
from app.look.palette import DARK

FILES = sorted(path.name for path in draw.FOLDER.glob("*.png"))
SIZE_LIMIT = 128 * 1024  # bytes, all together


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    return draw.pictures()


def opened(name: str) -> np.ndarray:
    return np.asarray(Image.open(draw.FOLDER / name))


def contrast(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """WCAG 2.2's contrast ratio of colours of 0 to 255 in the last axis."""

    def luminance(colour: np.ndarray) -> np.ndarray:
        part = colour / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return linear @ (0.2126, 0.7152, 0.0722)

    brighter = np.maximum(luminance(one), luminance(other))
    return (brighter + 0.05) / (np.minimum(luminance(one), luminance(other)) + 0.05)


def test_every_picture_is_there_and_no_other(drawn):
    assert sorted(drawn) == FILES


@pytest.mark.parametrize("name", FILES)
def test_a_picture_is_what_its_program_draws(drawn, name):
    again = drawn[name].astype(int)
    stored = opened(name).astype(int)
    assert stored.shape == again.shape
    assert np.abs(stored - again).max() <= 1  # another processor may round another way


@pytest.mark.parametrize(
    "name, side, mode",
    [
        ("icon-foreground.png", 432, "RGBA"),  # 108 dp at four pixels each
        ("icon-background.png", 432, "RGB"),
        ("icon.png", 512, "RGBA"),
        ("icon-ios.png", 1024, "RGB"),  # Apple refuses transparency
        ("splash.png", 768, "RGB"),
        ("launch-ios.png", 512, "RGBA"),
    ],
)
def test_a_picture_has_the_size_and_the_channels_that_are_asked_for(name, side, mode):
    with Image.open(draw.FOLDER / name) as picture:
        assert (picture.size, picture.mode) == ((side, side), mode)


def test_the_face_stays_where_no_launcher_cuts():
    alpha = opened("icon-foreground.png")[..., 3]
    rows, columns = (np.indices(alpha.shape) + 0.5) / draw.XXXHDPI - draw.CANVAS / 2
    distance = np.hypot(rows, columns)
    assert distance[alpha > 0].max() < draw.SAFE_RADIUS
    assert distance[alpha > 0].max() > 0.7 * draw.SAFE_RADIUS  # nor is it small


def test_the_face_stands_out_from_its_background():
    face, ground = opened("icon-foreground.png"), opened("icon-background.png")
    solid = face[..., 3] == 255
    assert contrast(face[solid][:, :3], ground[solid]).min() >= 3


def test_the_splash_ends_in_the_colour_that_surrounds_it():
    splash = opened("splash.png")
    edge = np.concatenate([splash[0], splash[-1], splash[:, 0], splash[:, -1]])
    background = [int(DARK.background[at : at + 2], 16) for at in (1, 3, 5)]
    assert (edge == background).all()


def test_the_pictures_are_small():
    assert sum((draw.FOLDER / name).stat().st_size for name in FILES) < SIZE_LIMIT
