"""Fits what judges emotions by the statistics of a window (`edge.prosody`): linear discriminants.

Each emotion of the corpus is a class; the classes share the covariance of the windows within them
(Fisher 1936), drawn towards the identity. What few speakers cannot tell, other corpora tell: how
voices differ within an emotion, and where the emotions lie beside each other. The more speakers the
corpus has, the less they are asked.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.features import FrontEnd
from edge.labels import LABELS
from edge.prosody import ARRAYS, FORMAT, Prosody, ProsodyStatistics
from edge.windows import active_span, cut_windows
from training.corpora import CorpusError
from training.emotion import WINDOW_HOP, Material
from training.temperature import best_number

_TRIM_DB = -50.0
SPREAD = (9.8, 2.7, 2.5, 1.8, 1.7, 1.3, 1.1, 1.0, 0.46)
"""Usual deviations of c0 to c7 and of the pitch within a window, of CREMA-D's training speakers."""


@dataclass(frozen=True)
class ProsodySettings:
    """How the statistics are weighed; chosen on speakers of CREMA-D and RAVDESS."""

    weight: float = 0.35       # of the log-probabilities of many speakers' judge; 0 for none
    shrinkage: float = 0.4     # of the covariance within classes, towards the identity
    # How many speakers the other corpora are worth: of the covariance, of the classes' places, and
    # without any word in it in the weight.
    covariance_speakers: float = 3.0
    place_speakers: float = 2.0
    doubt_speakers: float = 2.0


class ProsodyRows:
    """The statistics of clips' windows, each made once."""

    def __init__(self) -> None:
        self._statistics = ProsodyStatistics(FrontEnd(), np.array(SPREAD))
        self._made: dict[tuple[str, str], np.ndarray] = {}

    def of(self, material: Material) -> tuple[np.ndarray, np.ndarray]:
        """(windows, SIZE) of all clips in their order, and (windows,) the clip of each."""
        rows = []
        for clip, log_mel in zip(material.clips, material.log_mels):
            key = (clip.corpus, clip.name)
            if key not in self._made:
                windows = prosody_windows(log_mel)
                self._made[key] = np.stack([self._statistics(window) for window in windows])
            rows.append(self._made[key])
        owners = np.repeat(np.arange(len(rows)), [len(of_clip) for of_clip in rows])
        return np.concatenate(rows), owners


def prosody_windows(log_mel: np.ndarray) -> list[np.ndarray]:
    """The windows of a clip, (frames, bands) float32 each, cut as in use."""
    log_mel = log_mel.astype(np.float32)
    length = FrontEnd().window_frames
    span = active_span(log_mel, _TRIM_DB)
    return [log_mel[begin:end] for begin, end in cut_windows(*span, length, WINDOW_HOP)]


def fit_prosody(
    own: Material, others: Material, settings: ProsodySettings, made: ProsodyRows | None = None
) -> dict[str, np.ndarray]:
    """The content of `prosody.npz`, of temperature 1.

    own: clips of the corpus whose emotions are to be judged; others: of other corpora, may be none.
    CorpusError when `own` has less than two emotions.
    """
    made = made or ProsodyRows()
    rows, owners = made.of(own)
    shares = 1.0 / np.bincount(owners)[owners]  # each clip counts as one
    centre = np.average(rows, axis=0, weights=shares)
    places, within = _classes(rows - centre, own.labels[owners], shares)
    if len(places) < 2:
        raise CorpusError("a judge of prosody needs clips of two emotions at least")
    speakers = len({clip.speaker for clip in own.clips})
    if len(others):
        elsewhere, scatter = _of_corpora(others, made)
        trust = speakers / (speakers + settings.covariance_speakers)
        within = trust * within + (1.0 - trust) * scatter
        places = _drawn(places, elsewhere, speakers / (speakers + settings.place_speakers))
    deviation = np.sqrt(np.maximum(np.diag(within), 1e-12))
    within = within / np.outer(deviation, deviation)
    within = (1.0 - settings.shrinkage) * within + settings.shrinkage * np.eye(len(within))
    standard = np.array(list(places.values())) / deviation  # (classes, statistics)
    weights = np.linalg.solve(within, standard.T)
    return {
        "format": np.array(FORMAT),
        "spread": np.array(SPREAD, np.float32),
        "centre": centre.astype(np.float32),
        "scale": (1.0 / deviation).astype(np.float32),
        "weights": weights.astype(np.float32),
        "offsets": (-0.5 * (standard.T * weights).sum(axis=0)).astype(np.float32),
        "emotions": np.array(list(places), np.int8),
        "weight": np.array(
            settings.weight * speakers / (speakers + settings.doubt_speakers), np.float32
        ),
        "temperature": np.array(1.0, np.float32),
    }


