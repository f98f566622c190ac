"""The icons, drawn as strokes on a grid of 24 by 24 with its origin at the lower left."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Ellipse, Line, Mesh
from kivy.metrics import dp

from app.look.look import Look
from app.look.palette import rgba
from app.widgets.drawing import Drawing

# Each is a list of shapes: ("line", x, y, ...), ("circle", x, y, radius),
# ("arc", x, y, radius, from, to) clockwise from twelve o'clock in degrees,
# ("dot", x, y, radius), ("box", x, y, width, height, corner), ("full", x, y, ...) a filled polygon.
ICONS: dict[str, tuple[tuple[Any, ...], ...]] = {
    "microphone": (
        ("box", 9, 9.5, 6, 11.5, 3),
        ("arc", 12, 12.5, 6.5, 90, 270),
        ("line", 12, 6, 12, 3),
        ("line", 8.5, 3, 15.5, 3),
    ),
    "person": (
        ("circle", 12, 16.5, 4),
        ("arc", 12, 3.5, 7.5, -90, 90),
        ("line", 4.5, 3.5, 19.5, 3.5),
    ),
    "stop": (("full", 6.5, 6.5, 17.5, 6.5, 17.5, 17.5, 6.5, 17.5),),
    "pause": (
        ("full", 7, 5.5, 10.2, 5.5, 10.2, 18.5, 7, 18.5),
        ("full", 13.8, 5.5, 17, 5.5, 17, 18.5, 13.8, 18.5),
    ),
    "play": (("full", 8, 5, 19, 12, 8, 19),),
    "history": (
        ("circle", 12, 12, 8.5),
        ("line", 12, 17, 12, 12, 15.5, 9.5),
    ),
    "settings": (
        ("line", 3.5, 17, 20.5, 17),
        ("line", 3.5, 7, 20.5, 7),
        ("dot", 15.5, 17, 3),
        ("dot", 8.5, 7, 3),
    ),
    "back": (("line", 14.5, 19, 7.5, 12, 14.5, 5),),
    "next": (("line", 9.5, 19, 16.5, 12, 9.5, 5),),
    "bin": (
        ("line", 4.5, 18.5, 19.5, 18.5),
        ("line", 9.5, 18.5, 9.5, 21, 14.5, 21, 14.5, 18.5),
        ("line", 6.5, 18.5, 7.3, 3.5, 16.7, 3.5, 17.5, 18.5),
        ("line", 10.3, 14.5, 10.5, 7.5),
        ("line", 13.7, 14.5, 13.5, 7.5),
    ),
    "share": (
        ("line", 12, 8.5, 12, 20.5),
        ("line", 7.5, 16.5, 12, 21, 16.5, 16.5),
        ("line", 7.5, 12.5, 5, 12.5, 5, 3.5, 19, 3.5, 19, 12.5, 16.5, 12.5),
    ),
    "search": (("circle", 10.5, 13.5, 6), ("line", 15, 9, 20.5, 3.5)),
    "close": (("line", 6, 6, 18, 18), ("line", 6, 18, 18, 6)),
    "undo": (
        ("line", 9, 20.5, 4.5, 16, 9, 11.5),
        ("line", 4.5, 16, 14, 16),
        ("arc", 14, 10.5, 5.5, 0, 180),
        ("line", 14, 5, 8, 5),
    ),
    "check": (("line", 5, 12.5, 10, 7.5, 19.5, 17.5),),
    "warning": (
        ("line", 12, 20.5, 2.5, 4, 21.5, 4, 12, 20.5),
        ("line", 12, 15, 12, 10.5),
        ("dot", 12, 7.3, 1.2),
    ),
    "shield": (
        ("line", 12, 21.5, 19.5, 18.5, 19.5, 12, 17.5, 7, 12, 2.5),
        ("line", 12, 21.5, 4.5, 18.5, 4.5, 12, 6.5, 7, 12, 2.5),
        ("line", 8.5, 12.5, 11, 10, 15.5, 15),
    ),
}


class Icon(Drawing):
    """One of ICONS; points: its size."""

    def __init__(
        self,
        look: Look,
        name: str,
        colour: str | None = None,
        points: float = 24,
        **settings: Any,
    ) -> None:
        super().__init__(look, size_hint=(None, None), size=(dp(points), dp(points)), **settings)
        self.name = name
        self.colour = colour or look.palette.text

    def show(self, name: str, colour: str | None = None) -> None:
        """Another icon, perhaps in another colour."""
        self.name, self.colour = name, colour or self.colour
        self.redraw()

    def draw(self) -> None:
        side = min(self.width, self.height)
        x, y = self.middle()
        draw_icon(self.name, self.colour, x - side / 2, y - side / 2, side)


def draw_icon(name: str, colour: str, x: float, y: float, side: float) -> None:
    """Adds an icon to the canvas that is open."""
    Color(*rgba(colour))
    unit = side / 24
    width = max(1.0, 0.95 * unit)
    for kind, *numbers in ICONS[name]:
        if kind in ("line", "full"):
            points = [
                start + unit * number for start, number in zip((x, y) * len(numbers), numbers)
            ]
            if kind == "line":
                Line(points=points, width=width, cap="round", joint="round")
            else:
                corners = list(zip(points[::2], points[1::2]))
                vertices = [number for px, py in corners for number in (px, py, 0.0, 0.0)]
                Mesh(vertices=vertices, indices=list(range(len(corners))), mode="triangle_fan")
                Line(points=points, width=width, close=True, joint="round")
            continue
        centre_x, centre_y, *rest = (unit * number for number in numbers[:5])
        centre_x, centre_y = x + centre_x, y + centre_y
        if kind == "circle":
            Line(circle=(centre_x, centre_y, rest[0]), width=width)
        elif kind == "arc":
            Line(
                circle=(centre_x, centre_y, rest[0], numbers[3], numbers[4]),
                width=width,
                cap="round",
            )
        elif kind == "dot":
            radius = rest[0]
            Ellipse(pos=(centre_x - radius, centre_y - radius), size=(2 * radius, 2 * radius))
        else:
            Line(rounded_rectangle=(centre_x, centre_y, *rest), width=width)
