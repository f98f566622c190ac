"""Buttons: with words, with an icon alone, the chip of a choice, and the one to record with."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, Line, SmoothEllipse, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty

from app.look.look import Look
from app.look.palette import rgba
from app.widgets.control import Control
from app.widgets.drawing import Drawing
from app.widgets.icon import draw_icon
from app.widgets.letters import Letters


class WordButton(Control, Letters):
    """A word or two on a rounded ground.

    kind: "filled", "plain" or "danger". It is as wide as its words, and wraps them where there is
    less room than that.
    """

    def __init__(self, look: Look, key: str, text: str, kind: str = "filled") -> None:
        palette = look.palette
        self._ground_colour, letters = {
            "filled": (palette.accent, palette.on_accent),
            "plain": (palette.raised, palette.text),
            "danger": (palette.danger, palette.on_danger),
        }[kind]
        super().__init__(
            text=text,
            font_size=look.size_of("body"),
            colour=letters,
            bold=True,
            align="center",
            padding=(dp(20), dp(8)),
            least=look.touch,
            size_hint=(None, None),
        )
        self.look = look
        self.make_pressable(look, text, key)
        self.bind(pos=self._ground, size=self._ground, state=self._ground)

    def _ground(self, *_: Any) -> None:
        self.canvas.before.clear()
        with self.canvas.before:
            Color(*rgba(self._ground_colour, 0.7 if self.state == "down" else 1.0))
            radius = min(self.height / 2, dp(24))
            SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=[radius])


class IconButton(Control, Drawing):
    """An icon alone; its label tells what it does."""

    def __init__(
        self, look: Look, key: str, icon: str, label: str, colour: str | None = None
    ) -> None:
        super().__init__(look=look, size_hint=(None, None), size=(look.touch, look.touch))
        self.icon = icon
        self._colour = colour or look.palette.text
        self.make_pressable(look, label, key)
        self.bind(state=self.redraw)

    def show(self, icon: str, label: str) -> None:
        """Another icon, for what it does now."""
        self.icon, self.label = icon, label
        self.redraw()

    def draw(self) -> None:
        if self.state == "down":
            Color(*rgba(self.look.palette.raised))
            SmoothEllipse(pos=self.pos, size=self.size)
        side = dp(24)
        x, y = self.middle()
        draw_icon(self.icon, self._colour, x - side / 2, y - side / 2, side)


class RoundButton(Control, Drawing):
    """A large round one: the one that records, and those beside it.

    kind: "filled", "plain" or "danger".
    """

    def __init__(
        self, look: Look, key: str, icon: str, label: str, points: float, kind: str = "filled"
    ) -> None:
        super().__init__(look=look, size_hint=(None, None), size=(dp(points), dp(points)))
        self.icon = icon
        self._kind = kind
        self.make_pressable(look, label, key)
        self.bind(state=self.redraw)

    def show(self, icon: str, label: str, kind: str) -> None:
        """What it does now."""
        if (icon, label, kind) != (self.icon, self.label, self._kind):
            self.icon, self.label, self._kind = icon, label, kind
            self.redraw()

    def draw(self) -> None:
        palette = self.look.palette
        ground, mark = {
            "filled": (palette.accent, palette.on_accent),
            "plain": (palette.raised, palette.text),
            "danger": (palette.danger, palette.on_danger),
        }[self._kind]
        x, y, side = self.x, self.y, self.width
        if self._kind != "plain":
            Color(*rgba(ground, 0.18))
            SmoothEllipse(pos=(x, y), size=(side, side))
            rim = 0.07 * side
            x, y, side = x + rim, y + rim, side - 2 * rim
        Color(*rgba(ground, 0.8 if self.state == "down" else 1.0))
        SmoothEllipse(pos=(x, y), size=(side, side))
        inner = 0.44 * side
        middle_x, middle_y = self.middle()
        draw_icon(self.icon, mark, middle_x - inner / 2, middle_y - inner / 2, inner)


class Chip(Control, Letters):
    """One of several choices; the one that is chosen is filled, and its word bold.

    ticked: whether it has a tick as well, for which there is room beside the word.
    """

    chosen = BooleanProperty(False)

    def __init__(
        self, look: Look, key: str, text: str, chosen: bool, ticked: bool = False
    ) -> None:
        super().__init__(
            text=text,
            font_size=look.size_of("body"),
            colour=look.palette.text,
            align="center",
            padding=(dp(24 if ticked else 16), dp(8)),
            least=look.touch,
            size_hint=(None, None),
        )
        self.look = look
        self._ticked = ticked
        self._ground = Clock.create_trigger(self._draw_ground, -1)
        self.make_pressable(look, text, key)
        self.bind(pos=self._ground, size=self._ground, chosen=self._mark)
        self.chosen = chosen
        self._mark()

    def _mark(self, *_: Any) -> None:
        palette = self.look.palette
        self.colour = palette.on_accent if self.chosen else palette.text
        self.bold = self.chosen
        self._ground()

    def _draw_ground(self, *_: Any) -> None:
        palette = self.look.palette
        self.canvas.before.clear()
        inset = dp(3)
        box = (self.x + inset, self.y + inset, self.width - 2 * inset, self.height - 2 * inset)
        with self.canvas.before:
            Color(*rgba(palette.accent if self.chosen else palette.raised))
            SmoothRoundedRectangle(pos=box[:2], size=box[2:], radius=[box[3] / 2])
            if not self.chosen:
                Color(*rgba(palette.outline))
                Line(rounded_rectangle=(*box, box[3] / 2), width=1.0)
            elif self._ticked:
                side = dp(15)
                draw_icon(
                    "check", palette.on_accent, self.x + dp(8), self.center_y - side / 2, side
                )


class OnOff(Control, Drawing):
    """On or off; pale while it cannot be pressed."""

    on = BooleanProperty(False)

    def __init__(self, look: Look, key: str, label: str, on: bool) -> None:
        super().__init__(look=look, size_hint=(None, None), size=(dp(60), look.touch))
        self.on = on
        self.make_pressable(look, label, key)
        self.bind(on=self.redraw, disabled=self.redraw)

    def draw(self) -> None:
        palette = self.look.palette
        height = dp(30)
        x, y = self.x + dp(2), self.center_y - height / 2
        width = self.width - dp(4)
        ground, knob = (
            (palette.accent, palette.on_accent) if self.on else (palette.raised, palette.outline)
        )
        if self.disabled:
            ground, knob = palette.surface, palette.raised
        Color(*rgba(ground))
        SmoothRoundedRectangle(pos=(x, y), size=(width, height), radius=[height / 2])
        if not self.on:
            Color(*rgba(palette.outline))
            Line(rounded_rectangle=(x, y, width, height, height / 2), width=1.2)
        side = height - dp(8)
        left = x + width - side - dp(4) if self.on else x + dp(4)
        Color(*rgba(knob))
        SmoothEllipse(pos=(left, self.center_y - side / 2), size=(side, side))
