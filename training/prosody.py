"""Fits what judges emotions by the statistics of a window (`edge.prosody`): linear discriminants.

Each emotion of the corpus is a class; the classes share the covariance of the windows within them
(Fisher 1936), drawn towards the identity. What few speakers cannot tell, other corpora tell: how
voices differ within an emotion, and where emotions lie beside each other. The more speakers the
corpus has, the less the others are asked.

The same is done once more with what is left when each speaker's middle is taken away: for somebody
who was heard before, whose middle is known by then (`edge.prosody.Usual`). In the judge of the
released models a logistic regression (Cox 1958) on the same windows has a say there, too: not where
the emotions lie, but what tells them from each other.

    python -m training prosody --corpora CORPORA --run runs/NAME

fits the judge of the released models, which is to know no corpus: a class is an emotion, seen from
the middle of its corpus, and what differs between corpora counts as what tells nothing. It knows
what all of them sounded like, too (`training.surroundings`).
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from edge.features import FrontEnd
from edge.labels import GENDERS, LABELS
from edge.prosody import (
    ALL_ARRAYS,
    FARTHEST,
    FORMAT_WITH_SURROUNDINGS,
    FORMAT_WITH_USUAL,
    Prosody,
    ProsodyStatistics,
    Usual,
    unfamiliar,
)
from edge.surroundings import softness
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
from training.surroundings import fit_surroundings
from training.temperature import best_number

_TRIM_DB = -50.0
_ROUNDS = 300  # of the regression's descent, at most
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
    penalty: float = 0.003     # of the squared weights of the regression of who was heard before
    spoilt_copies: int = 5     # of each clip, in bad acoustics
    quiet: float = 0.75        # of the say in how those are judged who were heard before: as it was
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
        self._made: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}

    def of(self, material: Material) -> tuple[np.ndarray, np.ndarray]:
        """(windows, SIZE) of all clips in their order, and (windows,) the clip of each."""
        rows = [self._of(clip, log_mel)[0]
                for clip, log_mel in zip(material.clips, material.log_mels)]
        owners = np.repeat(np.arange(len(rows)), [len(of_clip) for of_clip in rows])
        return np.concatenate(rows), owners

    def spoilt(self, material: Material) -> np.ndarray:
        """(windows,) bool: which of the rows of all clips are of spoilt copies."""
        return np.concatenate([
            self._of(clip, log_mel)[1] for clip, log_mel in zip(material.clips, material.log_mels)
        ])

    def _of(self, clip: Clip, log_mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        key = (clip.corpus, clip.name)
        if key not in self._made:
            self._made[key] = self._of_clip(clip, log_mel.astype(np.float32))
        return self._made[key]

    def _of_clip(self, clip: Clip, log_mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(zlib.crc32(f"{clip.corpus} {clip.name}".encode()))
        heard = [log_mel]
        if self._acoustics is not None:
            heard += [self._acoustics.spoilt(log_mel, rng) for _ in range(self._copies)]
        windows = [prosody_windows(each) for each in heard]
        rows = [self._statistics(window) for of_one in windows for window in of_one]
        return np.stack(rows), np.arange(len(rows)) >= len(windows[0])


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
    heard = _Heard.of(own, made)
    elsewhere = [
        _Heard.of(_some(others, np.flatnonzero(others.corpora == corpus)), made)
        for corpus in np.unique(others.corpora)
    ]
    speakers = len(set(heard.speakers))
    weight = settings.weight * speakers / (speakers + settings.doubt_speakers)

    def fitted(own: _Heard, others: Sequence[_Heard]) -> _Classes:
        centre = np.average(own.rows, axis=0, weights=own.shares)
        places, within = own.away_from(centre).classes()
        if len(places) < 2:
            raise CorpusError("a judge of prosody needs clips of two emotions at least")
        if others:
            of_others, scatter = _of_corpora(others)
            trust = speakers / (speakers + settings.covariance_speakers)
            within = trust * within + (1.0 - trust) * scatter
            places = _drawn(places, of_others, speakers / (speakers + settings.place_speakers))
        return _Classes(centre, places, within)

    return _arrays(
        fitted(heard, elsewhere).discriminants(settings.shrinkage),
        fitted(
            heard.without_voices(), [each.without_voices() for each in elsewhere]
        ).discriminants(settings.shrinkage),
        weight,
    )


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
    heard = {
        str(corpus): _Heard.of(_some(material, np.flatnonzero(material.corpora == corpus)), made)
        for corpus in np.unique(material.corpora)
    }
    weights = [settings.corpora.get(corpus, 1.0) for corpus in heard]
    known = [each.with_quiet(settings.quiet).without_voices() for each in heard.values()]
    of_known = _shared(known, weights)
    anybody = _shared(list(heard.values()), weights).discriminants(settings.shrinkage)
    arrays = _arrays(
        anybody,
        of_known.discriminants(settings.shrinkage).with_regression(
            [each.away_from(of_known.centre) for each in known], weights, settings.penalty
        ),
        settings.weight,
    )
    quiet = {corpus: here.quiet() for corpus, here in heard.items()}
    surroundings = fit_surroundings(
        {corpus: anybody.standard(here.rows) for corpus, here in quiet.items()},
        {corpus: here.speakers for corpus, here in quiet.items()},
    )
    if surroundings:
        arrays |= surroundings | {"format": np.array(FORMAT_WITH_SURROUNDINGS)}
    return arrays


def _shared(corpora: Sequence[_Heard], weights: Sequence[float]) -> _Classes:
    """Of a judge that is to know none of the corpora."""
    middles, offsets, scatters = [], [], []
    for heard in corpora:
        places, scatter = heard.classes()
        middle = np.mean(list(places.values()), axis=0)
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
    return _Classes(centre, places, within)


@dataclass(frozen=True)
class _Heard:
    """The windows of some clips: (windows, SIZE) statistics, and (windows,) of each.

    shares: such that each clip counts as one; spoilt: whether it is of a spoilt copy
    """

    rows: np.ndarray
    labels: np.ndarray
    speakers: np.ndarray
    owners: np.ndarray
    shares: np.ndarray
    spoilt: np.ndarray

    @classmethod
    def of(cls, material: Material, made: ProsodyRows) -> _Heard:
        rows, owners = made.of(material)
        speakers = np.array([clip.speaker for clip in material.clips])
        shares = 1.0 / np.bincount(owners)[owners]
        return cls(
            rows, material.labels[owners], speakers[owners], owners, shares, made.spoilt(material)
        )

    def with_quiet(self, share: float) -> _Heard:
        """Each clip as it was with such a share, its spoilt copies with the others, if it has any.
        """
        shares = self.shares.copy()
        for spoilt, part in ((False, share), (True, 1.0 - share)):
            here = self.spoilt == spoilt
            shares[here] = part / np.bincount(self.owners[here])[self.owners[here]]
        whole = np.bincount(self.owners, shares)  # less than 1 where there are no copies
        return dataclasses.replace(self, shares=shares / whole[self.owners])

    def quiet(self) -> _Heard:
        """Without the spoilt copies."""
        kept = ~self.spoilt
        return _Heard(*(getattr(self, field.name)[kept] for field in dataclasses.fields(self)))

    def away_from(self, middle: np.ndarray) -> _Heard:
        """middle: (SIZE,), or one for each window."""
        return dataclasses.replace(self, rows=self.rows - middle)

    def without_voices(self) -> _Heard:
        """Away from the middle of each speaker, which is that of their emotions."""
        names, which = np.unique(self.speakers, return_inverse=True)
        middles = []
        for number in range(len(names)):
            middles.append(np.mean(list(self.places(which == number).values()), axis=0))
        return self.away_from(np.array(middles)[which])

    def places(self, those: np.ndarray | None = None) -> dict[int, np.ndarray]:
        """The mean of each label's rows; those: (windows,) bool, all when None."""
        places = {}
        for label in np.unique(self.labels):
            here = np.flatnonzero((self.labels == label) & (True if those is None else those))
            if len(here):
                places[int(label)] = np.average(
                    self.rows[here], axis=0, weights=self.shares[here]
                )
        return places

    def classes(self) -> tuple[dict[int, np.ndarray], np.ndarray]:
        """The places, and the mean covariance about them."""
        places = self.places()
        within = np.zeros((self.rows.shape[1], self.rows.shape[1]))
        for label, place in places.items():
            here = self.labels == label
            centred = (self.rows[here] - place) * np.sqrt(self.shares[here])[:, None]
            within += centred.T @ centred
        return places, within / self.shares.sum()


