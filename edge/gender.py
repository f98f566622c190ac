"""Tells a female from a male voice: Gaussian mixtures over bottleneck features of voiced frames.

    log_mel (frames, bands) ──► voiced frames ──► bottleneck ──► log-likelihood ratio ──► posterior

A frame votes when it is near the window's loudest one and its harmonics stand on a comb. It is
freed of its level, projected, joined with its neighbours and the window's mean, and squeezed into a
few coordinates by a small network that was trained to tell the genders apart (the bottleneck:
Grezl et al., "Probabilistic and bottle-neck features for LVCSR of meetings", 2007). A linear
discriminant keeps of them what tells speakers apart, and there one mixture for each gender scores
the frame. The ratios of all frames add up to the evidence of a window, a recording, a turn or a
whole visit.

Everything that was learnt or chosen lies in `gender.npz`, an archive of plain arrays.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import BundleError, SettingsError

FORMAT = 1
LOG_2_PI = math.log(2.0 * math.pi)
DECIBELS_PER_NEPER = 10.0 / math.log(10.0)  # of power


@dataclass(frozen=True)
class Evidence:
    """What some frames say of the speaker's gender; evidence of one speaker may be added up.

    log_likelihood_ratio_sum: log p(frames | female) - log p(frames | male), summed over the
        voiced frames.
    voiced_frames: how many frames voted.
    """

    log_likelihood_ratio_sum: float = 0.0
    voiced_frames: int = 0

    def __add__(self, other: Evidence) -> Evidence:
        if not isinstance(other, Evidence):
            return NotImplemented
        return Evidence(
            self.log_likelihood_ratio_sum + other.log_likelihood_ratio_sum,
            self.voiced_frames + other.voiced_frames,
        )


@dataclass(frozen=True, eq=False)
class Mixture:
    """A Gaussian mixture, as scikit-learn's `GaussianMixture` holds it.

    weights: (components,) positive, sum 1.
    means: (components, n).
    precisions_cholesky: (components, n) with diagonal covariances, the inverse standard deviations;
        (components, n, n) with full ones, upper triangular, precision = P @ P.T.
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    precisions_cholesky: NDArray[np.float64]

    def score_samples(self, x: ArrayLike) -> NDArray[np.float64]:
        """Log-likelihood of each row of x: (frames, n) -> (frames,)."""
        return score_samples(x, self.weights, self.means, self.precisions_cholesky)


@dataclass(frozen=True)
class Voicing:
    """Which frames vote.

    loudness_bands: (first, stop) of the bands whose powers add up to a frame's loudness.
    range_db: how far below the window's loudest frame a frame may lie, positive.
    pitch_hz: (lowest, highest) fundamental that the comb looks for.
    steps_per_octave: candidates for the fundamental in an octave.
    highest_harmonic_hz: bands up to here are held against the comb.
    harmonicity: least correlation of a voiced frame's spectrum with its best comb, -1 to 1.
    """

    loudness_bands: tuple[int, int] = (1, 120)
    range_db: float = 25.0
    pitch_hz: tuple[float, float] = (65.0, 470.0)
    steps_per_octave: int = 24
    highest_harmonic_hz: float = 1000.0
    harmonicity: float = 0.35


def score_samples(
    x: ArrayLike, weights: ArrayLike, means: ArrayLike, precisions_cholesky: ArrayLike
) -> NDArray[np.float64]:
    """Log-likelihood of each row under a Gaussian mixture, as `GaussianMixture.score_samples`.

    x: (frames, n); weights: (components,); means: (components, n);
    precisions_cholesky: (components, n) for diagonal, (components, n, n) for full covariances.
    Returns (frames,) float64.
    """
    x = np.asarray(x, dtype=np.float64)
    means = np.asarray(means, dtype=np.float64)
    precisions_cholesky = np.asarray(precisions_cholesky, dtype=np.float64)
    n = means.shape[1]
    if precisions_cholesky.ndim == 2:
        # deviations: (frames, components, n)
        deviations = (x[:, None, :] - means) * precisions_cholesky
        log_determinants = np.log(precisions_cholesky).sum(axis=1)  # (components,)
    else:
        # (components, frames, n) @ (components, n, n), then frames first
        deviations = ((x[None, :, :] - means[:, None, :]) @ precisions_cholesky).transpose(1, 0, 2)
        diagonals = np.diagonal(precisions_cholesky, axis1=1, axis2=2)  # (components, n)
        log_determinants = np.log(diagonals).sum(axis=1)
    log_densities = log_determinants - 0.5 * (
        n * LOG_2_PI + np.einsum("fkn,fkn->fk", deviations, deviations)
    )
    joint = log_densities + np.log(np.asarray(weights, dtype=np.float64))  # (frames, components)
    largest = joint.max(axis=1)
    scores: NDArray[np.float64] = largest + np.log(np.exp(joint - largest[:, None]).sum(axis=1))
    return scores


