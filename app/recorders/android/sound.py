"""From `AudioRecord.read` to numpy, with the fewest copies.

Per chunk of 50 ms, `DirectSound` copies its samples once, out of the buffer that Java fills again.
`CopiedSound` serves where that buffer's memory cannot be found: pyjnius copies the array to Java
and back, byte by byte. `python -m benchmarks.android_sound` times both; docs/recorders.md has it.
"""

from __future__ import annotations

from typing import Any, Union

import numpy as np

from app.recorders.android.direct_buffer import DirectBuffer, NoDirectBuffer
from app.recorders.sound_queue import Chunk

BYTES_PER_SAMPLE = 2


class DirectSound:
    """Reads into memory that numpy sees. Raises NoDirectBuffer where there is none.

    length: samples of a chunk, at most.
    """

    def __init__(self, length: int) -> None:
        self._size = length * BYTES_PER_SAMPLE
        self._buffer = DirectBuffer(self._size)

    def read(self, record: Any) -> int:
        """Waits for sound of an AudioRecord; how many bytes came, or its error code."""
        return record.read(self._buffer.java, self._size)

    def taken(self, count: int) -> Chunk:
        """The so many bytes that were read last, (n,) int16 of the caller's own."""
        return self._buffer.samples[: count // BYTES_PER_SAMPLE].copy()


class CopiedSound:
    """Reads into a byte array that pyjnius copies to and from Java."""

    def __init__(self, length: int) -> None:
        self._bytes = bytearray(length * BYTES_PER_SAMPLE)

    def read(self, record: Any) -> int:
        """As DirectSound.read."""
        return record.read(self._bytes, 0, len(self._bytes))

    def taken(self, count: int) -> Chunk:
        """As DirectSound.taken."""
        return np.frombuffer(self._bytes, np.int16, count // BYTES_PER_SAMPLE).copy()


Sound = Union[DirectSound, CopiedSound]


def best_sound(length: int) -> Sound:
    """Direct if it can be had."""
    try:
        return DirectSound(length)
    except NoDirectBuffer:
        return CopiedSound(length)
