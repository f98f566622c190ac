"""The ribbon of emotions, growing to the right."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.metrics import dp

from app.look.look import Look
from app.look.palette import rgba
from app.ribbon import Stretch
from app.widgets.drawing import Drawing

SHOWN_SECONDS = 20.0
"""Of a long recording the latest so many are shown."""


class RibbonView(Drawing):
    """Stretches of emotion over time; an uncertain one is half as high."""

    def __init__(self, look: Look, **settings: Any) -> None:
        super().__init__(look, size_hint_y=None, height=dp(22), **settings)
        self._stretches: tuple[Stretch, ...] = ()
        self._time = 0.0

    def show(self, stretches: tuple[Stretch, ...], time: float) -> None:
        """time: seconds heard so far; redrawn only when it shows."""
        pixel = max(SHOWN_SECONDS, self._time) / max(1.0, self.width)
        if stretches != self._stretches or abs(time - self._time) > pixel:
            self._stretches, self._time = stretches, time
            self.redraw()

    def draw(self) -> None:
        end = max(SHOWN_SECONDS, self._time)
        begin = end - SHOWN_SECONDS
        scale = self.width / SHOWN_SECONDS
        Color(*rgba(self.look.palette.raised))
        SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=[dp(6)])
        for stretch in self._stretches:
            if stretch.end <= begin:
                continue
            left = self.x + (max(begin, stretch.start) - begin) * scale
            right = self.x + (stretch.end - begin) * scale
            high = self.height * (0.45 if stretch.uncertain else 1.0)
            Color(*rgba(self.look.palette.emotion(stretch.emotion)))
            Rectangle(
                pos=(left, self.center_y - high / 2),
                size=(max(dp(2), right - left - dp(1)), high),
            )