def loudness_db(log_mel: NDArray[np.float32], bands: tuple[int, int]) -> NDArray[np.float32]:
    """Power of each frame in the bands [first, stop).

    log_mel: (..., frames, bands) dB. Returns (..., frames) dB.
    """
    power = np.exp(log_mel[..., bands[0] : bands[1]] * np.float32(1.0 / DECIBELS_PER_NEPER))
    loudness: NDArray[np.float32] = np.float32(DECIBELS_PER_NEPER) * np.log(power.sum(axis=-1))
    return loudness


def level_free(
    log_mel: NDArray[np.float32], loudness: NDArray[np.float32], floor_db: float
) -> NDArray[np.float32]:
    """Each frame against its own loudness, floored, then brought to about -2 ... 2.

    log_mel: (..., frames, bands) dB; loudness: (..., frames) dB; floor_db: negative.
    """
    middle = np.float32(-0.5 * floor_db)
    floored = np.maximum(log_mel - loudness[..., None], np.float32(floor_db))
    free: NDArray[np.float32] = (floored + middle) / np.float32(15.0)
    return free


def pitch_combs(band_hz: NDArray[np.float64], voicing: Voicing) -> NDArray[np.float32]:
    """Unit-norm cosine combs over the low bands, one for each candidate of the fundamental.

    band_hz: (bands,) centre of each band.
    Returns (candidates, low bands). The broad shape of the spectrum (the first three cosines over
    the low bands) is taken out of each, so that only the ripple counts.
    Source: the cosine kernel of A. Camacho, J. Harris, "A sawtooth waveform inspired pitch
    estimator for speech and music", JASA 124(3), 2008, without its lobe weights.
    """
    low = band_hz[band_hz <= voicing.highest_harmonic_hz]  # (low bands,)
    lowest, highest = voicing.pitch_hz
    count = 1 + math.floor(math.log2(highest / lowest) * voicing.steps_per_octave + 1e-9)
    candidates = lowest * 2.0 ** (np.arange(count) / voicing.steps_per_octave)
    combs = np.cos(2.0 * np.pi * low / candidates[:, None])
    combs[low < 0.5 * candidates[:, None]] = 0.0
    combs -= combs @ broad_shape(len(low))
    combs /= np.linalg.norm(combs, axis=1, keepdims=True)
    return np.asarray(combs, dtype=np.float32)


def broad_shape(bands: int) -> NDArray[np.float64]:
    """Projection (bands, bands) onto the first three cosines over the bands."""
    phase = np.pi * (np.arange(bands) + 0.5) / bands
    cosines = np.cos(phase * np.arange(3)[:, None])  # (3, bands), orthogonal
    cosines /= np.linalg.norm(cosines, axis=1, keepdims=True)
    projection: NDArray[np.float64] = cosines.T @ cosines
    return projection


