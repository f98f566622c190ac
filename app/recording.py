"""A recorded sound with what the screen draws of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.envelope import whole_envelope
from app.sound import Sound
from app.spectrogram import picture

OUTLINE_COLUMNS = 360


@dataclass(frozen=True)
class Recording:
    """Made where the screen does not wait for it."""

    sound: Sound
    outline: NDArray[np.float32]
    """See `app.envelope`."""
    picture: NDArray[np.uint8]
    """The spectrogram; see `app.spectrogram`."""

    @classmethod
    def of(cls, sound: Sound) -> Recording:
        """Raises the AudioError of a sound that cannot be judged."""
        return cls(sound, whole_envelope(sound.samples, OUTLINE_COLUMNS), picture(sound))
