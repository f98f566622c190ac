"""What lies over a screen for a while: a question, and a word in passing."""

from __future__ import annotations

from typing import Any, Callable

from kivy.animation import Animation
from kivy.clock import Clock
from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.input.motionevent import MotionEvent
from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.floatlayout import FloatLayout

from app.look.look import Look
from app.look.palette import rgba
from app.widgets.buttons import WordButton
from app.widgets.containers import Card, Flow
from app.widgets.text import Text

TOAST_SECONDS = 4.0


class Dialog(AnchorLayout):
    """A question over everything else; answers: (key, text, kind, what to do) for each button.

    The last answer is the harmless one, which the back key gives.
    """

    def __init__(
        self,
        look: Look,
        title: str,
        text: str,
        answers: list[tuple[str, str, str, Callable[[], None] | None]],
    ) -> None:
        super().__init__(padding=dp(24))
        with self.canvas.before:
            Color(0, 0, 0, 0.6)
            self._shade = Rectangle()
        self.bind(pos=self._move, size=self._move)
        self._answers = answers
        buttons = []
        for key, words, kind, _ in answers:
            button = WordButton(look, key, words, kind)
            button.bind(on_release=lambda _, key=key: self.answer(key))
            buttons.append(button)
        self._card = Card(
            look,
            Text(look, title, "title"),
            Text(look, text, colour=look.palette.muted),
            Flow(*buttons, spacing=dp(10)),
            size_hint_x=None,
            spacing=dp(16),
        )
        self.add_widget(self._card)
        self.title = title

    def answer(self, key: str) -> None:
        """Closes it, and does what that answer does."""
        if self.parent is not None:
            self.parent.remove_widget(self)
        for own, _, _, act in self._answers:
            if own == key and act is not None:
                act()

    def back(self) -> None:
        """By the back key."""
        self.answer(self._answers[-1][0])

    def on_touch_down(self, touch: MotionEvent) -> bool:
        super().on_touch_down(touch)
        return True

    def _move(self, *_: Any) -> None:
        self._shade.pos, self._shade.size = self.pos, self.size
        self._card.width = min(dp(420), self.width - dp(48))


class Toast(FloatLayout):
    """A line at the bottom that goes by itself. It takes no touches."""

    def __init__(self, look: Look, text: str) -> None:
        super().__init__()
        self.text = text
        self._look = look
        self._label = Text(look, text, colour=look.palette.background, align="center")
        self._label.size_hint_x = None
        with self._label.canvas.before:
            Color(*rgba(look.palette.text))
            self._ground = SmoothRoundedRectangle(radius=[dp(14)])
        self._label.bind(pos=self._move, size=self._move)
        self.bind(size=self._place)
        self._label.bind(height=self._place)
        self.add_widget(self._label)
        self._end = Clock.schedule_once(lambda _: self._fade(), TOAST_SECONDS)

    def close(self) -> None:
        """At once."""
        self._end.cancel()
        if self.parent is not None:
            self.parent.remove_widget(self)

    def on_touch_down(self, touch: MotionEvent) -> bool:
        return False

    def _fade(self) -> None:
        fade = Animation(opacity=0.0, duration=0.3)
        fade.bind(on_complete=lambda *_: self.close())
        fade.start(self)

    def _place(self, *_: Any) -> None:
        self._label.width = min(dp(460), self.width - dp(72))
        self._label.pos = (self.center_x - self._label.width / 2, self.y + dp(104))

    def _move(self, *_: Any) -> None:
        x, y = self._label.pos
        width, height = self._label.size
        self._ground.pos = (x - dp(16), y - dp(12))
        self._ground.size = (width + dp(32), height + dp(24))
