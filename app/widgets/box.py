"""Widgets side by side or one under the other.

As Kivy's BoxLayout places them, but without the limits of a child's size that nobody sets here: to
ask for them makes objects for every child, see `app.widgets.letters`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kivy.clock import Clock
from kivy.uix.widget import Widget

UNPLACED = 1.0
"""Pixels: the width of what no parent has placed yet."""

FOLLOWED = ("width", "height", "size_hint_x")
"""What a change of in a child is followed."""

Padding = float | Sequence[float]


class Box(Widget):
    """Lays nothing out until its parent has told it how wide it is.

    Or every text in it would be drawn once more, for a width that it does not get.

    orientation: "horizontal" or "vertical"; spacing: pixels between two; padding: pixels around
    all, or at the sides and above and below, or left, above, right and below; grows: whether it is
    as high as what is in it. A child with a size_hint along the orientation has its share of what
    is left, across it its share of the whole; others have the size that they have, and their
    pos_hint places them across, by x, right or center_x, y, top or center_y. What changes a hint
    after a child was added, other than size_hint_x, calls `lay_out_soon`.
    """

    def __init__(
        self,
        orientation: str = "horizontal",
        spacing: float = 0.0,
        padding: Padding = 0.0,
        grows: bool = False,
        **settings: Any,
    ) -> None:
        self._orientation = orientation
        self._spacing = spacing
        self._padding = _four(padding)
        self._grows = grows
        self.lay_out_soon = Clock.create_trigger(self.lay_out, -1)
        super().__init__(**{"width": UNPLACED, **settings})
        for side in ("x", "y", "width", "height"):
            self.fbind(side, self.lay_out_soon)

    @property
    def orientation(self) -> str:
        """Along which they stand."""
        return self._orientation

    @orientation.setter
    def orientation(self, orientation: str) -> None:
        self._orientation = orientation
        self.lay_out_soon()

    @property
    def spacing(self) -> float:
        """Between two of them."""
        return self._spacing

    @spacing.setter
    def spacing(self, spacing: float) -> None:
        self._spacing = spacing
        self.lay_out_soon()

    @property
    def padding(self) -> tuple[float, float, float, float]:
        """Left, above, right, below."""
        return self._padding

    @padding.setter
    def padding(self, padding: Padding) -> None:
        self._padding = _four(padding)
        self.lay_out_soon()

    def add_widget(self, widget: Widget, *where: Any, **settings: Any) -> None:
        for name in FOLLOWED:
            widget.fbind(name, self.lay_out_soon)
        super().add_widget(widget, *where, **settings)
        self.lay_out_soon()

    def remove_widget(self, widget: Widget, *where: Any, **settings: Any) -> None:
        for name in FOLLOWED:
            widget.funbind(name, self.lay_out_soon)
        super().remove_widget(widget, *where, **settings)
        self.lay_out_soon()

    def lay_out(self, *_: Any) -> None:
        """At once, rather than before the next frame."""
        if self.width <= UNPLACED:
            return
        children = self.children[::-1]
        lying = self._orientation == "horizontal"
        left, above, right, below = self._padding
        spacing = self._spacing
        between = spacing * max(0, len(children) - 1)
        wide, high = self.width - left - right, self.height - above - below
        widths = _shares("width", "size_hint_x", children, wide, between if lying else None)
        heights = _shares("height", "size_hint_y", children, high, None if lying else between)
        for child, width, height in zip(children, widths, heights):
            if width is not None and height is not None:
                child.size = width, height  # both before anybody is told of either
            elif width is not None:
                child.width = width
            elif height is not None:
                child.height = height
        if self._grows:
            own = [child.height for child in children if child.size_hint_y is None]
            high = max(own, default=0.0) if lying else sum(own) + between
            self.height = above + high + below
        x, y = self.x + left, self.y + self.height - above
        for child in children:
            if lying:
                up = _beside(child.pos_hint, ("y", "center_y", "top"), child.height, high)
                child.pos = x, self.y + below + up
                x += child.width + spacing
            else:
                y -= child.height
                aside = _beside(child.pos_hint, ("x", "center_x", "right"), child.width, wide)
                child.pos = x + aside, y
                y -= spacing


def _four(padding: Padding) -> tuple[float, float, float, float]:
    sides = tuple(padding) if isinstance(padding, Sequence) else (padding,)
    if len(sides) == 4:
        return sides
    return (sides[0], sides[-1], sides[0], sides[-1])


def _shares(
    side: str, hint: str, children: list[Widget], room: float, between: float | None
) -> list[float | None]:
    """Of the room, those that have a hint; None for the others.

    between: pixels between them along this side, where they share what the others leave; None: each
    has all of it.
    """
    hints = [getattr(child, hint) for child in children]
    if between is not None:
        taken = sum(getattr(child, side) for child, own in zip(children, hints) if own is None)
        whole = sum(own for own in hints if own is not None) or 1.0
        room = max(0.0, room - between - taken) / whole
    return [None if own is None else own * room for own in hints]


def _beside(
    hint: Mapping[str, float], names: tuple[str, str, str], size: float, room: float
) -> float:
    """How far from the beginning of the room it lies."""
    for name, part in zip(names, (0.0, 0.5, 1.0)):
        if name in hint:
            return hint[name] * room - part * size
    return 0.0
