"""The arrays of gender.npz, and its bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.features import FrontEnd
from edge.gender import ARRAYS, FORMAT
from training.acoustics import band_centres
from training.archive import write_archive
from training.gender.settings import GateSettings


def frame_arrays(
    settings: GateSettings, front_end: FrontEnd, layers: dict[str, np.ndarray]
) -> dict:
    """The part of gender.npz that makes features."""
    v = settings.voicing
    return {
        "format": np.array(FORMAT),
        "band_hz": band_centres(front_end).astype(np.float32),
        "loudness_bands": np.array(v.loudness_bands),
        "range_db": np.array(v.range_db),
        "pitch_hz": np.array(v.pitch_hz),
        "steps_per_octave": np.array(v.steps_per_octave),
        "highest_harmonic_hz": np.array(v.highest_harmonic_hz),
        "harmonicity": np.array(v.harmonicity),
        "floor_db": np.array(settings.floor_db),
        "context": np.array(settings.context),
        **layers,
    }


def with_mixtures(
    frames: dict, mixtures: dict, settings: GateSettings, calibration=(1.0, 0.0, 1.0)
) -> dict:
    """All arrays of gender.npz: of `frame_arrays`, the mixtures, the calibration."""
    arrays = dict(frames)
    for gender, mixture in mixtures.items():
        for part in ("weights", "means"):
            arrays[f"{gender}_{part}"] = getattr(mixture, f"{part}_").astype(np.float32)
        cholesky = mixture.precisions_cholesky_
        if cholesky.ndim == 3:
            cholesky = np.triu(cholesky)
        arrays[f"{gender}_precisions_cholesky"] = cholesky.astype(np.float32)
    arrays["ratio_limit"] = np.array(settings.ratio_limit)
    for name, value in zip(("slope", "bias", "saturation"), calibration):
        arrays[f"calibration_{name}"] = np.array(float(value))
    return arrays


def write_arrays(path: Path | str, arrays: dict[str, np.ndarray]) -> None:
    """Writes gender.npz; equal arrays give equal bytes."""
    write_archive(path, arrays, ARRAYS)