@dataclass(frozen=True)
class _Classes:
    """Where each label lies from the centre, and (SIZE, SIZE) the covariance within."""

    centre: np.ndarray
    places: Mapping[int, np.ndarray]
    within: np.ndarray

    def discriminants(self, shrinkage: float) -> _Judge:
        deviation = np.sqrt(np.maximum(np.diag(self.within), 1e-12))
        within = self.within / np.outer(deviation, deviation)
        within = (1.0 - shrinkage) * within + shrinkage * np.eye(len(within))
        standard = np.array(list(self.places.values())) / deviation  # (classes, statistics)
        weights = np.linalg.solve(within, standard.T)
        return _Judge(self, deviation, weights, -0.5 * (standard * weights.T).sum(axis=1))


@dataclass(frozen=True)
class _Judge:
    """What weighs the statistics, in deviations from the centre of the classes.

    deviation: (SIZE,); weights: (SIZE, classes); offsets: (classes,)
    """

    classes: _Classes
    deviation: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """(classes, classes) the places (rows) as the weights see them."""
        places: np.ndarray = np.array(list(self.classes.places.values())) / self.deviation
        return places @ self.weights

    def standard(self, rows: np.ndarray) -> np.ndarray:
        """As what is judged, `Prosody` makes of its statistics."""
        return np.clip((rows - self.classes.centre) / self.deviation, -FARTHEST, FARTHEST)

    def with_regression(
        self, corpora: Sequence[_Heard], says: Sequence[float], penalty: float
    ) -> _Judge:
        """Half of this, and a regression, whose penalty keeps it about half as sure.

        corpora: whose rows are away from the centre; says: how much each counts
        """
        labels = list(self.classes.places)
        weights, offsets = regression(
            np.concatenate([heard.rows for heard in corpora]) / self.deviation,
            np.searchsorted(labels, np.concatenate([heard.labels for heard in corpora])),
            np.concatenate([heard.shares / heard.shares.sum() * say
                            for heard, say in zip(corpora, says)]),
            np.concatenate([np.tile(np.isin(labels, heard.labels), (len(heard.labels), 1))
                            for heard in corpora]),
            penalty,
        )
        return dataclasses.replace(
            self, weights=0.5 * self.weights + weights, offsets=0.5 * self.offsets + offsets
        )


