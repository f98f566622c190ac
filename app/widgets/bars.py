"""The probabilities of all emotions, as bars."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import NumericProperty

from app.look.look import Look
from app.look.palette import rgba
from app.widgets.containers import Column
from app.widgets.containers import Line as Row
from app.widgets.drawing import Drawing
from app.widgets.face import Face
from app.widgets.text import Text


class Bar(Drawing):
    """One bar; fraction: 0 ... 1 of its length."""

    fraction = NumericProperty(0.0)

    def __init__(self, look: Look, colour: str, **settings: Any) -> None:
        super().__init__(look, size_hint_y=None, height=dp(12), **settings)
        self._colour = colour
        self.bind(fraction=self.redraw)

    def draw(self) -> None:
        radius = [self.height / 2]
        Color(*rgba(self.look.palette.raised))
        SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=radius)
        width = self.width * max(0.0, min(1.0, self.fraction))
        if width >= 1.0:
            Color(*rgba(self._colour))
            radius = [min(self.height, width) / 2]
            SmoothRoundedRectangle(pos=self.pos, size=(width, self.height), radius=radius)


class EmotionBars(Column):
    """A row for each emotion: face, word, bar, per cent; likeliest first."""

    def __init__(self, look: Look, **settings: Any) -> None:
        super().__init__(spacing=dp(10), **settings)
        self._look = look

    def show(self, ranking: list[tuple[str, float]]) -> None:
        """The emotions with their probabilities, in the order to be shown."""
        self.clear_widgets()
        words = self._look.words
        for emotion, probability in ranking:
            face = Face(self._look, emotion, size_hint=(None, None), size=(dp(28), dp(28)))
            word = Text(self._look, words(f"emotion.{emotion}"), size_hint_x=0.42)
            bar = Bar(self._look, self._look.palette.emotion(emotion))
            bar.fraction = probability
            share = Text(
                self._look,
                words.percent(probability),
                colour=self._look.palette.muted,
                align="right",
                size_hint_x=0.2,
            )
            self.add_widget(Row(face, word, bar, share))
