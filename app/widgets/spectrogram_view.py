"""The spectrogram picture, with its axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.metrics import dp
from kivy.uix.widget import Widget
from numpy.typing import NDArray

from app.look.look import Look
from app.widgets.containers import Column
from app.widgets.containers import Line as Row
from app.widgets.text import Text


class _Picture(Widget):
    def __init__(self, **settings: Any) -> None:
        super().__init__(size_hint_y=None, height=dp(150), **settings)
        with self.canvas:
            Color(1, 1, 1)
            self._rectangle = Rectangle()
        self.bind(pos=self._move, size=self._move)

    def show(self, picture: NDArray[np.uint8]) -> None:
        height, width = picture.shape[:2]
        texture = Texture.create(size=(width, height), colorfmt="rgb")
        texture.blit_buffer(picture.tobytes(), colorfmt="rgb", bufferfmt="ubyte")
        texture.mag_filter = "linear"
        self._rectangle.texture = texture

    def _move(self, *_: Any) -> None:
        self._rectangle.pos, self._rectangle.size = self.pos, self.size


class SpectrogramView(Column):
    """The picture, low pitches at the bottom, with the times of its ends beneath."""

    def __init__(self, look: Look, picture: NDArray[np.uint8], duration: float) -> None:
        super().__init__(spacing=dp(4))
        words, muted = look.words, look.palette.muted
        shown = _Picture()
        shown.show(picture)
        self.add_widget(shown)
        self.add_widget(
            Row(
                Text(look, words.seconds(0.0), "caption", muted, fit=True),
                Text(look, words("spectrogram.axis"), "caption", muted, align="center"),
                Text(look, words.seconds(duration), "caption", muted, fit=True),
            )
        )
