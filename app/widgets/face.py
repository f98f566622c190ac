"""A face for each emotion, so that it is seen without its colour and without its word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kivy.graphics import Color, Ellipse, Line, Mesh, SmoothEllipse
from kivy.properties import BooleanProperty, StringProperty

from app.look.look import Look
from app.look.palette import rgba
from app.widgets.drawing import Drawing


@dataclass(frozen=True)
class Features:
    """Lengths are in radii of the head."""

    brow_height: float
    brow_tilt: float
    """Rise of the brow's inner end over its outer end."""
    eye: float
    """Height of the open eye; 0 is closed."""
    closed_eyes: int = 0
    """1: closed and smiling upwards, -1: closed and resting."""
    mouth: float = 0.0
    """Rise of the mouth's corners over its middle."""
    mouth_width: float = 0.42
    open_mouth: float = 0.0
    """How far it opens."""
    skew: float = 0.0
    """Rise of the right corner over the left one."""
    tear: bool = False
    nose: bool = False
    """Whether it is wrinkled."""


FACES = {
    "neutral": Features(0.42, 0.0, 0.15, mouth=0.0, mouth_width=0.34),
    "calm": Features(0.44, 0.03, 0.0, closed_eyes=-1, mouth=0.1, mouth_width=0.34),
    "happy": Features(0.48, 0.03, 0.0, closed_eyes=1, mouth=0.3, open_mouth=0.3),
    "sad": Features(0.42, 0.14, 0.14, mouth=-0.2, mouth_width=0.34, tear=True),
    "angry": Features(0.34, -0.2, 0.15, mouth=-0.14, mouth_width=0.38),
    "fearful": Features(0.54, 0.14, 0.22, mouth=-0.1, mouth_width=0.34, open_mouth=0.16),
    "disgust": Features(0.36, -0.08, 0.1, mouth=-0.14, skew=0.13, nose=True),
    "surprised": Features(0.6, 0.0, 0.24, mouth_width=0.17, open_mouth=0.42),
}


class Face(Drawing):
    """The face of `emotion`; none is a pale head without an expression."""

    emotion = StringProperty("")
    uncertain = BooleanProperty(False)
    """Draws the head as a ring alone."""

    def __init__(self, look: Look, emotion: str = "", **settings: Any) -> None:
        super().__init__(look, **settings)
        self.bind(emotion=self.redraw, uncertain=self.redraw)
        self.emotion = emotion

    def draw(self) -> None:
        palette = self.look.palette
        radius = 0.48 * min(self.width, self.height)
        x, y = self.middle()
        box = {"pos": (x - radius, y - radius), "size": (2 * radius, 2 * radius)}
        known = self.emotion in FACES
        ground = palette.emotion(self.emotion) if known else palette.raised
        if known and not self.uncertain:
            Color(*rgba(ground))
            SmoothEllipse(**box)
            Color(*rgba(palette.ink))
        else:
            Color(*rgba(palette.raised))
            SmoothEllipse(**box)
            Color(*rgba(ground if known else palette.outline))
            Line(circle=(x, y, 0.95 * radius), width=max(1.2, 0.04 * radius))
        self._draw_features(FACES.get(self.emotion, FACES["neutral"]), x, y, radius)

    def _draw_features(self, face: Features, x: float, y: float, radius: float) -> None:
        width = max(1.1, 0.045 * radius)
        for side in (-1, 1):
            eye_x, eye_y = x + side * 0.34 * radius, y + 0.16 * radius
            if face.closed_eyes:
                _curve(eye_x, eye_y, 0.13 * radius, face.closed_eyes * 0.12 * radius, width)
            else:
                wide = min(0.11, 0.75 * face.eye) * radius
                high = face.eye * radius
                Ellipse(pos=(eye_x - wide, eye_y - high), size=(2 * wide, 2 * high))
            outer_x, inner_x = eye_x + side * 0.17 * radius, eye_x - side * 0.15 * radius
            brow_y = y + face.brow_height * radius + 0.06 * radius
            half = 0.5 * face.brow_tilt * radius
            Line(points=(outer_x, brow_y - half, inner_x, brow_y + half), width=width, cap="round")
        if face.nose:
            for at in (0.02, 0.1):
                Line(
                    points=(x - 0.07 * radius, y - at * radius, x + 0.07 * radius, y - at * radius),
                    width=0.7 * width,
                    cap="round",
                )
        self._draw_mouth(face, x, y - 0.4 * radius, radius, width)
        if face.tear:
            tear_x, tear_y = x - 0.36 * radius, y - 0.2 * radius
            Ellipse(
                pos=(tear_x - 0.06 * radius, tear_y - 0.09 * radius),
                size=(0.12 * radius, 0.18 * radius),
            )

    @staticmethod
    def _draw_mouth(face: Features, x: float, y: float, radius: float, width: float) -> None:
        half = face.mouth_width * radius
        if face.open_mouth and face.mouth <= 0.0:
            high = face.open_mouth * radius
            Ellipse(pos=(x - half, y - high / 2), size=(2 * half, high))
        elif face.open_mouth:
            upper = y + 0.5 * face.mouth * radius
            points = [(x - half, upper)]
            for step in range(17):
                place = step / 8 - 1.0
                points.append(
                    (x + place * half, upper - face.open_mouth * radius * (1 - place**2) ** 0.6)
                )
            vertices = [number for px, py in points for number in (px, py, 0.0, 0.0)]
            middle = [x, upper, 0.0, 0.0]
            Mesh(
                vertices=middle + vertices,
                indices=list(range(len(points) + 1)),
                mode="triangle_fan",
            )
            Line(
                points=[*(n for p in points for n in p)],
                width=0.6 * width,
                close=True,
                joint="round",
            )
        else:
            _curve(x, y, half, -face.mouth * radius, width, face.skew * radius)


def _curve(x: float, y: float, half: float, bulge: float, width: float, skew: float = 0.0) -> None:
    """A parabola from x - half to x + half whose middle lies `bulge` above its ends."""
    points = []
    for step in range(13):
        place = step / 6 - 1.0
        points += [x + place * half, y + bulge * (1 - place**2) - bulge / 2 + skew * place / 2]
    Line(points=points, width=width, cap="round", joint="round")
