"""What a recogniser answers to clips that it was not trained on, and how good these answers are.

Each clip is asked about twice: with the gate choosing the experts, as in use, and with the
speaker's true gender told, which shows what the gate costs.

A corpus is scored over the labels that it has: an answer is the likeliest of them, and their
probabilities are renormalised. Letting the recogniser answer labels that the corpus lacks, as it
does in use, gives the unrestricted figures, which stand beside.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from edge.errors import EdgeError
from edge.labels import GENDERS, LABELS
from edge.prosody import knows_surroundings, unfamiliar
from edge.quality import UNFAMILIAR
from edge.recognizer import Recognizer
from training import metrics
from training.corpora import CORPORA, CORPUS_LABELS, Clip, CorpusError, load_log_mel
from training.corpora.listing import named
from training.metrics import Interval, Reliability
from training.protocol import Protocol

UNSEEN = ("validation", "test")

# The fewest speakers whose resampling says anything about others.
_FEWEST_SPEAKERS = 3


@dataclass(frozen=True)
class EmotionScores:
    """Emotion answers of one group of clips, scored over `labels`, those that the corpus has.

    Measures are shares from 0 to 1, NaN where there is nothing to measure. By label they are in the
    order of `labels`. `confusion` is (labels, labels) counts: rows the truth, columns the answers.
    """

    labels: tuple[str, ...]
    clips: int
    speakers: int
    ua: float
    wa: float
    macro_f1: float
    recall: np.ndarray
    precision: np.ndarray
    f1: np.ndarray
    confusion: np.ndarray
    reliability: Reliability
    unrestricted_ua: float
    unrestricted_wa: float
    unfamiliar: float = math.nan
    """Of the clips, those that are unlike what the models learnt from; NaN where they don't know.
    """

    @property
    def ece(self) -> float:
        """The expected calibration error."""
        return self.reliability.expected_calibration_error

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; what cannot be measured is null."""
        by_label = {
            label: {
                "clips": int(self.confusion[row].sum()),
                "recall": _plain(self.recall[row]),
                "precision": _plain(self.precision[row]),
                "f1": _plain(self.f1[row]),
            }
            for row, label in enumerate(self.labels)
        }
        return {
            "clips": self.clips,
            "speakers": self.speakers,
            "ua": _plain(self.ua),
            "wa": _plain(self.wa),
            "macro_f1": _plain(self.macro_f1),
            "ece": _plain(self.ece),
            "unfamiliar": _plain(self.unfamiliar),
            "unrestricted": {
                "ua": _plain(self.unrestricted_ua),
                "wa": _plain(self.unrestricted_wa),
            },
            "by_emotion": by_label,
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
            "reliability": {
                "confidence": [_plain(value) for value in self.reliability.confidence],
                "accuracy": [_plain(value) for value in self.reliability.accuracy],
                "counts": self.reliability.counts.tolist(),
            },
        }


