"""The gender gate in the smallest precision that leaves its decisions alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge.errors import BundleError
from edge.features import FrontEnd, relative_db
from edge.gender import Evidence, GenderGate
from edge.windows import active_span, cut_windows
from training.gender import write_arrays

_MIXTURES = ("female_", "male_")
_LAYERS = ("_weights", "_biases")
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

    def to_bytes(self) -> bytes:
        """The content of the bundle's `gender.npz`."""
        file = io.BytesIO()
        write_arrays(file, self.arrays)
        return file.getvalue()


@dataclass(frozen=True)
class GateWindows:
    """The windows of whole clips, as the gate hears them: for each clip, (frames, bands) arrays."""

    of_clips: list[list[np.ndarray]]

    @classmethod
    def cut(
        cls, log_mels: Sequence[np.ndarray], front_end: FrontEnd, hop: int, active_span_db: float
    ) -> GateWindows:
        """log_mels: (frames, bands) of whole clips, relative dB of any float type."""
        of_clips = []
        for log_mel in (np.asarray(log_mel, np.float32) for log_mel in log_mels):
            cuts = cut_windows(*active_span(log_mel, active_span_db), front_end.window_frames, hop)
            of_clips.append([relative_db(log_mel[a:b], front_end.floor_db) for a, b in cuts])
        return cls(of_clips)

    def posteriors(self, gate: GenderGate) -> tuple[np.ndarray, np.ndarray]:
        """P(female) of each clip, and of each window in the clips' order."""
        clips, windows = [], []
        for of_clip in self.of_clips:
            evidence = [gate.evidence(window) for window in of_clip]
            windows += [gate.posterior(piece) for piece in evidence]
            clips.append(gate.posterior(sum(evidence, Evidence())))
        return np.array(clips), np.array(windows)


def smallest_gate(
    arrays: dict[str, np.ndarray], heard: GateWindows, certain: float
) -> GatePrecision:
    """Tries the precisions on clips of validation speakers, the smallest first, until one holds.

    arrays: of `gender.npz`
    A precision holds when no clip and no window is given to the other gender, and the same windows
    are certain enough for one expert alone.
    """
    clips, single = heard.posteriors(GenderGate.from_arrays(arrays))
    trials = []
    for mixtures, layers in _CANDIDATES:
        stored = {name: _stored(name, array, mixtures, layers) for name, array in arrays.items()}
        try:
            gate = GenderGate.from_arrays(stored)
        except BundleError:  # a value too large, or weights whose sum is off, in so few bits
            continue
        now_clips, now_single = heard.posteriors(gate)
        moved = _decisions(now_single, certain) != _decisions(single, certain)
        changed_windows = int(moved.sum())
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
            if name.endswith(_LAYERS):
                return array.astype(layers)
    return array


def _decisions(female: np.ndarray, certain: float) -> np.ndarray:
    """0 male alone, 1 male, 2 female, 3 female alone."""
    return (female >= 0.5).astype(int) + (female >= certain) + (female > 1.0 - certain)
