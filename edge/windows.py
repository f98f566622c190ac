"""Cuts a recording's log-mel into the windows on which one decision is made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError
from edge.features import active_frames


def active_span(log_mel: NDArray[np.float32], threshold_db: float) -> tuple[int, int]:
    """The frames between the first and the last sound that matters.

    log_mel: (frames, bands) decibels, absolute or relative, at least one frame.
    threshold_db: a frame is active when its loudest cell is above this many decibels relative to
        the recording's loudest cell; negative, so that the loudest frame is always active.

    Returns (start, stop) in frames, stop exclusive; never empty.
    """
    if not threshold_db < 0.0:
        raise SettingsError(f"threshold_db must be below 0, got {threshold_db!r}")
    loudness = log_mel.max(axis=1, keepdims=True)  # (frames, 1)
    return active_frames(loudness - loudness.max(), threshold_db)


def cut_windows(start: int, stop: int, length: int, hop: int) -> list[tuple[int, int]]:
    """Cuts the frames [start, stop) into windows of `length` frames that begin `hop` apart.

    The last window is aligned to the end of the span, so that every frame is in some window and
    no window but that of a span shorter than `length` is short.

    Returns (start, stop) of each window in frames, stop exclusive, in time order.

    >>> cut_windows(10, 400, length=188, hop=94)
    [(10, 198), (104, 292), (198, 386), (212, 400)]
    """
    if start >= stop:
        raise SettingsError(f"a span needs at least one frame, got [{start}, {stop})")
    if not 1 <= hop <= length:
        raise SettingsError(f"hop must be 1 to {length} (the window's length), got {hop}")
    if stop - start <= length:
        return [(start, stop)]
    last = stop - length
    return [(first, first + length) for first in (*range(start, last, hop), last)]
