"""The gender gate in the smallest precision that leaves its decisions alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import BundleError
from edge.features import relative_db
from edge.gender import Evidence, GenderGate
from edge.windows import active_span, cut_windows
from training.gender import write_arrays

_MIXTURES = ("female_", "male_")
_LAYERS = ("projection_", "hidden_", "bottleneck_")
# Smallest first. The settings, a few numbers, stay as they are.
_CANDIDATES = (
    ("float16", "float16"),
    ("float16", "float32"),
    ("float32", "float16"),
    ("float32", "float32"),
    ("float64", "float64"),
)


@dataclass(frozen=True)
class GateTrial:
    """One precision, held against the gate as it was trained."""

    mixtures: str
    layers: str
    bytes: int                  # of the arrays
    changed_windows: int        # whose likelier gender is another, or whether one expert suffices
    changed_clips: int
    largest_change: float       # of a clip's posterior
    holds: bool


@dataclass(frozen=True)
class GatePrecision:
    """The arrays to ship and the trials that led to them."""

    arrays: dict[str, np.ndarray]
    trials: tuple[GateTrial, ...]
    clips: int
    windows: int

    @property
    def chosen(self) -> GateTrial:
        return self.trials[-1]

    def to_dict(self) -> dict[str, Any]:
        return {
            "mixtures": self.chosen.mixtures,
            "layers": self.chosen.layers,
            "bytes": self.chosen.bytes,
            "clips": self.clips,
            "windows": self.windows,
            "trials": [asdict(trial) for trial in self.trials],
        }

    def write(self, path: Path) -> None:
        write_arrays(path, self.arrays)


def smallest_gate(
    arrays: dict[str, np.ndarray],
    log_mels: Sequence[np.ndarray],
    *,
    floor_db: float,
    window_frames: int,
    window_hop_frames: int,
    active_span_db: float,
    certain: float,
) -> GatePrecision:
    """Tries the precisions on clips of validation speakers, the smallest first, until one holds.

    arrays: of `gender.npz`; log_mels: (frames, bands) of whole clips
    A precision holds when no clip and no window is given to the other gender, and the same windows
    are certain enough for one expert alone.
    """
    windows = [
        [relative_db(log_mel[a:b], floor_db) for a, b in
         cut_windows(*active_span(log_mel, active_span_db), window_frames, window_hop_frames)]
        for log_mel in (np.asarray(log_mel, np.float32) for log_mel in log_mels)
    ]
    clips, single = _posteriors(GenderGate.from_arrays(arrays), windows)
    trials = []
    for mixtures, layers in _CANDIDATES:
        stored = {name: _stored(name, array, mixtures, layers) for name, array in arrays.items()}
        try:
            gate = GenderGate.from_arrays(stored)
        except BundleError:  # a value too large, or weights whose sum is off, in so few bits
            continue
        now_clips, now_single = _posteriors(gate, windows)
        changed_windows = int((_decisions(now_single, certain) != _decisions(single, certain)).sum())
        changed_clips = int(((now_clips >= 0.5) != (clips >= 0.5)).sum())
        holds = not changed_windows and not changed_clips
        size = sum(array.nbytes for array in stored.values())
        largest = float(np.abs(now_clips - clips).max()) if len(clips) else 0.0
        trials.append(
            GateTrial(mixtures, layers, size, changed_windows, changed_clips, largest, holds)
        )
        if holds:
            break
    return GatePrecision(stored, tuple(trials), len(clips), len(single))


def _stored(name: str, array: np.ndarray, mixtures: str, layers: str) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind == "f" and array.ndim:
        with np.errstate(over="ignore"):  # what becomes infinite is refused by the gate
            if name.startswith(_MIXTURES):
                return array.astype(mixtures)
            if name.startswith(_LAYERS):
                return array.astype(layers)
    return array


def _posteriors(
    gate: GenderGate, windows: Sequence[Sequence[np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """P(female) of each clip and of each window."""
    clips, single = [], []
    for of_clip in windows:
        evidence = [gate.evidence(window) for window in of_clip]
        single += [gate.posterior(piece) for piece in evidence]
        clips.append(gate.posterior(sum(evidence, Evidence())))
    return np.array(clips), np.array(single)


def _decisions(female: np.ndarray, certain: float) -> np.ndarray:
    """0 male alone, 1 male, 2 female, 3 female alone."""
    return (female >= 0.5).astype(int) + (female >= certain) + (female > 1.0 - certain)