def _classes(
    rows: np.ndarray, labels: np.ndarray, shares: np.ndarray
) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """The mean of each label's rows, and the mean covariance about them."""
    places, within = {}, np.zeros((rows.shape[1], rows.shape[1]))
    for label in range(len(LABELS)):
        here = labels == label
        if here.any():
            places[label] = np.average(rows[here], axis=0, weights=shares[here])
            centred = (rows[here] - places[label]) * np.sqrt(shares[here])[:, None]
            within += centred.T @ centred
    return places, within / shares.sum()


def _of_corpora(
    material: Material, made: ProsodyRows
) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Where each label lies in the corpora that have it, from their middles, and the covariance.

    Each corpus counts as much as the others.
    """
    offsets: dict[int, list[np.ndarray]] = {}
    scatters = []
    for corpus in np.unique(material.corpora):
        kept = np.flatnonzero(material.corpora == corpus)
        here = Material([material.clips[k] for k in kept], [material.log_mels[k] for k in kept])
        rows, owners = made.of(here)
        places, scatter = _classes(rows, here.labels[owners], 1.0 / np.bincount(owners)[owners])
        middle = np.mean(list(places.values()), axis=0)
        for label, place in places.items():
            offsets.setdefault(label, []).append(place - middle)
        scatters.append(scatter)
    means = {label: np.mean(values, axis=0) for label, values in offsets.items()}
    return means, np.mean(scatters, axis=0)


def _drawn(
    places: Mapping[int, np.ndarray], elsewhere: Mapping[int, np.ndarray], trust: float
) -> dict[int, np.ndarray]:
    """The places, `1 - trust` of them where they would lie if this corpus were as the others."""
    shared = [label for label in places if label in elsewhere]
    if not shared:
        return dict(places)
    middle = np.mean([places[label] - elsewhere[label] for label in shared], axis=0)
    return {
        label: trust * place + (1.0 - trust) * (middle + elsewhere[label])
        if label in elsewhere else place
        for label, place in places.items()
    }


def judged_windows(prosody: Prosody, material: Material) -> np.ndarray:
    """(windows, 8) logarithms of probabilities, of the windows of all clips in their order."""
    windows = [window for log_mel in material.log_mels for window in prosody_windows(log_mel)]
    return prosody.judge(np.stack([prosody.statistics(window) for window in windows]))


def joint_temperature(
    prosody: Prosody, shares: np.ndarray, judged: np.ndarray, truth: np.ndarray
) -> float:
    """What makes the true labels likeliest, when experts and prosody are heard together.

    shares: (windows, 8) probabilities of the experts; judged: (windows, 8), see `judged_windows`;
    truth: (windows,) the labels' numbers
    """
    both = np.log(np.maximum(shares, 1e-9)) + prosody.weight * judged

    def loss(log_temperature: float) -> float:
        scaled = both / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        normal = np.log(np.exp(scaled).sum(axis=1))
        return float((normal - scaled[np.arange(len(truth)), truth]).mean())

    return best_number(loss)


def write_prosody(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """An .npz whose bytes depend on the arrays alone: no time stamps, a fixed order, stored."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in ARRAYS:
            content = io.BytesIO()
            np.lib.format.write_array(content, arrays[name], version=(1, 0), allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), content.getvalue()
            )
