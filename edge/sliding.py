"""The last rows of an endless array, contiguous in a buffer of fixed size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class SlidingBuffer:
    """Keeps at least the last `keep` rows; rows are numbered from the first that was ever added.

    keep: rows that stay readable after an append.
    most: rows of the largest append.
    row: shape of one row, () for numbers.

        [ . . old rows . . | rows that are kept | new rows |  room  ]
          ^ moved to the begin when the room is used up

    A row is moved at most once for every `keep` or more rows that are added, so that adding costs
    the new rows, and nothing is allocated after the constructor.
    """

    def __init__(
        self, keep: int, most: int, row: tuple[int, ...] = (), dtype: DTypeLike = np.float32
    ) -> None:
        self._keep = keep
        self._most = most
        self._rows: NDArray[Any] = np.zeros((2 * keep + most, *row), dtype)
        self.clear()

    def clear(self) -> None:
        """Forgets every row; the next one is row 0."""
        self._first = 0  # number of the row that stands at the buffer's begin
        self._filled = 0

    @property
    def stop(self) -> int:
        """How many rows were ever added."""
        return self._first + self._filled

    @property
    def nbytes(self) -> int:
        """Bytes of the buffer; they never change."""
        return self._rows.nbytes

    def extend(self, count: int) -> NDArray[Any]:
        """Makes `count` new rows, at most `most`, and returns them to be written into."""
        if self._filled + count > len(self._rows):
            kept = min(self._keep, self._filled)
            dropped = self._filled - kept
            self._rows[:kept] = self._rows[dropped : self._filled]
            self._first += dropped
            self._filled = kept
        begin = self._filled
        self._filled += count
        return self._rows[begin : self._filled]

    def rows(self, first: int, stop: int) -> NDArray[Any]:
        """Rows [first, stop) by their numbers: a view that holds until the next `extend`."""
        return self._rows[first - self._first : stop - self._first]
