"""The loudness now, from quiet to too loud."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.metrics import dp
from kivy.uix.widget import Widget

from app.look.look import Look
from app.look.palette import rgba

SEGMENTS = 30
QUIET, LOUD = 0.35, 0.93
"""Fractions of the meter between which a voice should be."""


class LevelMeter(Widget):
    """A row of bars; those that are reached are lit. Moves without being drawn anew."""

    def __init__(self, look: Look, **settings: Any) -> None:
        super().__init__(size_hint_y=None, height=dp(12), **settings)
        palette = look.palette
        self._dark = rgba(palette.raised)
        self._lit = [
            rgba(palette.danger if at > LOUD else palette.accent if at > QUIET else palette.muted)
            for at in ((n + 1) / SEGMENTS for n in range(SEGMENTS))
        ]
        self._colours: list[Color] = []
        self._bars: list[Rectangle] = []
        self._reached = 0
        with self.canvas:
            for _ in range(SEGMENTS):
                self._colours.append(Color(*self._dark))
                self._bars.append(Rectangle())
        self.bind(pos=self._lay_out, size=self._lay_out)

    def show(self, fraction: float) -> None:
        """0 ... 1 of its length."""
        reached = round(max(0.0, min(1.0, fraction)) * SEGMENTS)
        for n in range(min(reached, self._reached), max(reached, self._reached)):
            self._colours[n].rgba = self._lit[n] if n < reached else self._dark
        self._reached = reached

    @property
    def reached(self) -> int:
        """Bars that are lit."""
        return self._reached

    def _lay_out(self, *_: Any) -> None:
        step = self.width / SEGMENTS
        for n, bar in enumerate(self._bars):
            bar.pos = (self.x + n * step, self.y)
            bar.size = (max(1.0, step - dp(3)), self.height)
