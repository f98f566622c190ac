"""A recorded sound, and its WAV file."""

from __future__ import annotations

import os
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sound:
    """One channel of 16-bit samples."""

    samples: NDArray[np.int16]
    """(n,)"""
    sample_rate: int
    """Hertz."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate

    def since(self, seconds: float) -> Sound:
        """The rest of it from that moment on."""
        return Sound(self.samples[max(0, round(seconds * self.sample_rate)) :], self.sample_rate)


def write_wav(path: Path, sound: Sound) -> None:
    """Writes a WAV file, whole or not at all. Raises OSError, as when the disk is full."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with open(unfinished, "wb") as file:
            with wave.open(file, "wb") as wav:
                wav.setnchannels(1)
                wav.setsampwidth(2)
                wav.setframerate(sound.sample_rate)
                wav.writeframes(np.ascontiguousarray(sound.samples, dtype="<i2").data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_wav(path: Path) -> Sound:
    """Reads what `write_wav` wrote. Raises OSError, or wave.Error for another file."""
    with wave.open(str(path), "rb") as wav:
        if wav.getnchannels() != 1 or wav.getsampwidth() != 2:
            raise wave.Error(f"{path.name} is no recording of this app")
        samples = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
        return Sound(samples.astype(np.int16, copy=False), wav.getframerate())
