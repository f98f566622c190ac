"""What waits between the thread that records and the one that recognises."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.recorders.errors import RecorderError

Chunk = NDArray[np.int16]


class SoundQueue:
    """The chunks of one recording, in order; iterating takes them, and waits for more.

    capacity: samples that may wait for a reader that is late. What comes beyond it is dropped, and
    counted: a recording thread never waits, or the system would drop sound uncounted.

    The iteration ends after `end`, when what had arrived is read; with the error given to `end`,
    if there was one. Several threads may put, and several read: each chunk goes to one of them.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._changed = threading.Condition()
        self._chunks: deque[Chunk] = deque()
        self._waiting = 0  # samples
        self._ended = False
        self._error: RecorderError | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Chunks lost since nobody read them."""
        return self._dropped

    @property
    def ended(self) -> bool:
        """Whether nothing more will arrive."""
        return self._ended

    def put(self, chunk: Chunk) -> bool:
        """Adds (n,) int16 and keeps it as it is, without a copy; False if it had to be dropped."""
        with self._changed:
            if self._ended:
                return False
            if self._waiting + len(chunk) > self._capacity:
                self._dropped += 1
                return False
            self._append(chunk)
            return True

    def put_when_read(self, chunk: Chunk) -> bool:
        """Adds a chunk once all before it are taken, waiting; False if the queue ended first."""
        if not self.wait_until_read():
            return False
        with self._changed:
            self._append(chunk)
        return True

    def wait_until_read(self) -> bool:
        """Waits until everything is taken; False if the queue ended first."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or not self._chunks)
            return not self._ended

    def end(self, error: RecorderError | None = None) -> None:
        """Nothing more comes; `error` tells readers why, and the first one holds."""
        with self._changed:
            if not self._ended:
                self._ended = True
                self._error = error
                self._changed.notify_all()

    def __iter__(self) -> Iterator[Chunk]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._chunks or self._ended)
                if not self._chunks:
                    if self._error is not None:
                        raise self._error
                    return
                chunk = self._chunks.popleft()
                self._waiting -= len(chunk)
                self._changed.notify_all()
            yield chunk

    def _append(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._waiting += len(chunk)
        self._changed.notify_all()
