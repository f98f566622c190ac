"""The colours, as people see them who see fewer; computed by colorspacious.

Protanopia, deuteranopia and tritanopia by Machado, Oliveira and Fernandes (2009) at full severity;
differences in CAM02-UCS, where 1 can just be told apart side by side; contrast by WCAG 2.1.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from app.look.palette import PALETTES, rgba
from app.widgets.face import FACES
from edge import LABELS

colorspacious = pytest.importorskip("colorspacious")

SIGHTS = ("normal", "protanomaly", "deuteranomaly", "tritanomaly")
CLEARLY_DIFFERENT = 10.0
palettes = pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)


def seen(colour: str, sight: str) -> np.ndarray:
    """(3,) in CAM02-UCS."""
    rgb = np.array(rgba(colour)[:3])
    if sight != "normal":
        space = {"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100}
        rgb = np.clip(colorspacious.cspace_convert(rgb, space, "sRGB1"), 0.0, 1.0)
    return colorspacious.cspace_convert(rgb, "sRGB1", "CAM02-UCS")


def contrast(one: str, other: str) -> float:
    """1 ... 21."""
    lighter, darker = sorted(
        (
            float(colorspacious.cspace_convert(rgba(colour)[:3], "sRGB1", "XYZ1")[1])
            for colour in (one, other)
        ),
        reverse=True,
    )
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_has_the_greatest_contrast():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0, rel=1e-3)


@palettes
@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_emotions_look_alike(palette, sight):
    assert tuple(palette.emotions) == LABELS
    for one, other in combinations(LABELS, 2):
        difference = np.linalg.norm(
            seen(palette.emotion(one), sight) - seen(palette.emotion(other), sight)
        )
        assert difference >= CLEARLY_DIFFERENT, (one, other, difference)


@palettes
def test_text_stands_out_from_every_ground_it_stands_on(palette):
    for ground in (palette.background, palette.surface, palette.raised):
        for text in (palette.text, palette.muted):
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(palette.on_accent, palette.accent) >= 4.5
    assert contrast(palette.on_danger, palette.danger) >= 4.5
    assert contrast(palette.background, palette.text) >= 4.5  # a toast


@palettes
def test_signs_and_edges_stand_out_from_their_ground(palette):
    for ground in (palette.background, palette.surface):
        for sign in (palette.accent, palette.danger, palette.warning, palette.outline):
            assert contrast(sign, ground) >= 3.0, (sign, ground)
        for label in LABELS:
            assert contrast(palette.emotion(label), ground) >= 3.0, (label, ground)


@palettes
def test_a_faces_features_stand_out_from_its_head(palette):
    for label in LABELS:
        assert contrast(palette.ink, palette.emotion(label)) >= 3.0, label


def test_every_emotion_has_a_face_of_its_own():
    assert tuple(FACES) == LABELS
    assert len(set(FACES.values())) == len(LABELS)
