"""A recording over time: its outline, its windows in their colours, and where the playback is."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
from kivy.graphics import Color, Line, Rectangle, SmoothEllipse, SmoothRoundedRectangle
from kivy.input.motionevent import MotionEvent
from kivy.metrics import dp
from kivy.properties import NumericProperty
from numpy.typing import NDArray

from app.look.look import Look
from app.look.palette import rgba
from app.result import Result
from app.widgets.control import Control
from app.widgets.drawing import Drawing
from app.widgets.waveform import Waveform

STEP_SECONDS = 0.5
"""Of the arrow keys."""


class Timeline(Control, Drawing):
    """Drag along it to hear from there; `position` in seconds.

    scrubbed: called with the position that a finger or a key chose.
    """

    position = NumericProperty(0.0)

    def __init__(
        self, look: Look, label: str, scrubbed: Callable[[float], None], **settings: Any
    ) -> None:
        self._result: Result | None = None
        super().__init__(look=look, size_hint_y=None, height=dp(112), **settings)
        self._scrubbed = scrubbed
        self._waveform = Waveform(look, look.palette.muted)
        self.add_widget(self._waveform)
        with self.canvas.after:
            self._needle_colour = Color(*rgba(look.palette.text))
            self._needle = Line(width=dp(1.2))
            self._knob = SmoothEllipse(size=(dp(14), dp(14)))
        self.make_pressable(look, label, "timeline")
        self.bind(position=self._move_needle, pos=self._move_needle, size=self._move_needle)

    def show(self, result: Result, outline: NDArray[np.float32] | None) -> None:
        """outline: of the sound, None when it was not kept."""
        self._result = result
        if outline is not None:
            self._waveform.show(outline)
        self.redraw()
        self._move_needle()

    @property
    def duration(self) -> float:
        """Seconds."""
        return self._result.duration if self._result is not None else 0.0

    def draw(self) -> None:
        result = self._result
        self._waveform.pos = (self.x, self.y + dp(32))
        self._waveform.size = (self.width, self.height - dp(44))
        Color(*rgba(self.look.palette.raised))
        SmoothRoundedRectangle(
            pos=(self.x, self.y + dp(28)), size=(self.width, self.height - dp(36)), radius=[dp(8)]
        )
        if result is None or not result.windows:
            return
        scale = self.width / max(1e-6, result.duration)
        # Windows overlap: each has the time that is nearer to its middle than to its neighbours'.
        middles = [(window.start + window.end) / 2 for window in result.windows]
        between = [(one + other) / 2 for one, other in zip(middles, middles[1:])]
        borders = [result.windows[0].start, *between, result.windows[-1].end]
        for window, start, end in zip(result.windows, borders, borders[1:]):
            high = dp(18) * (0.5 if window.uncertain else 1.0)
            Color(*rgba(self.look.palette.emotion(window.emotion)))
            Rectangle(
                pos=(self.x + start * scale, self.y + dp(13) - high / 2),
                size=(max(dp(2), (end - start) * scale - dp(1)), high),
            )

    def step(self, steps: int) -> None:
        """By the arrow keys."""
        self._scrub(self.position + steps * STEP_SECONDS)

    def on_touch_down(self, touch: MotionEvent) -> bool:
        if not self.collide_point(*touch.pos) or touch.is_mouse_scrolling:
            return False
        touch.grab(self)
        self._scrub_to(touch)
        return True

    def on_touch_move(self, touch: MotionEvent) -> bool:
        if touch.grab_current is not self:
            return False
        self._scrub_to(touch)
        return True

    def on_touch_up(self, touch: MotionEvent) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        return True

    def _scrub_to(self, touch: MotionEvent) -> None:
        self._scrub((touch.x - self.x) / max(1.0, self.width) * self.duration)

    def _scrub(self, position: float) -> None:
        self.position = max(0.0, min(self.duration, position))
        self._scrubbed(self.position)

    def _move_needle(self, *_: Any) -> None:
        share = self.position / self.duration if self.duration else 0.0
        x = self.x + share * self.width
        self._needle.points = (x, self.y, x, self.top - dp(8))
        self._knob.pos = (x - dp(7), self.top - dp(14))

    def _ring(self, *_: Any) -> None:
        plain = rgba(self.look.palette.text)
        self._needle_colour.rgba = self._ring_colour if self.focused else plain
