"""Measures the recogniser on this device."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import edge

SECONDS = 3.0
"""One decision is made on so much sound."""

RUNS = 15


@dataclass(frozen=True)
class Benchmark:
    """Seconds, medians over the runs."""

    device: str
    first: float
    """The first decision, with cold caches."""
    decision: float
    features: float
    """Of it, the log-mel."""
    gender: float
    emotion: float
    runs: int

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for each second of sound."""
        return self.decision / SECONDS

    def line(self, first_frame: float | None = None) -> str:
        """To be shared; the same in every language, so that lines can be compared."""
        parts = [
            f"Edge SER {edge.__version__} on {self.device}",
            f"{SECONDS:g} s of sound decided in {1000 * self.decision:.1f} ms"
            f" (log-mel {1000 * self.features:.1f}, gender {1000 * self.gender:.1f},"
            f" emotion {1000 * self.emotion:.1f}; median of {self.runs})",
            f"real-time factor {self.real_time_factor:.4f}",
        ]
        if first_frame is not None:
            parts.append(f"first frame after {first_frame:.2f} s")
        return "; ".join(parts)


def run_benchmark(recognizer: edge.Recognizer, device: str, runs: int = RUNS) -> Benchmark:
    """Decides so many times on a voice-like sound; takes about a second on a phone."""
    sound = _voice_like()
    begin = time.perf_counter()
    recognizer.predict(sound, 16000)
    first = time.perf_counter() - begin
    timings = [recognizer.predict(sound, 16000).timings for _ in range(runs)]

    def median(stage: str) -> float:
        return statistics.median(timing[stage] for timing in timings)

    return Benchmark(
        device,
        first,
        median("total"),
        median("resample") + median("log_mel"),
        median("gender"),
        median("emotion"),
        runs,
    )


def _voice_like() -> NDArray[np.float32]:
    """(48000,) harmonics of a gliding pitch in syllables, with a little noise."""
    rate = 16000
    moment = np.arange(round(SECONDS * rate)) / rate
    phase = 2 * np.pi * np.cumsum(140.0 + 40.0 * np.sin(2 * np.pi * 0.7 * moment)) / rate
    voice = np.sum([np.sin(n * phase) / n for n in range(1, 20)], axis=0)
    voice *= np.maximum(0.0, np.sin(2 * np.pi * 2.0 * moment))
    voice += 0.01 * np.random.default_rng(0).standard_normal(len(moment))
    return (0.3 * voice / np.abs(voice).max()).astype(np.float32)
