"""What can be pressed: by a finger, a mouse or the keyboard, and with a name to be read out."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Line
from kivy.metrics import dp
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior

from app.look.look import Look
from app.look.palette import rgba


class Control(ButtonBehavior):
    """Mixed into a widget. `on_release` tells that it was pressed."""

    label = StringProperty()
    """What it does, in the user's language, also where it shows an icon alone."""
    focused = BooleanProperty(False)
    """Whether the keyboard's next Enter presses it; a ring shows it."""
    key = StringProperty()
    """By which a program finds it, whatever the language."""

    def make_pressable(self, look: Look, label: str, key: str) -> None:
        """To be called at the end of the widget's constructor."""
        self.label, self.key = label, key
        self.min_state_time = 0  # or a screen that a quick tap leaves would be kept for so long
        self._ring_colour = rgba(look.palette.accent)
        self.bind(focused=self._ring, pos=self._ring, size=self._ring)

    def press(self) -> None:
        """As a finger does."""
        if not self.disabled:
            self.dispatch("on_press")
            self.dispatch("on_release")

    def _ring(self, *_: Any) -> None:
        self.canvas.after.clear()
        if not self.focused:
            return
        with self.canvas.after:
            Color(*self._ring_colour)
            x, y = self.x - dp(1), self.y - dp(1)
            box = (x, y, self.width + dp(2), self.height + dp(2), dp(10))
            Line(rounded_rectangle=box, width=dp(1.5))
