"""The outline of a sound, as one mesh."""

from __future__ import annotations

from typing import Any

import numpy as np
from kivy.graphics import Color, Mesh
from kivy.uix.widget import Widget
from numpy.typing import NDArray

from app.look.look import Look
from app.look.palette import rgba


class Waveform(Widget):
    """Shows (columns, 2) lowest and highest samples, -1 ... 1, over its whole width."""

    def __init__(self, look: Look, colour: str | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self._outline: NDArray[np.float32] | None = None
        with self.canvas:
            self._colour = Color(*rgba(colour or look.palette.accent))
            self._mesh = Mesh(mode="triangle_strip")
        self.bind(pos=self._update, size=self._update)

    def show(self, outline: NDArray[np.float32]) -> None:
        """Does nothing if it is the array that is shown already."""
        if outline is not self._outline:
            self._outline = outline
            self._update()

    def _update(self, *_: Any) -> None:
        outline = self._outline
        if outline is None or len(outline) < 2 or self.width <= 0:
            self._mesh.vertices, self._mesh.indices = [], []
            return
        columns = len(outline)
        half = self.height / 2
        vertices = np.zeros((columns, 2, 4), np.float32)  # x, y, u, v of lowest and highest
        vertices[:, :, 0] = np.linspace(self.x, self.right, columns, dtype=np.float32)[:, None]
        # A voice is seldom near full scale: the root lifts what is quiet.
        lifted = np.sign(outline) * np.sqrt(np.abs(outline))
        vertices[:, 0, 1] = self.center_y + np.minimum(lifted[:, 0] * half, -0.75)
        vertices[:, 1, 1] = self.center_y + np.maximum(lifted[:, 1] * half, 0.75)
        self._mesh.vertices = vertices.ravel().tolist()
        if len(self._mesh.indices) != 2 * columns:
            self._mesh.indices = list(range(2 * columns))
