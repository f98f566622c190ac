"""The picture of a sound: its log-mel spectrogram, dark to bright."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.sound import Sound
from edge import LogMel, to_mono_16k

COLUMNS = 512
"""A longer sound is pooled to so many columns."""

RANGE_DB = 70.0
"""What is so far below the loudest cell is drawn darkest."""

_RAMP = np.array(
    # Lightness rises evenly, so that the picture reads the same without its hues.
    [
        (11, 10, 26),
        (43, 20, 82),
        (92, 29, 118),
        (144, 45, 120),
        (196, 68, 99),
        (234, 109, 72),
        (250, 163, 61),
        (252, 220, 115),
        (255, 251, 224),
    ],
    np.float32,
)


def picture(sound: Sound) -> NDArray[np.uint8]:
    """(128, columns, 3) RGB, lowest band first, one column a frame up to COLUMNS.

    Raises the AudioError of a sound that cannot be judged.
    """
    log_mel = LogMel()(to_mono_16k(sound.samples, sound.sample_rate))  # (frames, 128) dB
    columns = min(COLUMNS, len(log_mel))
    begins = np.arange(columns) * len(log_mel) // columns
    pooled = np.maximum.reduceat(log_mel, begins, axis=0)  # (columns, 128)
    shade = np.clip(1.0 + (pooled - pooled.max()) / RANGE_DB, 0.0, 1.0).T * (len(_RAMP) - 1)
    below = np.minimum(shade.astype(np.intp), len(_RAMP) - 2)
    part = (shade - below)[..., None]
    return np.rint(_RAMP[below] * (1 - part) + _RAMP[below + 1] * part).astype(np.uint8)
