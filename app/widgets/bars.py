"""The probabilities of all emotions, as bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import NumericProperty
from kivy.uix.widget import Widget

from app.look.look import Look
from app.look.palette import rgba
from app.widgets.containers import Column, Sheet
from app.widgets.containers import Line as Row
from app.widgets.drawing import Drawing
from app.widgets.face import Face
from app.widgets.text import Text

LEAST_BAR = dp(90)


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
        SmoothRoundedRectangle(
            pos=(self.x, self.y), size=(self.width, self.height), radius=radius
        )
        width = self.width * max(0.0, min(1.0, self.fraction))
        if width >= 1.0:
            Color(*rgba(self._colour))
            radius = [min(self.height, width) / 2]
            SmoothRoundedRectangle(
                pos=(self.x, self.y), size=(width, self.height), radius=radius
            )


class EmotionBars(Column):
    """A row for each emotion: face, word, bar, per cent; likeliest first.

    Where there is too little room for a bar beside the words, it goes below them.
    """

    def __init__(self, look: Look, **settings: Any) -> None:
        super().__init__(spacing=dp(10), **settings)
        self._look = look
        self._parts: list[tuple[Face, Text, Bar, Text]] = []
        self._stacked: bool | None = None
        self.bind(width=self._arrange)

    def add(self, ranking: list[tuple[str, float]]) -> Iterator[None]:
        """The emotions with their probabilities, in the order to be shown; one with each step."""
        look = self._look
        parts: list[tuple[Face, Text, Bar, Text]] = []
        for emotion, probability in ranking:
            face = Face(look, emotion, size_hint=(None, None), size=(dp(28), dp(28)))
            word = Text(look, look.words(f"emotion.{emotion}"), fit=True)
            bar = Bar(look, look.palette.emotion(emotion))
            bar.fraction = probability
            per_cent = look.words.percent(probability)
            share = Text(look, per_cent, "body", look.palette.muted, "right", fit=True)
            for text in (word, share):
                text.draw_letters()
            parts.append((face, word, bar, share))
            yield
        self._parts = parts
        yield from self._arranging()

    def _arrange(self, *_: Any) -> None:
        for _ in self._arranging():
            pass

    def _arranging(self) -> Iterator[None]:
        if not self._parts:
            return
        words = max(word.texture_size[0] for _, word, _, _ in self._parts)
        shares = max(share.texture_size[0] for _, _, _, share in self._parts)
        stacked = self.width - dp(28) - words - shares - 3 * dp(12) < LEAST_BAR
        if stacked is self._stacked:
            return
        self._stacked = stacked
        self.clear_widgets()
        for parts in self._parts:
            for part in parts:
                if part.parent is not None:
                    part.parent.remove_widget(part)
        for face, word, bar, share in self._parts:
            if self._stacked is not stacked:
                return  # it was turned meanwhile, and arranged anew
            if stacked:
                line = Row(word, Widget(size_hint_y=None, height=1), share)
                row = Row(face, Column(line, bar, spacing=dp(2)))
            else:
                row = Row(face, word, bar, share)
            word.at_least(0.0 if stacked else words)
            share.at_least(0.0 if stacked else shares)
            self.add_widget(Sheet(row))
            yield
