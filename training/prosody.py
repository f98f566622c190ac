"""Fits what judges emotions by the statistics of a window (`edge.prosody`): linear discriminants.

Each emotion of the corpus is a class; the classes share the covariance of the windows within them
(Fisher 1936), drawn towards the identity. What few speakers cannot tell, other corpora tell: how
voices differ within an emotion, and where emotions lie beside each other. The more speakers the
corpus has, the less the others are asked.

    python -m training prosody --corpora CORPORA --run runs/NAME

fits the judge of the released models, which is to know no corpus: a class is an emotion, seen from
the middle of its corpus, and what differs between corpora counts as what tells nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from edge.features import FrontEnd
from edge.labels import GENDERS, LABELS
from edge.prosody import ARRAYS, FORMAT, Prosody, ProsodyStatistics
from edge.windows import active_span, cut_windows
from training.acoustics import Acoustics, AcousticSettings
from training.archive import write_archive
from training.cache import FeatureCache
from training.clip_windows import ClipWindows
from training.corpora import Clip, CorpusError, read_corpora
from training.emotion import WINDOW_HOP, Material, environment
from training.metrics import confusion_matrix, unweighted_average_recall
from training.protocol import RELEASE, Protocol
from training.run import Run
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


@dataclass(frozen=True)
class SharedSettings:
    """Of the judge that is to know no corpus; chosen on validation speakers."""

    weight: float = 0.3        # of the log-probabilities, beside the experts'
    shrinkage: float = 0.4     # of the covariance within classes, towards the identity
    spoilt_copies: int = 5     # of each clip, in bad acoustics
    acoustics: AcousticSettings = AcousticSettings(
        noise_share=0.8, noise_snr_db=(3.0, 30.0), hiss_slope=(-3.5, 1.5)
    )
    corpora: dict[str, float] = field(  # how much each says; TESS has two speakers, SAVEE four
        default_factory=lambda: {"savee": 0.5, "tess": 0.3}
    )


class ProsodyRows:
    """The statistics of clips' windows, each made once.

    acoustics: spoils so many `copies` of each clip, whose windows come behind its own
    """

    def __init__(self, acoustics: Acoustics | None = None, copies: int = 0) -> None:
        self._statistics = ProsodyStatistics(FrontEnd(), np.array(SPREAD))
        self._acoustics = acoustics
        self._copies = copies if acoustics else 0
        self._made: dict[tuple[str, str], np.ndarray] = {}

    def of(self, material: Material) -> tuple[np.ndarray, np.ndarray]:
        """(windows, SIZE) of all clips in their order, and (windows,) the clip of each."""
        rows = []
        for clip, log_mel in zip(material.clips, material.log_mels):
            key = (clip.corpus, clip.name)
            if key not in self._made:
                self._made[key] = self._of_clip(clip, log_mel.astype(np.float32))
            rows.append(self._made[key])
        owners = np.repeat(np.arange(len(rows)), [len(of_clip) for of_clip in rows])
        return np.concatenate(rows), owners

    def _of_clip(self, clip: Clip, log_mel: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(zlib.crc32(f"{clip.corpus} {clip.name}".encode()))
        heard = [log_mel]
        if self._acoustics is not None:
            heard += [self._acoustics.spoilt(log_mel, rng) for _ in range(self._copies)]
        return np.stack([
            self._statistics(window) for each in heard for window in prosody_windows(each)
        ])


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
    weight = settings.weight * speakers / (speakers + settings.doubt_speakers)
    return _discriminants(centre, places, within, settings.shrinkage, weight)


def fit_shared_prosody(
    material: Material, settings: SharedSettings, made: ProsodyRows | None = None
) -> dict[str, np.ndarray]:
    """The content of `prosody.npz`, of temperature 1, of a judge that is to know no corpus.

    made: the statistics, with spoilt copies; made as the settings say when None.
    CorpusError when there are less than two emotions.
    """
    if made is None:
        acoustics = Acoustics(settings.acoustics, FrontEnd(), material.log_mels)
        made = ProsodyRows(acoustics, settings.spoilt_copies)
    weights, middles, offsets, scatters = [], [], [], []
    for corpus in np.unique(material.corpora):
        kept = np.flatnonzero(material.corpora == corpus)
        rows, owners = made.of(_some(material, kept))
        labels = material.labels[kept][owners]
        places, scatter = _classes(rows, labels, 1.0 / np.bincount(owners)[owners])
        middle = np.mean(list(places.values()), axis=0)
        weights.append(settings.corpora.get(str(corpus), 1.0))
        middles.append(middle)
        offsets.append({label: place - middle for label, place in places.items()})
        scatters.append(scatter)
    labels = sorted(set().union(*offsets))
    if len(labels) < 2:
        raise CorpusError("a judge of prosody needs clips of two emotions at least")
    places, strays = {}, []
    for label in labels:
        where = [k for k, of_corpus in enumerate(offsets) if label in of_corpus]
        found = np.array([offsets[k][label] for k in where])
        places[label] = np.average(found, axis=0, weights=[weights[k] for k in where])
        if len(where) > 1:
            strays += list(found - places[label])
    centre = np.average(middles, axis=0, weights=weights)
    within = np.average(scatters, axis=0, weights=weights)
    apart = np.array(middles) - centre
    within = within + apart.T @ apart / len(apart)
    if strays:
        within = within + np.array(strays).T @ np.array(strays) / len(strays)
    return _discriminants(centre, places, within, settings.shrinkage, settings.weight)


def _some(material: Material, kept: np.ndarray) -> Material:
    return Material([material.clips[k] for k in kept], [material.log_mels[k] for k in kept])


def _discriminants(
    centre: np.ndarray,
    places: Mapping[int, np.ndarray],
    within: np.ndarray,
    shrinkage: float,
    weight: float,
) -> dict[str, np.ndarray]:
    """The arrays of a judge; places: of the classes, from the centre."""
    deviation = np.sqrt(np.maximum(np.diag(within), 1e-12))
    within = within / np.outer(deviation, deviation)
    within = (1.0 - shrinkage) * within + shrinkage * np.eye(len(within))
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
        "weight": np.array(weight, np.float32),
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
        here = _some(material, kept)
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
    prosody: Prosody,
    windows: ClipWindows,
    logits: Mapping[str, np.ndarray],
    temperatures: Mapping[str, float],
    most: float,
) -> float:
    """What makes the true labels likeliest, when experts and prosody are heard together.

    logits: by expert, (windows, 8); most: the weight of the expert of a speaker's own gender
    """
    women, men = (windows.shares(logits[gender], temperatures[gender]) for gender in GENDERS)
    weights = np.where(windows.of_gender("female")[windows.owners, None], most, 1.0 - most)
    shares = weights * women + (1.0 - weights) * men
    judged = judged_windows(prosody, windows.material)
    truth = windows.material.labels[windows.owners]
    return temperature_of(np.log(np.maximum(shares, 1e-9)) + prosody.weight * judged, truth)


def temperature_of(scores: np.ndarray, truth: np.ndarray) -> float:
    """What (rows, 8) unnormalised logarithms are to be divided by; truth: (rows,) labels."""

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        normal = np.log(np.exp(scaled).sum(axis=1))
        return float((normal - scaled[np.arange(len(truth)), truth]).mean())

    return best_number(loss)


def write_prosody(path: Path | BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes prosody.npz; equal arrays give equal bytes."""
    write_archive(path, arrays, ARRAYS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training prosody`."""
    parser.add_argument("--corpora", type=Path, required=True,
                        help="folder with one folder for each corpus")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run that gets it")
    parser.add_argument("--protocol", type=Path, default=RELEASE,
                        help="split by speaker (default: the released models')")
    parser.add_argument("--cache", type=Path,
                        help="folder of cached log-mels (default: beside the run)")


def run(arguments: argparse.Namespace) -> int:
    """Fits the judge on the training speakers; writes RUN/prosody.npz and RUN/prosody.json."""
    settings, protocol = SharedSettings(), Protocol.load(arguments.protocol)
    clips = [clip for clip in read_corpora(arguments.corpora) if clip.emotion is not None]
    cache = FeatureCache(arguments.cache or arguments.run.parent / "cache", FrontEnd())

    def of_part(part: str) -> Material:
        chosen = [clip for clip in clips if protocol.part(clip) == part]
        return Material(chosen, cache.log_mels(chosen))

    train, validation = of_part("train"), of_part("validation")
    arrays = fit_shared_prosody(train, settings)
    run = Run(arguments.run)
    run.folder.mkdir(parents=True, exist_ok=True)
    aside = run.folder / ".prosody.partial.npz"
    write_prosody(aside, arrays)
    os.replace(aside, run.prosody_path)
    scores = alone(Prosody(arrays), validation)
    run.write("prosody.json", {
        "settings": dataclasses.asdict(settings),
        "data": train.fingerprint(),
        "validation": scores,
        "environment": environment(),
    })
    print("UA by prosody alone, validation: "
          + ", ".join(f"{corpus} {ua:.1f}" for corpus, ua in scores.items()))
    print(f"wrote {run.prosody_path}")
    return 0


def alone(prosody: Prosody, material: Material) -> dict[str, float]:
    """UA in percent of the judge by itself, over the labels of each corpus."""
    scores = {}
    for corpus in np.unique(material.corpora):
        here = _some(material, np.flatnonzero(material.corpora == corpus))
        owners = np.repeat(np.arange(len(here)), [len(prosody_windows(x)) for x in here.log_mels])
        shares = np.zeros((len(here), len(LABELS)))
        np.add.at(shares, owners, np.exp(judged_windows(prosody, here)))
        decided = np.where(here.labels_of(corpus), shares, -1.0).argmax(axis=1)
        counts = confusion_matrix(here.labels, decided, len(LABELS))
        scores[str(corpus)] = round(100.0 * float(unweighted_average_recall(counts)), 2)
    return scores