def regression(
    rows: np.ndarray, truth: np.ndarray, shares: np.ndarray, offered: np.ndarray, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """(statistics, classes) weights and (classes,) offsets of a multinomial logistic regression.

    truth: (rows,) of the classes; shares: (rows,) how much each row counts
    offered: (rows, classes) bool: an emotion that a corpus does not have was not rejected there
    penalty: of the sum of squared weights, beside the mean loss
    """
    from scipy.optimize import minimize

    rows = np.clip(rows, -FARTHEST, FARTHEST).astype(np.float32)
    shares = (shares / shares.sum()).astype(np.float32)
    told = np.eye(offered.shape[1], dtype=np.float32)[truth]
    absent = np.where(offered, np.float32(0.0), np.float32(-1e4))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        both = flat.reshape(-1, offered.shape[1]).astype(np.float32)
        weights, offsets = both[:-1], both[-1]
        scores = rows @ weights + offsets + absent
        scores -= scores.max(axis=1, keepdims=True)
        found = np.exp(scores)
        total = found.sum(axis=1)
        wrong = (found / total[:, None] - told) * shares[:, None]
        slope = np.concatenate([rows.T @ wrong + 2.0 * penalty * weights,
                                wrong.sum(axis=0, keepdims=True)])
        surprise = np.log(total) - scores[np.arange(len(truth)), truth]
        value = float(shares @ surprise) + penalty * float((weights**2).sum())
        return value, slope.ravel().astype(np.float64)

    start = np.zeros((rows.shape[1] + 1) * offered.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    both = found.x.reshape(-1, offered.shape[1])
    return both[:-1], both[-1]


def _some(material: Material, kept: np.ndarray) -> Material:
    return Material([material.clips[k] for k in kept], [material.log_mels[k] for k in kept])


def _arrays(anybody: _Judge, known: _Judge, weight: float) -> dict[str, np.ndarray]:
    """The content of `prosody.npz`: the judge of strangers, and of who was heard before."""
    return {
        "format": np.array(FORMAT_WITH_USUAL),
        "spread": np.array(SPREAD, np.float32),
        "centre": anybody.classes.centre.astype(np.float32),
        "scale": (1.0 / anybody.deviation).astype(np.float32),
        "weights": anybody.weights.astype(np.float32),
        "offsets": anybody.offsets.astype(np.float32),
        "emotions": np.array(list(anybody.classes.places), np.int8),
        "weight": np.array(weight, np.float32),
        "temperature": np.array(1.0, np.float32),
        # In the deviations of anybody, so that a voice that is far from the others is not cut off.
        "usual_weights": (
            known.weights * (anybody.deviation / known.deviation)[:, None]
        ).astype(np.float32),
        "usual_offsets": known.offsets.astype(np.float32),
        "usual_places": known.seen.astype(np.float32),
    }


def _of_corpora(corpora: Sequence[_Heard]) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Where each label lies in the corpora that have it, from their middles, and the covariance.

    Each corpus counts as much as the others.
    """
    offsets: dict[int, list[np.ndarray]] = {}
    scatters = []
    for heard in corpora:
        places, scatter = heard.classes()
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


def window_manners(prosody: Prosody, material: Material) -> tuple[np.ndarray, np.ndarray]:
    """The manners of the windows of all clips in their order, and (windows,) the clip of each."""
    windows = [prosody_windows(log_mel) for log_mel in material.log_mels]
    rows = [prosody.statistics(window) for of_clip in windows for window in of_clip]
    owners = np.repeat(np.arange(len(windows)), [len(of_clip) for of_clip in windows])
    return prosody.manners(np.stack(rows)), owners


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
    manners, _ = window_manners(prosody, windows.material)
    scores = np.log(np.maximum(shares, 1e-9)) + prosody.weight * prosody.judged(manners)
    truth = windows.material.labels[windows.owners]
    return temperature_of(scores / softness(unfamiliar(manners))[:, None], truth)


def temperature_of(scores: np.ndarray, truth: np.ndarray) -> float:
    """What (rows, 8) unnormalised logarithms are to be divided by; truth: (rows,) labels."""

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        normal = np.log(np.exp(scaled).sum(axis=1))
        return float((normal - scaled[np.arange(len(truth)), truth]).mean())

    return best_number(loss)


def write_prosody(path: Path | BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes prosody.npz, of any format; equal arrays give equal bytes."""
    write_archive(path, arrays, [name for name in ALL_ARRAYS if name in arrays])


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
    known = alone(Prosody(arrays), validation, known=True)
    run.write("prosody.json", {
        "settings": dataclasses.asdict(settings),
        "data": train.fingerprint(),
        "validation": scores,
        "validation_known": known,
        "environment": environment(),
    })
    print("UA by prosody alone, validation: "
          + ", ".join(f"{corpus} {ua:.1f}, {known[corpus]:.1f} of speakers heard before"
                      for corpus, ua in scores.items()))
    print(f"wrote {run.prosody_path}")
    return 0


def alone(prosody: Prosody, material: Material, known: bool = False) -> dict[str, float]:
    """UA in percent of the judge by itself, over the labels of each corpus.

    known: whether it has heard all other clips of the speaker, without being told anything
    """
    scores = {}
    for corpus in np.unique(material.corpora):
        here = _some(material, np.flatnonzero(material.corpora == corpus))
        manners, owners = window_manners(prosody, here)
        sums = np.zeros((len(here), manners.shape[1]))
        np.add.at(sums, owners, manners)
        of_clip = sums / np.bincount(owners)[:, None]
        speakers = np.array([clip.speaker for clip in here.clips])
        shares = np.zeros((len(here), len(LABELS)))
        for clip in range(len(here)):
            others = (speakers == speakers[clip]) & (np.arange(len(here)) != clip)
            usual = None
            if known and others.any():
                middle = prosody.middle(of_clip[others].mean(axis=0))
                usual = Usual(int(others.sum()), tuple(middle))
            shares[clip] = np.exp(prosody.judged(manners[owners == clip], usual)).sum(axis=0)
        decided = np.where(here.labels_of(corpus), shares, -1.0).argmax(axis=1)
        counts = confusion_matrix(here.labels, decided, len(LABELS))
        scores[str(corpus)] = round(100.0 * float(unweighted_average_recall(counts)), 2)
    return scores
