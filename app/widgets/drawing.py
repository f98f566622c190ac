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
        self.bind(pos=self.redraw, size=self.redraw)
        self.redraw()

    def draw(self) -> None:
        """Adds the instructions."""
        raise NotImplementedError

    def _draw_anew(self, *_: Any) -> None:
        self.canvas.before.clear()
        if self.width > 0 and self.height > 0:
            with self.canvas.before:
                self.draw()
