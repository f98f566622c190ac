"""A field to write in."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, Line, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import StringProperty
from kivy.uix.textinput import TextInput

from app.look.look import Look
from app.look.palette import rgba


class Field(TextInput):
    """One line of text; label: what it is for, also shown while it is empty."""

    label = StringProperty()
    key = StringProperty()

    def __init__(self, look: Look, key: str, label: str, **settings: Any) -> None:
        palette = look.palette
        super().__init__(
            hint_text=label,
            multiline=False,
            write_tab=False,
            font_size=look.size_of("body"),
            size_hint_y=None,
            background_normal="",
            background_active="",
            background_color=(0, 0, 0, 0),
            foreground_color=rgba(palette.text),
            hint_text_color=rgba(palette.muted),
            cursor_color=rgba(palette.accent),
            selection_color=rgba(palette.accent, 0.35),
            **settings,
        )
        self.label, self.key = label, key
        self._look = look
        self.bind(line_height=self._fit)
        self._fit()
        self.bind(pos=self._edge, size=self._edge, focus=self._edge)

    def _fit(self, *_: Any) -> None:
        self.height = max(self._look.touch, self.line_height + dp(24))
        side = dp(14)
        upper = (self.height - self.line_height) / 2
        self.padding = (side, upper, side, upper)

    def _edge(self, *_: Any) -> None:
        palette = self._look.palette
        ground, edge = "ground", "edge"
        self.canvas.before.remove_group(ground)
        self.canvas.after.remove_group(edge)
        self.canvas.before.insert(
            0, SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=[dp(12)], group=ground)
        )
        self.canvas.before.insert(0, Color(*rgba(palette.raised), group=ground))
        with self.canvas.after:
            Color(*rgba(palette.accent if self.focus else palette.outline), group=edge)
            Line(
                rounded_rectangle=(*self.pos, *self.size, dp(12)),
                width=dp(1.4) if self.focus else 1.0,
                group=edge,
            )

    def _adjust_viewport(self, *place: int) -> None:
        """As Kivy's, which holds on to the field that was the last, and so to all of its screen."""
        adjust = getattr(
            TextInput._adjust_viewport, "__wrapped__", TextInput._adjust_viewport
        )
        Clock.schedule_once(lambda _: adjust(self, *place), -1)
