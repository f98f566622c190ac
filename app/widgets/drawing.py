"""A widget that draws itself, and does so anew when it moves or grows."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.uix.widget import Widget

from app.look.look import Look


class Drawing(Widget):
    """Subclasses draw into `canvas.before`, which is empty then, and lies below all children."""

    def __init__(self, look: Look, **settings: Any) -> None:
        super().__init__(**settings)
        self.look = look
        self.redraw = Clock.create_trigger(self._draw_anew, -1)
        for side in ("x", "y", "width", "height"):  # see `app.widgets.letters`
            self.fbind(side, self.redraw)
        self.redraw()

    def middle(self) -> tuple[float, float]:
        """As `center`, but without more for the collector."""
        return self.x + self.width / 2, self.y + self.height / 2

    def draw(self) -> None:
        """Adds the instructions."""
        raise NotImplementedError

    def _draw_anew(self, *_: Any) -> None:
        self.canvas.before.clear()
        if self.width > 0 and self.height > 0:
            with self.canvas.before:
                self.draw()