@dataclass(frozen=True)
class GateScores:
    """The gate's answers to one group of clips, one clip at a time.

    `recall` is by gender, NaN where no clip is of it; `uar` is the mean of what there is.
    """

    clips: int
    speakers: int
    uar: float
    recall: dict[str, float]
    ece: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; what cannot be measured is null."""
        return {
            "clips": self.clips,
            "speakers": self.speakers,
            "uar": _plain(self.uar),
            "recall": {gender: _plain(value) for gender, value in self.recall.items()},
            "ece": _plain(self.ece),
        }


@dataclass(frozen=True)
class Evaluation:
    """The answers to `clips`, clip by clip, and their scores by group.

    parts: (n,) the part of each clip in the protocol
    female: (n,) float64 the gate's posterior that the speaker is female
    probabilities: (n, 8) float64 of the emotions, the gate choosing the experts
    probabilities_true_gender: (n, 8) float64 likewise, the true gender told
    manners: (n, 16 or 17) as of `Prediction.manner`, None where the models learn nothing from it
    """

    protocol: Protocol
    clips: tuple[Clip, ...]
    parts: tuple[str, ...]
    female: np.ndarray
    probabilities: np.ndarray
    probabilities_true_gender: np.ndarray
    manners: np.ndarray | None = None

    def select(
        self,
        *,
        corpus: str | None = None,
        part: str | None = None,
        gender: str | None = None,
        emotion: str | None = None,
        emotional: bool | None = None,
    ) -> np.ndarray:
        """(n,) bool: the clips of a group. `emotional` asks for any emotion, or for none."""
        chosen = np.ones(len(self.clips), bool)
        for wanted, values in (
            (corpus, self._corpora),
            (part, self._parts),
            (gender, self._genders),
            (emotion, self._emotions),
        ):
            if wanted is not None:
                chosen &= values == wanted
        if emotional is not None:
            chosen &= (self._truth >= 0) == emotional
        return chosen

    def groups(self) -> Iterator[tuple[str, str]]:
        """Each corpus and part that has clips with emotions, in a fixed order."""
        for corpus in CORPORA:
            for part in ("train", *UNSEEN):
                if self.select(corpus=corpus, part=part, emotional=True).any():
                    yield corpus, part

    def emotion(
        self, corpus: str, part: str, gender: str | None = None, *, true_gender: bool = False
    ) -> EmotionScores:
        """The scores of a corpus's part, or of one gender in it.

        `true_gender` scores the answers to the second asking.
        """
        labels = CORPUS_LABELS[corpus]
        chosen = self.select(corpus=corpus, part=part, gender=gender, emotional=True)
        probabilities = self._source(true_gender)[chosen]
        truth, classes = self._truth[chosen], [LABELS.index(label) for label in labels]
        restricted = metrics.restrict(probabilities, classes)
        answers = restricted.argmax(axis=1)
        whole = metrics.confusion_matrix(truth, answers, len(LABELS))
        free = metrics.confusion_matrix(truth, probabilities.argmax(axis=1), len(LABELS))
        confusion = whole[np.ix_(classes, classes)]
        return EmotionScores(
            labels=labels,
            clips=int(chosen.sum()),
            speakers=self._speaker_count(chosen),
            ua=float(metrics.unweighted_average_recall(confusion)),
            wa=float(metrics.accuracy(confusion)),
            macro_f1=float(metrics.macro_f1(confusion)),
            recall=metrics.recalls(confusion),
            precision=metrics.precisions(confusion),
            f1=metrics.f1_scores(confusion),
            confusion=confusion,
            reliability=metrics.reliability(restricted.max(axis=1), answers == truth),
            unrestricted_ua=float(metrics.unweighted_average_recall(free)),
            unrestricted_wa=float(metrics.accuracy(free)),
            unfamiliar=self._unfamiliar(chosen),
        )

    def _unfamiliar(self, chosen: np.ndarray) -> float:
        if self.manners is None or not knows_surroundings(self.manners) or not chosen.any():
            return math.nan
        return float((unfamiliar(self.manners[chosen]) >= UNFAMILIAR).mean())

    def interval(
        self, corpus: str, part: str, *, by_speaker: bool = False, resamples: int = 2000
    ) -> Interval | None:
        """The 95 % interval of UA; None by speaker where there are too few of them."""
        return self._interval(corpus, part, False, by_speaker, resamples)

    def gate_cost(
        self, corpus: str, part: str, *, by_speaker: bool = False, resamples: int = 2000
    ) -> Interval | None:
        """UA with the gate minus UA with the true gender, on the same clips, with 95 % interval."""
        return self._interval(corpus, part, True, by_speaker, resamples)

    def gate(self, chosen: np.ndarray) -> GateScores:
        """The gate's scores on the clips of `chosen`, (n,) bool of `select`."""
        truth = (self._genders[chosen] == "male").astype(np.int64)  # index into GENDERS
        female = self.female[chosen]
        answers = (female < 0.5).astype(np.int64)
        confusion = metrics.confusion_matrix(truth, answers, len(GENDERS))
        confidence = np.maximum(female, 1.0 - female)
        return GateScores(
            clips=int(chosen.sum()),
            speakers=self._speaker_count(chosen),
            uar=float(metrics.unweighted_average_recall(confusion)),
            recall=dict(zip(GENDERS, map(float, metrics.recalls(confusion)))),
            ece=metrics.reliability(confidence, answers == truth).expected_calibration_error,
        )

    def gate_groups(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """The groups by which the gate is reported: a group's name, its part, and its clips.

        All emotional clips, each corpus, each emotion; by part, and for both unseen parts at once.
        """
        for part in ("train", *UNSEEN):
            inside = self.select(part=part)
            yield from self._gate_groups(part, inside)
        if all((self._parts == part).any() for part in UNSEEN):
            unseen = np.isin(self._parts, UNSEEN)
            yield from self._gate_groups(" + ".join(UNSEEN), unseen)

    def to_dict(self, *, by_speaker: bool = False, every_clip: bool = True) -> dict[str, Any]:
        """Every figure as JSON values; with `every_clip`, each clip's answers too."""
        emotion = []
        for corpus, part in self.groups():
            cost = self.gate_cost(corpus, part, by_speaker=by_speaker)
            interval = self.interval(corpus, part, by_speaker=by_speaker)
            with_gate = self.emotion(corpus, part)
            by_gender = {gender: self.emotion(corpus, part, gender) for gender in GENDERS}
            emotion.append(
                {
                    "corpus": corpus,
                    "part": part,
                    **with_gate.to_dict(),
                    "ua_interval": interval and asdict(interval),
                    "by_gender": {name: scores.to_dict() for name, scores in by_gender.items()},
                    "female_minus_male_ua": _plain(by_gender["female"].ua - by_gender["male"].ua),
                    "true_gender": {
                        **self.emotion(corpus, part, true_gender=True).to_dict(),
                        "by_gender": {
                            gender: self.emotion(corpus, part, gender, true_gender=True).to_dict()
                            for gender in GENDERS
                        },
                    },
                    "gate_cost_ua": cost and asdict(cost),
                }
            )
        gate = [
            {"group": group, "part": part, **self.gate(chosen).to_dict()}
            for group, part, chosen in self.gate_groups()
        ]
        content = {
            "protocol": {"name": self.protocol.name, "fold": self.protocol.fold},
            "scoring": (
                "Over the labels that a corpus has: the answer is the likeliest of them, and their "
                "probabilities are renormalised. `unrestricted` lets all labels be answered."
            ),
            "emotion": emotion,
            "gate": gate,
        }
        if every_clip:
            content["clips"] = [self._clip_dict(index) for index in range(len(self.clips))]
        return content

    @cached_property
    def _corpora(self) -> np.ndarray:
        return np.array([clip.corpus for clip in self.clips])

    @cached_property
    def _parts(self) -> np.ndarray:
        return np.array(self.parts)

    @cached_property
    def _genders(self) -> np.ndarray:
        return np.array([clip.gender for clip in self.clips])

    @cached_property
    def _emotions(self) -> np.ndarray:
        return np.array([clip.emotion or "" for clip in self.clips])

    @cached_property
    def _truth(self) -> np.ndarray:
        """(n,) int64 index into LABELS, -1 without an emotion."""
        return np.array(
            [-1 if clip.emotion is None else LABELS.index(clip.emotion) for clip in self.clips],
            dtype=np.int64,
        )

    def _source(self, true_gender: bool) -> np.ndarray:
        return self.probabilities_true_gender if true_gender else self.probabilities

    def _speaker_count(self, chosen: np.ndarray) -> int:
        return len({(self.clips[k].corpus, self.clips[k].speaker) for k in np.flatnonzero(chosen)})

    def _interval(
        self, corpus: str, part: str, cost: bool, by_speaker: bool, resamples: int
    ) -> Interval | None:
        chosen = self.select(corpus=corpus, part=part, emotional=True)
        if by_speaker and self._speaker_count(chosen) < _FEWEST_SPEAKERS:
            return None
        classes = [LABELS.index(label) for label in CORPUS_LABELS[corpus]]
        answers, baseline = (
            metrics.restrict(source[chosen], classes).argmax(axis=1)
            for source in (self.probabilities, self.probabilities_true_gender)
        )
        speakers = [self.clips[k].speaker for k in np.flatnonzero(chosen)]
        return metrics.bootstrap(
            metrics.unweighted_average_recall,
            self._truth[chosen],
            answers,
            len(LABELS),
            baseline=baseline if cost else None,
            speakers=speakers if by_speaker else None,
            resamples=resamples,
        )

    def _gate_groups(self, part: str, inside: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
        named_groups = [("all emotional", self.select(emotional=True))]
        named_groups += [(corpus, self.select(corpus=corpus)) for corpus in CORPORA]
        named_groups += [(emotion, self.select(emotion=emotion)) for emotion in LABELS]
        for name, group in named_groups:
            if (group & inside).any():
                yield name, part, group & inside

    def _clip_dict(self, index: int) -> dict[str, Any]:
        clip = self.clips[index]
        return {
            "corpus": clip.corpus,
            "name": clip.name,
            "part": self.parts[index],
            "speaker": clip.speaker,
            "gender": clip.gender,
            "emotion": clip.emotion,
            "female": round(float(self.female[index]), 6),
            "probabilities": self.probabilities[index].round(6).tolist(),
            "probabilities_true_gender": self.probabilities_true_gender[index].round(6).tolist(),
        }


def evaluate(
    recognizer: Recognizer,
    clips: Sequence[Clip],
    protocol: Protocol,
    parts: Iterable[str] = UNSEEN,
    *,
    log_mels: Sequence[np.ndarray] | None = None,
    workers: int = 2,
    progress: bool = True,
) -> Evaluation:
    """Asks `recognizer` about those of `clips` that are in `parts` of `protocol`.

    log_mels: of each of `clips`, (frames, 128) of any float, such as `FeatureCache.log_mels` has;
        given, no file is read. Otherwise sound is recognised from its file, as in use, and
        pictures from their log-mel.

    CorpusError when no clip is in `parts`, or naming the recordings that cannot be recognised.
    """
    parts = tuple(parts)
    chosen = [k for k, clip in enumerate(clips) if protocol.part(clip) in parts]
    if not chosen:
        raise CorpusError(
            f"none of the {len(clips)} clips is in {' or '.join(parts)} of protocol {protocol.name}"
        )

    def answer(k: int) -> tuple[float, np.ndarray, np.ndarray, np.ndarray] | EdgeError:
        try:
            return _ask(recognizer, clips[k], None if log_mels is None else log_mels[k])
        except EdgeError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        answers = list(_bar(pool.map(answer, chosen), len(chosen), progress))
    refused = {
        str(clips[k].path): error
        for k, error in zip(chosen, answers)
        if isinstance(error, EdgeError)
    }
    if refused:
        first = next(iter(refused.values()))
        raise CorpusError(
            f"recordings not recognised: {named(refused)}; the first: {first}"
        ) from first
    female, probabilities, probabilities_true_gender, manners = map(np.array, zip(*answers))
    evaluated = tuple(clips[k] for k in chosen)
    return Evaluation(
        protocol=protocol,
        clips=evaluated,
        parts=tuple(protocol.part(clip) for clip in evaluated),
        female=female,
        probabilities=probabilities,
        probabilities_true_gender=probabilities_true_gender,
        manners=manners if manners.size else None,
    )


def _ask(
    recognizer: Recognizer, clip: Clip, log_mel: np.ndarray | None
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """The posterior of a female speaker, (8,) probabilities with the gate and without; the manner.
    """
    if log_mel is None and clip.sound:
        ask, sound = recognizer.predict, clip.path
    else:
        ask = recognizer.predict_log_mel
        sound = load_log_mel(clip) if log_mel is None else np.asarray(log_mel, np.float32)
    gated = ask(sound)
    told = ask(sound, gender=clip.gender)
    posterior = gated.gender_posterior
    return (
        posterior if gated.gender == "female" else 1.0 - posterior,
        np.array([gated.probabilities[label] for label in LABELS]),
        np.array([told.probabilities[label] for label in LABELS]),
        np.array(gated.manner),
    )


def _bar(items: Iterable, total: int, progress: bool) -> Iterable:
    from tqdm import tqdm

    return tqdm(items, desc="recognising", total=total, unit="clip", disable=not progress)


def _plain(value: float) -> float | None:
    """A number that JSON can hold."""
    return None if math.isnan(value) else float(value)
