"""The outline of a sound: its lowest and highest sample in each column of a picture."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

SECONDS_PER_COLUMN = 0.03


class RollingEnvelope:
    """The outline of the last few seconds, which one thread extends while another one draws it.

    columns: how many of SECONDS_PER_COLUMN are remembered.
    """

    def __init__(self, sample_rate: int, columns: int = 240) -> None:
        self._samples_per_column = max(1, round(SECONDS_PER_COLUMN * sample_rate))
        self._outline = np.zeros((columns, 2), np.float32)  # oldest first
        self._rest = np.zeros(0, np.int16)  # of a column that is not full yet
        self._lock = threading.Lock()

    def hear(self, chunk: NDArray[np.int16]) -> None:
        """Takes the next sound, (n,)."""
        sound = np.concatenate((self._rest, chunk))
        whole = len(sound) // self._samples_per_column
        cut = whole * self._samples_per_column
        self._rest = sound[cut:].copy()
        if not whole:
            return
        columns = sound[:cut].reshape(whole, -1)
        extremes = np.stack((columns.min(axis=1), columns.max(axis=1)), axis=1)
        new = extremes.astype(np.float32) * np.float32(1 / 32768)
        with self._lock:
            joined = np.concatenate((self._outline, new))
            self._outline = joined[len(joined) - len(self._outline) :]

    def latest(self) -> NDArray[np.float32]:
        """(columns, 2) lowest and highest, -1 ... 1, oldest first; not to be written to."""
        with self._lock:
            return self._outline


def whole_envelope(samples: NDArray[np.int16], columns: int) -> NDArray[np.float32]:
    """(min(columns, n), 2) lowest and highest of a whole sound (n,), -1 ... 1."""
    if not len(samples):
        return np.zeros((0, 2), np.float32)
    columns = min(columns, len(samples))
    begins = np.arange(columns) * len(samples) // columns
    lowest = np.minimum.reduceat(samples, begins)
    highest = np.maximum.reduceat(samples, begins)
    return np.stack((lowest, highest), axis=1).astype(np.float32) * np.float32(1 / 32768)