class VoicingDetector:
    """Finds the frames that vote."""

    def __init__(self, band_hz: ArrayLike, voicing: Voicing) -> None:
        self.voicing = voicing
        self.combs = pitch_combs(np.asarray(band_hz, dtype=np.float64), voicing)  # (c, low bands)
        self._low = self.combs.shape[1]
        self._ripple = (np.eye(self._low) - broad_shape(self._low)).astype(np.float32)

    def harmonicity(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Correlation of each frame's low bands with the best comb: (..., frames), -1 to 1."""
        products, norm = self._products(log_mel)
        correlation: NDArray[np.float32] = products.max(axis=-1) / norm
        return correlation

    def correlations(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same with every comb: (..., frames, candidates)."""
        products, norm = self._products(log_mel)
        return products / norm[..., None]

    def _products(
        self, log_mel: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        ripple = log_mel[..., : self._low] @ self._ripple  # (..., frames, low bands)
        norm = np.sqrt((ripple * ripple).sum(axis=-1)) + np.float32(1e-3)
        return ripple @ self.combs.T, norm

    def voiced(
        self, log_mel: NDArray[np.float32], loudness: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """(..., frames): near the loudest frame of its window, and harmonic."""
        loud = loudness > loudness.max(axis=-1, keepdims=True) - np.float32(self.voicing.range_db)
        voiced: NDArray[np.bool_] = loud & (
            self.harmonicity(log_mel) >= self.voicing.harmonicity
        )
        return voiced


class GenderGate:
    """Scores log-mels and turns the evidence into a posterior. Threads may share it."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        arrays = checked_arrays(arrays)
        self._voicing = VoicingDetector(
            arrays["band_hz"],
            Voicing(
                loudness_bands=_pair(arrays["loudness_bands"].astype(int)),
                range_db=float(arrays["range_db"]),
                pitch_hz=_pair(arrays["pitch_hz"].astype(float)),
                steps_per_octave=int(arrays["steps_per_octave"]),
                highest_harmonic_hz=float(arrays["highest_harmonic_hz"]),
                harmonicity=float(arrays["harmonicity"]),
            ),
        )
        self.bands = arrays["band_hz"].size
        self._floor_db = float(arrays["floor_db"])
        self._context = tuple(int(offset) for offset in arrays["context"])
        self._projection = _layer(arrays, "projection")
        self._hidden = _layer(arrays, "hidden")
        self._pooled = len(self._hidden[0]) > len(self._projection[1]) * len(self._context)
        self._bottleneck = _layer(arrays, "bottleneck")
        self._discriminant = _layer(arrays, "discriminant")
        self.female = _mixture(arrays, "female")
        self.male = _mixture(arrays, "male")
        self._ratio_limit = float(arrays["ratio_limit"])
        self._slope = float(arrays["calibration_slope"])
        self._bias = float(arrays["calibration_bias"])
        self._saturation = float(arrays["calibration_saturation"])
        self.parameters = sum(
            array.size for name, array in arrays.items() if array.dtype.kind == "f"
        )

    @classmethod
    def load(cls, file: str | PathLike[str] | BinaryIO) -> GenderGate:
        """Reads `gender.npz`; BundleError names the array that is missing, altered or unfit."""
        return cls(read_arrays(file))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> GenderGate:
        """The same from arrays by name, as `training.gender` makes them."""
        return cls(arrays)

    def features(self, log_mel: ArrayLike) -> NDArray[np.float64]:
        """What the mixtures see of the voiced frames.

        log_mel: (frames, bands) relative dB. Returns (voiced, n) float64.
        """
        log_mel = np.asarray(log_mel, dtype=np.float32)
        if log_mel.ndim != 2 or log_mel.shape[1] != self.bands or not len(log_mel):
            raise SettingsError(
                f"the gender gate needs a log-mel of (frames, {self.bands}), got {log_mel.shape}"
            )
        if not np.isfinite(log_mel).all():
            raise SettingsError("the log-mel given to the gender gate has NaN or infinite cells")
        loudness = loudness_db(log_mel, self._voicing.voicing.loudness_bands)  # (frames,)
        voiced = np.flatnonzero(self._voicing.voiced(log_mel, loudness))
        weights, biases = self._projection
        projected = level_free(log_mel, loudness, self._floor_db) @ weights + biases  # (frames, p)
        spliced = splice(projected, self._context)[voiced]  # (voiced, p * context)
        weights, biases = self._hidden
        if self._pooled and len(voiced):
            # The same for every frame, so that it is only a bias.
            biases = biases + projected[voiced].mean(axis=0) @ weights[spliced.shape[1] :]
        hidden = np.maximum(spliced @ weights[: spliced.shape[1]] + biases, np.float32(0.0))
        weights, biases = self._bottleneck
        narrow = np.maximum(hidden @ weights + biases, np.float32(0.0))  # (voiced, bottleneck)
        weights, biases = self._discriminant
        return np.asarray(narrow @ weights + biases, dtype=np.float64)

    def evidence(self, log_mel: ArrayLike) -> Evidence:
        """What one window says.

        log_mel: (frames, bands) relative decibels, 0 at the loudest cell. SettingsError for another
        shape or for cells that are no numbers. A window without voice is evidence of nothing.
        """
        features = self.features(log_mel)
        if not len(features):
            return Evidence()
        ratios = self.female.score_samples(features) - self.male.score_samples(features)
        return Evidence(
            float(np.clip(ratios, -self._ratio_limit, self._ratio_limit).sum()), len(features)
        )

    def posterior(self, evidence: Evidence) -> float:
        """P(female | evidence), calibrated, at equal priors; 0.5 when no frame was voiced.

        Frames of one speaker are not independent: with r the mean ratio of n frames, log odds =
        slope (r - bias) n / (n + saturation), which is the log-likelihood ratio of r when its
        variance is one part of the speaker's own plus one that falls with n.
        """
        n = evidence.voiced_frames
        log_odds = (
            self._slope
            * (evidence.log_likelihood_ratio_sum - self._bias * n)
            / (n + self._saturation)
        )
        return 1.0 / (1.0 + math.exp(-max(-500.0, min(500.0, log_odds))))


def splice(x: NDArray[Any], context: tuple[int, ...]) -> NDArray[Any]:
    """Joins each frame with its neighbours: (..., frames, n) -> (..., frames, n * len(context)).

    context: offsets in frames; beyond the ends the first and the last frame repeat.
    """
    frames = x.shape[-2]
    order = np.arange(frames)
    neighbours = [x[..., np.clip(order + offset, 0, frames - 1), :] for offset in context]
    return np.concatenate(neighbours, axis=-1)


_LAYERS = ("projection", "hidden", "bottleneck", "discriminant")
_SCALARS = (
    "floor_db",
    "range_db",
    "steps_per_octave",
    "highest_harmonic_hz",
    "harmonicity",
    "ratio_limit",
    "calibration_slope",
    "calibration_bias",
    "calibration_saturation",
)
ARRAYS = (
    "format",
    "band_hz",
    "loudness_bands",
    "pitch_hz",
    "context",
    *_SCALARS,
    *(f"{layer}_{part}" for layer in _LAYERS for part in ("weights", "biases")),
    *(
        f"{gender}_{part}"
        for gender in ("female", "male")
        for part in ("weights", "means", "precisions_cholesky")
    ),
)
"""Every array of `gender.npz`, but `training`: how it was made, JSON, never needed here."""


def read_arrays(
    file: str | PathLike[str] | BinaryIO,
    names: Iterable[str] = ARRAYS,
    what: str = "the gender model",
) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz`, without pickle; BundleError when it is no whole archive of them.

    names: those that are read, if they are there; what: the archive is, for the message
    """
    name = getattr(file, "name", file)
    try:
        with zipfile.ZipFile(file) as archive:
            found = set(archive.namelist())
            return {
                key: _read_array(archive.read(f"{key}.npy"))
                for key in names
                if f"{key}.npy" in found
            }
    # What zipfile and numpy raise at altered bytes; NotImplementedError is a RuntimeError.
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{what} {name} cannot be read: {error}") from error


def _read_array(content: bytes) -> NDArray[Any]:
    # The whole member was read first, so that its checksum is verified before anything is parsed.
    read_array: Callable[..., NDArray[Any]] = np.lib.format.read_array
    return read_array(io.BytesIO(content), allow_pickle=False)


def checked_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays, each there, of finite numbers, its shape fitting the others; or BundleError."""
    checked = {}
    for name in ARRAYS:
        if name not in arrays:
            raise _bad(name, "is missing")
        array = np.asarray(arrays[name])
        if array.dtype.kind not in "fiu":
            raise _bad(name, f"holds {array.dtype}, not numbers")
        if not np.isfinite(array).all():
            raise _bad(name, "has NaN or infinite values")
        checked[name] = array

    def shape(name: str, *wanted: int | None) -> None:
        got = checked[name].shape
        fits = len(got) == len(wanted) and all(w in (None, g) for g, w in zip(got, wanted))
        if not fits or 0 in got:
            text = ", ".join("any" if w is None else str(w) for w in wanted)
            raise _bad(name, f"has shape {got}, where ({text}) is needed")

    def require(name: str, holds: object, what: str) -> None:
        if not holds:
            raise _bad(name, f"must be {what}")

    shape("format")
    if checked["format"] != FORMAT:
        raise _bad("format", f"is {checked['format']}, and this version of edge reads {FORMAT}")
    for name in _SCALARS:
        shape(name)
    shape("band_hz", None)
    bands = checked["band_hz"].size
    shape("loudness_bands", 2)
    shape("pitch_hz", 2)
    shape("context", None)
    shape("projection_weights", bands, None)
    width = checked["projection_weights"].shape[1]
    shape("projection_biases", width)
    # With one row of the projection's width more, the mean over the voiced frames is joined too.
    shape("hidden_weights", None, None)
    spliced = width * checked["context"].size
    pooled = checked["hidden_weights"].shape[0] > spliced
    shape("hidden_weights", spliced + width if pooled else spliced, None)
    width = checked["hidden_weights"].shape[1]
    shape("hidden_biases", width)
    shape("bottleneck_weights", width, None)
    width = checked["bottleneck_weights"].shape[1]
    shape("bottleneck_biases", width)
    shape("discriminant_weights", width, None)
    n = checked["discriminant_weights"].shape[1]
    shape("discriminant_biases", n)

    first, stop = (int(b) for b in checked["loudness_bands"])
    require("loudness_bands", 0 <= first < stop <= bands, f"two rising bands of {bands}")
    lowest, highest = (float(f) for f in checked["pitch_hz"])
    require("pitch_hz", 0 < lowest < highest < 2000, "two rising frequencies, in hertz")
    require("band_hz", bool((np.diff(checked["band_hz"]) > 0).all()), "rising")
    top = float(checked["highest_harmonic_hz"])
    require(
        "highest_harmonic_hz",
        int((checked["band_hz"] <= top).sum()) >= 8 and top >= 2 * highest,
        "above eight bands and two harmonics of the highest pitch",
    )
    require("steps_per_octave", 1 <= checked["steps_per_octave"] <= 1000, "1 to 1000")
    farthest = int(np.abs(checked["context"]).max())
    require("context", farthest <= 1000, "offsets of at most 1000 frames")
    require("floor_db", checked["floor_db"] < 0, "negative")
    for name in ("range_db", "ratio_limit", "calibration_slope"):
        require(name, checked[name] > 0, "positive")
    require("calibration_saturation", checked["calibration_saturation"] >= 1e-3, "at least 0.001")
    require("harmonicity", -1 <= checked["harmonicity"] <= 1, "-1 to 1")

    for gender in ("female", "male"):
        _check_mixture(checked, gender, n, shape, require)
    return checked


def _check_mixture(
    checked: Mapping[str, NDArray[Any]],
    gender: str,
    n: int,
    shape: Callable[..., None],
    require: Callable[[str, bool, str], None],
) -> None:
    weights, means, cholesky = (
        f"{gender}_{part}" for part in ("weights", "means", "precisions_cholesky")
    )
    shape(weights, None)
    components = checked[weights].size
    require(weights, bool((checked[weights] > 0).all()), "positive")
    require(weights, abs(float(checked[weights].sum(dtype=np.float64)) - 1) < 1e-3, "of sum 1")
    shape(means, components, n)
    if checked[cholesky].ndim == 3:
        shape(cholesky, components, n, n)
        diagonals = np.diagonal(checked[cholesky], axis1=1, axis2=2)
        require(cholesky, not np.tril(checked[cholesky], -1).any(), "upper triangular")
    else:
        shape(cholesky, components, n)
        diagonals = checked[cholesky]
    require(cholesky, bool((diagonals > 0).all()), "positive on the diagonal")


def _bad(name: str, why: str) -> BundleError:
    return BundleError(
        f"the gender model's array {name!r} {why}; take the bundle from its source again"
    )


def _pair(array: NDArray[Any]) -> tuple[Any, Any]:
    first, second = array.tolist()
    return first, second


def _layer(
    arrays: Mapping[str, NDArray[Any]], name: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return (
        np.ascontiguousarray(arrays[f"{name}_weights"], dtype=np.float32),
        np.ascontiguousarray(arrays[f"{name}_biases"], dtype=np.float32),
    )


def _mixture(arrays: Mapping[str, NDArray[Any]], gender: str) -> Mixture:
    return Mixture(
        *(
            np.ascontiguousarray(arrays[f"{gender}_{part}"], dtype=np.float64)
            for part in ("weights", "means", "precisions_cholesky")
        )
    )
