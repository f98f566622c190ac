"""The loudness of the sound, as a meter shows it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOWEST_DB = -60.0
"""Below this the meter shows nothing, in decibels of full scale."""

FALL_DB_PER_SECOND = 30.0
"""The meter rises at once and falls so slowly that an eye can follow."""

CLIPPING = 32700
"""A sample of 16 bits from here on has hit full scale."""


class Level:
    """The loudness of the latest sound, -60 ... 0 decibels of full scale."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self.db = LOWEST_DB
        self.clipped = False

    @property
    def fraction(self) -> float:
        """Of the meter's length, 0 ... 1."""
        return 1.0 - self.db / LOWEST_DB

    def hear(self, chunk: NDArray[np.int16]) -> None:
        """Takes the next sound, (n,)."""
        if not len(chunk):
            return
        scaled = chunk.astype(np.float32) * np.float32(1 / 32768)
        power = float(np.dot(scaled, scaled)) / len(chunk)
        now = 10.0 * np.log10(max(power, 1e-12))
        fallen = self.db - FALL_DB_PER_SECOND * len(chunk) / self._sample_rate
        self.db = float(min(0.0, max(now, fallen, LOWEST_DB)))
        self.clipped = bool(chunk.max() >= CLIPPING or chunk.min() <= -CLIPPING)
