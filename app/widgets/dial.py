"""The gender gate's posterior, as a needle between female and male."""

from __future__ import annotations

import math
from typing import Any

from kivy.graphics import Color, Line, SmoothEllipse
from kivy.metrics import dp
from kivy.properties import NumericProperty

from app.look.look import Look
from app.look.palette import rgba
from app.widgets.box import Box
from app.widgets.containers import Line as Row
from app.widgets.drawing import Drawing
from app.widgets.text import Text

SPAN = 100.0  # degrees to each side of twelve o'clock


class Needle(Drawing):
    """The dial alone; female: 0 ... 1, below 0 while nothing is known."""

    female = NumericProperty(-1.0)

    def __init__(self, look: Look, **settings: Any) -> None:
        super().__init__(look, **settings)
        self.bind(female=self.redraw)

    def draw(self) -> None:
        palette = self.look.palette
        radius = min(self.width / 2, self.height / 1.3) - dp(4)
        x, y = self.center_x, self.top - radius - dp(4)
        thick = max(dp(3), 0.09 * radius)
        Color(*rgba(palette.raised))
        Line(circle=(x, y, radius, -SPAN, SPAN), width=thick, cap="round")
        if self.female < 0:
            return
        # Left is female, right is male, as the words beneath are placed.
        angle = SPAN * (1.0 - 2.0 * self.female)
        Color(*rgba(palette.accent))
        low, high = min(0.0, angle), max(0.0, angle)
        if high - low > 2.0:
            Line(circle=(x, y, radius, low, high), width=thick, cap="round")
        tip = math.radians(angle)
        tip_x, tip_y = x + radius * math.sin(tip), y + radius * math.cos(tip)
        Color(*rgba(palette.text))
        needle = (x, y, x + 0.75 * (tip_x - x), y + 0.75 * (tip_y - y))
        Line(points=needle, width=dp(1.6), cap="round")
        hub = dp(4)
        SmoothEllipse(pos=(x - hub, y - hub), size=(2 * hub, 2 * hub))
        knob = 1.25 * thick
        SmoothEllipse(pos=(tip_x - knob, tip_y - knob), size=(2 * knob, 2 * knob))


class GenderDial(Box):
    """The needle with what it says beneath."""

    def __init__(self, look: Look, **settings: Any) -> None:
        super().__init__(orientation="vertical", spacing=dp(2), **settings)
        words, muted = look.words, look.palette.muted
        self._look = look
        self.needle = Needle(look)
        self.verdict = Text(look, "", "heading", align="center", size_hint_x=0.5)
        self._ends = {
            "female": Text(look, words("gender.female"), "caption", muted, align="right"),
            "male": Text(look, words("gender.male"), "caption", muted, align="left"),
        }
        self.add_widget(self.needle)
        self.add_widget(Row(self._ends["female"], self.verdict, self._ends["male"], spacing=0))
        self.show(None, 0.5)

    def show(self, gender: str | None, posterior: float) -> None:
        """The likelier gender with its probability; None while nothing is known."""
        palette = self._look.palette
        for name, text in self._ends.items():
            text.colour = palette.text if name == gender else palette.muted
        if gender is None:
            self.needle.female = -1.0
            self.verdict.text = "?"
            return
        self.needle.female = posterior if gender == "female" else 1.0 - posterior
        verdict = self._look.words.percent(posterior)
        if self.verdict.text != verdict:
            self.verdict.text = verdict
