"""Measures what knowing a speaker's voice gains (`edge.Voice`), heard or taught by some clips.

    python -m training voices --corpora CORPORA
    python -m training voices --crossval RUN ...

Of each speaker some clips are drawn of each emotion, and teach; the others are answered without and
with what was taught. That is done many times with other clips, and every figure is of them all. A
voice is also held to the clips of the next speaker of the fold, who is somebody else, to see the
harm of that.
Likewise some clips are heard, of which nothing is said: of any mood, or as people speak, who are
mostly neutral. And all clips of a speaker are answered in turn, each by the earlier ones, as a
stream or the app does from the first word of a stranger on.

    python -m training voices --corpora CORPORA --acoustics

also spoils the clips as `python -m training robustness` does, and teaches in quiet or as spoilt.

    python -m training voices --crossval RUN ... --others 10 50

also has a base (`Voice.base`) taught by so many clips of each emotion of other speakers: of those
to whom the same models have answered, and who are not answered themselves.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.audio import read_audio, to_mono_16k
from edge.bundle import DEFAULT_BUNDLE, Bundle
from edge.errors import SettingsError
from edge.features import LogMel
from edge.labels import GENDERS, LABELS
from edge.prosody import Prosody, Usual, seen_of
from edge.prosody import read_arrays as read_prosody
from edge.recognizer import Recognizer
from edge.voice import REACH, SPREAD, Example, Voice, fitted_correction, usual_after
from training import metrics
from training.answers import load_answers
from training.corpora import CORPUS_LABELS, Clip, load_log_mel, read_corpora
from training.evaluation import UNSEEN, Evaluation
from training.metrics import unweighted_average_recall
from training.prosody import prosody_windows
from training.protocol import RELEASE, Protocol
from training.robustness import answers_by_condition
from training.tables import percent, table, write_figures

EXAMPLES = (1, 2, 4)
"""Of each emotion; at most half of the clips that there are."""

HEARD = (2, 5, 10, 20)
"""Clips that are heard and not named; at most half of those that there are."""

ANY, HALF, NEUTRAL = "any", "half neutral", "neutral"
MOODS = (ANY, HALF, NEUTRAL)
"""What is heard: clips as they are drawn, half of them neutral ones, or these alone."""

STAGES = (0, 5, 20)
"""Clips that were heard before, from which on the answers in turn are scored apart."""

CHOICES = tuple(
    (spread, reach) for spread in (0.5, 1.0, 1.5, 2.0, 3.0) for reach in (0.01, 0.17, 0.33, 0.5)
)
"""Spreads and reaches between which validation speakers choose."""

KNOWN_CHOICES = tuple(
    (weight, temperature) for weight in (1.0, 1.25, 1.5, 2.0) for temperature in (1.0, 1.1, 1.2)
)
"""Of the judge of prosody, where the speaker is known; validation speakers choose between them."""

DRAWS = 20
_RESAMPLES = 2000
_FEWEST = 3  # whose resampling says anything about others
_SHARES = 6  # of speakers, each tested with a base of the others


@dataclass(frozen=True)
class Speaker:
    """One speaker's clips, and what was answered to them without knowing the voice.

    labels: (clips,) indices into LABELS; probabilities: (windows, 8); owners: (windows,) clips
    manners: of the windows, and prosody, which judged them; None where nothing is learnt from them
    """

    group: str
    name: str
    fold: str
    gender: str
    corpus: str
    labels: np.ndarray
    probabilities: np.ndarray
    owners: np.ndarray
    manners: np.ndarray | None = None
    prosody: Prosody | None = None

    @property
    def classes(self) -> list[int]:
        """The labels that the corpus has."""
        return [LABELS.index(label) for label in CORPUS_LABELS[self.corpus]]

    def answers(
        self, voice: Voice | None = None, spread: float = SPREAD, reach: float = REACH
    ) -> np.ndarray:
        """(clips, 8) probabilities with such a voice, as `Recognizer.predict` has."""
        heard = self.probabilities
        if voice is not None and (spread, reach) == (SPREAD, REACH):
            heard = voice.heard_in(heard, self.manners, self.prosody)
        elif voice is not None:
            usual = voice.usual_with(self.prosody)
            if self.prosody is not None and usual is not None:
                heard = self.prosody.known(heard, self.manners, usual)
            heard = fitted_correction(
                voice.examples, spread, reach, voice.base, self.prosody, usual
            )(heard)
        return self.of_clips(heard)

    def of_clips(self, windows: np.ndarray) -> np.ndarray:
        """(windows, ...) to (clips, ...), the mean of each clip's."""
        total = np.zeros((len(self.labels), *windows.shape[1:]))
        np.add.at(total, self.owners, windows)
        return total / np.bincount(self.owners, minlength=len(total))[:, None]


class Tally:
    """Answers of many drawings, added up.

    counts: by speaker (8, 8), rows the truth; confidence, correct: of every answer
    """

    def __init__(self, speakers: int) -> None:
        self.counts = np.zeros((speakers, len(LABELS), len(LABELS)))
        self._confidence: list[np.ndarray] = []
        self._correct: list[np.ndarray] = []

    def add(self, index: int, speaker: Speaker, answers: np.ndarray, kept: np.ndarray) -> None:
        """The answers to the clips of `kept`, (clips,) bool."""
        restricted = metrics.restrict(answers[kept], speaker.classes)
        decided, truth = restricted.argmax(axis=1), speaker.labels[kept]
        self.counts[index] += metrics.confusion_matrix(truth, decided, len(LABELS))
        self._confidence.append(restricted.max(axis=1))
        self._correct.append(decided == truth)

    def ece(self) -> float:
        """The expected calibration error."""
        confidence, correct = np.concatenate(self._confidence), np.concatenate(self._correct)
        return metrics.reliability(confidence, correct).expected_calibration_error


def examples_of(speaker: Speaker, count: int, rng: np.random.Generator) -> np.ndarray:
    """(clips,) bool: so many of each emotion, drawn."""
    chosen = np.zeros(len(speaker.labels), bool)
    for label in np.unique(speaker.labels):
        here = np.flatnonzero(speaker.labels == label)
        chosen[rng.choice(here, min(count, len(here) // 2), replace=False)] = True
    return chosen


def taught(speaker: Speaker, chosen: np.ndarray, base: Voice | None = None) -> Voice:
    """What the chosen clips teach."""
    return Voice(tuple(_examples(speaker, chosen)), base=base)


def _examples(speaker: Speaker, chosen: np.ndarray) -> list[Example]:
    plain = speaker.answers()
    manners: Sequence[Sequence[float]] = [()] * len(plain)
    if speaker.manners is not None:
        manners = speaker.of_clips(speaker.manners).tolist()
    return [
        Example(
            LABELS[speaker.labels[k]], dict(zip(LABELS, map(float, plain[k]))), tuple(manners[k])
        )
        for k in np.flatnonzero(chosen)
    ]


def clips_heard(
    speaker: Speaker, count: int, mood: str, rng: np.random.Generator
) -> np.ndarray:
    """(clips,) bool: so many, drawn; at most half of those that there are of a kind."""
    neutral = speaker.labels == LABELS.index("neutral")
    if mood == ANY:
        kinds = [(np.full(len(neutral), True), count)]
    elif mood == NEUTRAL:
        kinds = [(neutral, count)]
    else:
        kinds = [(neutral, count // 2), (~neutral, count - count // 2)]
    chosen = np.zeros(len(neutral), bool)
    for kind, wanted in kinds:
        here = np.flatnonzero(kind)
        chosen[rng.choice(here, min(wanted, len(here) // 2), replace=False)] = True
    return chosen


def heard(speaker: Speaker, chosen: np.ndarray) -> Voice:
    """What the chosen clips say when nobody says what was meant by them."""
    assert speaker.manners is not None
    middles = seen_of(speaker.of_clips(speaker.manners)[chosen])
    if not len(middles):
        return Voice()
    return Voice(usual=Usual(len(middles), tuple(middles.mean(axis=0))))


def score_heard(
    speakers: Sequence[Speaker], count: int, mood: str, draws: int = DRAWS
) -> dict[str, Any] | None:
    """The figures of one group, of each of whom so many clips were heard; None if none can be."""
    if any(each.prosody is None or each.manners is None for each in speakers):
        return None
    tallies = {name: Tally(len(speakers)) for name in ("before", "after", "stranger")}
    rng, clips = np.random.default_rng(0), []
    for _ in range(draws):
        chosen = [clips_heard(speaker, count, mood, rng) for speaker in speakers]
        voices = [heard(speaker, here) for speaker, here in zip(speakers, chosen)]
        clips += [int(here.sum()) for here in chosen]
        for k, speaker in enumerate(speakers):
            kept, other = ~chosen[k], _stranger(speakers, k)
            tallies["before"].add(k, speaker, speaker.answers(), kept)
            tallies["after"].add(k, speaker, speaker.answers(voices[k]), kept)
            if other is not None:
                tallies["stranger"].add(k, speaker, speaker.answers(voices[other]), kept)
    return {
        "heard": count, "mood": mood, "clips": float(np.mean(clips)),
        **_figures(speakers, tallies, draws),
    }


def in_turn(speaker: Speaker, order: np.ndarray) -> np.ndarray:
    """(clips, 8) probabilities of each clip, when those before it in `order` were heard."""
    assert speaker.manners is not None and speaker.prosody is not None
    manners = speaker.of_clips(speaker.manners)
    answers, usual = np.zeros((len(order), len(LABELS))), None
    for clip in order:
        here = speaker.owners == clip
        windows = speaker.prosody.known(
            speaker.probabilities[here], speaker.manners[here], usual
        )
        answers[clip] = windows.mean(axis=0)
        usual = usual_after(usual, manners[clip])
    return answers


def score_in_turn(speakers: Sequence[Speaker], draws: int = DRAWS) -> dict[str, Any] | None:
    """The figures of one group, whose clips come in any order, each answered by the earlier ones.

    stages: by how many were heard before; None if nothing is learnt from what is heard
    """
    if any(each.prosody is None or each.manners is None for each in speakers):
        return None
    tallies = {name: Tally(len(speakers)) for name in ("before", "after")}
    stages = {stage: Tally(len(speakers)) for stage in STAGES}
    for k, speaker in enumerate(speakers):
        tallies["before"].add(k, speaker, speaker.answers(), np.full(len(speaker.labels), True))
    rng = np.random.default_rng(0)
    for _ in range(draws):
        for k, speaker in enumerate(speakers):
            order = rng.permutation(len(speaker.labels))
            answers = in_turn(speaker, order)
            tallies["after"].add(k, speaker, answers, np.full(len(order), True))
            for stage, end in zip(STAGES, (*STAGES[1:], len(order))):
                here = np.zeros(len(order), bool)
                here[order[stage:end]] = True
                stages[stage].add(k, speaker, answers, here)
    everybody = np.ones(len(speakers))
    return {
        **_figures(speakers, tallies, draws),
        "stages": {
            str(stage): {"clips": int(tally.counts.sum()),
                         "ua": _ua(speakers, everybody, tally.counts)}
            for stage, tally in stages.items() if tally.counts.any()
        },
    }


def compare(
    speakers: Sequence[Speaker],
    count: int,
    draws: int = DRAWS,
    spread: float = SPREAD,
    reach: float = REACH,
) -> dict[str, Tally]:
    """The answers "before" and "after", and with a "stranger"'s voice, to the same clips.

    With another spread or reach than those of use, nobody is asked with a stranger's voice.
    """
    tallies = {name: Tally(len(speakers)) for name in ("before", "after", "stranger")}
    rng = np.random.default_rng(0)
    for _ in range(draws):
        chosen = [examples_of(speaker, count, rng) for speaker in speakers]
        learnt = [taught(speaker, here) for speaker, here in zip(speakers, chosen)]
        for k, speaker in enumerate(speakers):
            kept, other = ~chosen[k], _stranger(speakers, k)
            tallies["before"].add(k, speaker, speaker.answers(), kept)
            tallies["after"].add(k, speaker, speaker.answers(learnt[k], spread, reach), kept)
            if other is not None and (spread, reach) == (SPREAD, REACH):
                tallies["stranger"].add(k, speaker, speaker.answers(learnt[other]), kept)
    return tallies


def _stranger(speakers: Sequence[Speaker], k: int) -> int | None:
    """The next speaker of the same fold, to whom the same models have answered; None without any.
    """
    alike = [n for n, speaker in enumerate(speakers) if speaker.fold == speakers[k].fold]
    return alike[(alike.index(k) + 1) % len(alike)] if len(alike) > 1 else None


def _ua(speakers: Sequence[Speaker], weights: np.ndarray, counts: np.ndarray) -> float:
    """The mean UA of the folds; each speaker counts `weights` times."""
    folds = np.array([speaker.fold for speaker in speakers])
    values = []
    for fold in np.unique(folds):
        here = (folds == fold) & (weights > 0)
        if here.any():
            summed = np.tensordot(weights[here], counts[here], axes=1)
            values.append(float(unweighted_average_recall(summed)))
    return float(np.mean(values)) if values else float("nan")


def _gain_interval(
    speakers: Sequence[Speaker], before: np.ndarray, after: np.ndarray
) -> tuple[float, float] | None:
    """The paired bootstrap's 95 % interval of the gain, by speaker; None of too few."""
    if len(speakers) < _FEWEST:
        return None
    rng = np.random.default_rng(0)
    size = len(speakers)
    gains = []
    for weights in rng.multinomial(size, np.full(size, 1 / size), _RESAMPLES).astype(float):
        gains.append(_ua(speakers, weights, after) - _ua(speakers, weights, before))
    low, high = np.nanquantile(gains, (0.025, 0.975))
    return float(low), float(high)


def score(speakers: Sequence[Speaker], count: int, draws: int = DRAWS) -> dict[str, Any]:
    """The figures of one group of speakers, each taught by `count` clips of each emotion."""
    return {"examples": count, **_figures(speakers, compare(speakers, count, draws), draws)}


def _figures(
    speakers: Sequence[Speaker], tallies: Mapping[str, Tally], draws: int
) -> dict[str, Any]:
    everybody = np.ones(len(speakers))
    scores: dict[str, Any] = {
        "speakers": len(speakers),
        "clips_answered": int(tallies["after"].counts.sum()),
        "draws": draws,
        "gain_interval": _gain_interval(
            speakers, tallies["before"].counts, tallies["after"].counts
        ),
    }
    for name, tally in tallies.items():
        if not tally.counts.any(axis=(1, 2)).all():  # somebody is alone in a fold
            continue
        of_each = [float(unweighted_average_recall(counts)) for counts in tally.counts]
        scores[name] = {
            "ua": _ua(speakers, everybody, tally.counts),
            "wa": float(metrics.accuracy(tally.counts.sum(axis=0))),
            "macro_f1": float(metrics.macro_f1(tally.counts.sum(axis=0))),
            "ece": tally.ece(),
            "worst_speaker_ua": min(of_each),
            "by_speaker": dict(zip((speaker.name for speaker in speakers), of_each)),
            "by_gender": {
                gender: _ua(speakers, weights, tally.counts) if weights.any() else None
                for gender in GENDERS
                for weights in [np.array([float(s.gender == gender) for s in speakers])]
            },
            "confusion": tally.counts.sum(axis=0).tolist(),
        }
    return scores


def _speakers(
    clips: Sequence[Clip],
    windows: Sequence[np.ndarray],
    group: Callable[[int], tuple[str, str]],
    manners: Sequence[np.ndarray] | None = None,
    prosody: Prosody | None = None,
) -> list[Speaker]:
    """The clips with emotions by speaker; `group` gives a clip's group and fold by its index."""
    if manners is None or prosody is None or not prosody.learns:
        manners = prosody = None
    found: dict[tuple[str, str, str], list[int]] = {}
    for k, clip in enumerate(clips):
        if clip.emotion is not None:
            found.setdefault((*group(k), clip.speaker), []).append(k)
    return [
        Speaker(
            name, speaker, fold, clips[of[0]].gender, clips[of[0]].corpus,
            np.array([LABELS.index(clips[k].emotion or "") for k in of]),
            np.concatenate([windows[k] for k in of]),
            np.repeat(np.arange(len(of)), [len(windows[k]) for k in of]),
            None if manners is None else np.concatenate([manners[k] for k in of]),
            prosody,
        )
        for (name, fold, speaker), of in sorted(found.items())
    ]


def of_bundle(recognizer: Recognizer, clips: Sequence[Clip], protocol: Protocol) -> list[Speaker]:
    """The unseen speakers of the protocol, as the bundle hears them."""
    from tqdm import tqdm

    chosen = [clip for clip in clips if clip.emotion and protocol.part(clip) in UNSEEN]
    windows, manners, front_end = [], [], LogMel()
    prosody = None if recognizer.bundle is None else recognizer.bundle.prosody
    for clip in tqdm(chosen, desc="recognising", unit="clip"):
        if clip.sound:
            log_mel = front_end(to_mono_16k(*read_audio(clip.path)))
        else:
            log_mel = load_log_mel(clip)
        prediction = recognizer.predict_log_mel(log_mel)
        windows.append(np.array([list(x.probabilities.values()) for x in prediction.windows]))
        if prosody is not None:
            manners.append(np.stack([prosody.manner(x) for x in prosody_windows(log_mel)]))

    def group(k: int) -> tuple[str, str]:
        return f"{chosen[k].corpus} {protocol.part(chosen[k])}", ""

    return _speakers(chosen, windows, group, manners or None, prosody)


def of_crossval(folder: Path) -> list[Speaker]:
    """The test speakers of all folds, by the deployed form; of their clips the mean of all windows.

    SettingsError where nothing was answered yet.
    """
    files = sorted(folder.glob("fold-*/int8.npz"))
    if not files:
        raise SettingsError(f"{folder} has no fold with int8 answers: cross-validate first")
    speakers = []
    for file in files:
        answers = load_answers(file)
        tested = np.flatnonzero(np.array(answers.parts) == "test")
        path, manners = file.with_name("prosody.npz"), answers.manners
        speakers += _speakers(
            [answers.clips[k] for k in tested],
            [answers.probabilities[k][None] for k in tested],
            lambda k, file=file, answers=answers: (
                f"{answers.clips[k].corpus} {answers.protocol.name}", file.parent.name
            ),
            None if manners is None else [manners[k][None] for k in tested],
            Prosody(read_prosody(path)) if path.exists() else None,
        )
    return speakers


def by_group(speakers: Iterable[Speaker]) -> Iterator[tuple[str, list[Speaker]]]:
    """Each group's speakers."""
    groups: dict[str, list[Speaker]] = {}
    for speaker in speakers:
        groups.setdefault(speaker.group, []).append(speaker)
    yield from groups.items()


def choose(speakers: Sequence[Speaker], draws: int = DRAWS) -> list[dict[str, Any]]:
    """Of each of CHOICES, the validation groups' mean UA after teaching, for each of EXAMPLES."""
    groups = [found for name, found in by_group(speakers) if name.endswith("validation")]

    def after(found: Sequence[Speaker], count: int, spread: float, reach: float) -> float:
        tally = compare(found, count, draws, spread, reach)["after"]
        return _ua(found, np.ones(len(found)), tally.counts)

    return [
        {
            "spread": spread,
            "reach": reach,
            "ua": {
                str(count): float(np.mean([
                    after(found, count, spread, reach) for found in groups
                ]))
                for count in EXAMPLES
            },
        }
        for spread, reach in CHOICES
    ] if groups else []


def choose_known(speakers: Sequence[Speaker], draws: int = DRAWS) -> list[dict[str, Any]]:
    """Of each of KNOWN_CHOICES, the validation groups' mean figures, by how many clips were heard.

    loss: the mean of the negative logarithms of what was answered for the truth
    """
    groups = [
        found for name, found in by_group(speakers)
        if name.endswith("validation") and all(each.prosody is not None for each in found)
    ]

    def after(
        found: Sequence[Speaker], count: int, weight: float, temperature: float
    ) -> tuple[float, float, float]:
        tally, losses, rng = Tally(len(found)), [], np.random.default_rng(0)
        for _ in range(draws):
            for k, speaker in enumerate(found):
                kept = ~clips_heard(speaker, count, ANY, rng)
                usual, prosody = heard(speaker, ~kept).usual, speaker.prosody
                assert prosody is not None and speaker.manners is not None
                answers = speaker.of_clips(prosody.known(
                    speaker.probabilities, speaker.manners, usual, weight, temperature
                ))
                tally.add(k, speaker, answers, kept)
                told = answers[kept, speaker.labels[kept]]
                losses.append(-np.log(np.maximum(told, 1e-9)))
        ua = _ua(found, np.ones(len(found)), tally.counts)
        return ua, tally.ece(), float(np.concatenate(losses).mean())

    choices = []
    for weight, temperature in KNOWN_CHOICES if groups else ():
        figures = {
            str(count): np.mean(
                [after(found, count, weight, temperature) for found in groups], axis=0
            )
            for count in HEARD
        }
        choices.append({
            "weight": weight,
            "temperature": temperature,
            **{
                name: {count: float(values[k]) for count, values in figures.items()}
                for k, name in enumerate(("ua", "ece", "loss"))
            },
        })
    return choices


def among_others(
    speakers: Sequence[Speaker], others: int, count: int, draws: int = DRAWS
) -> dict[str, Any] | None:
    """The figures with a base of `others` clips of each emotion, and `count` of each speaker's own.

    None where no speaker has anybody beside them who was answered by the same models.
    """
    tallies = {name: Tally(len(speakers)) for name in ("before", "after")}
    rng = np.random.default_rng(0)
    for _ in range(draws):
        for tested, known in _shares(speakers, rng):
            base = Voice(tuple(_drawn([speakers[k] for k in known], others, rng)))
            for k in tested:
                speaker = speakers[k]
                chosen = np.zeros(len(speaker.labels), bool)
                if count:
                    chosen = examples_of(speaker, count, rng)
                voice = taught(speaker, chosen, base)
                tallies["before"].add(k, speaker, speaker.answers(), ~chosen)
                tallies["after"].add(k, speaker, speaker.answers(voice), ~chosen)
    if not tallies["after"].counts.any():
        return None
    before, after = (tallies[name].counts for name in ("before", "after"))
    everybody = np.ones(len(speakers))
    return {
        "others": others,
        "examples": count,
        "draws": draws,
        "gain_interval": _gain_interval(speakers, before, after),
        **{
            name: {"ua": _ua(speakers, everybody, tally.counts), "ece": tally.ece()}
            for name, tally in tallies.items()
        },
    }


def _shares(
    speakers: Sequence[Speaker], rng: np.random.Generator
) -> Iterator[tuple[list[int], list[int]]]:
    """Indices of those who are tested and of those who teach: all are tested once."""
    for fold in dict.fromkeys(speaker.fold for speaker in speakers):
        here = [k for k, speaker in enumerate(speakers) if speaker.fold == fold]
        drawn = [int(k) for k in rng.permutation(here)]
        parts = min(_SHARES, len(here))
        for part in range(parts if parts > 1 else 0):
            tested = drawn[part::parts]
            yield tested, [k for k in drawn if k not in tested]


def _drawn(speakers: Sequence[Speaker], count: int, rng: np.random.Generator) -> list[Example]:
    """So many examples of each emotion, of any of the speakers."""
    found: dict[str, list[Example]] = {}
    for speaker in speakers:
        for example in _examples(speaker, np.ones(len(speaker.labels), bool)):
            found.setdefault(example.emotion, []).append(example)
    return [
        of_emotion[k]
        for of_emotion in found.values()
        for k in rng.choice(len(of_emotion), min(count, len(of_emotion)), replace=False)
    ]


def in_acoustics(
    found: Mapping[str, Evaluation],
    count: int,
    draws: int = DRAWS,
    prosody: Prosody | None = None,
    named: bool = True,
) -> list[dict[str, Any]]:
    """UA by corpus and condition without a voice, and with one taught in quiet or in the same.

    found: of `training.robustness.answers_by_condition`; count: clips of each emotion that teach,
        or those in all that are heard when they are not `named`
    """

    def draw(speaker: Speaker, rng: np.random.Generator) -> np.ndarray:
        if named:
            return examples_of(speaker, count, rng)
        return clips_heard(speaker, count, ANY, rng)

    learn = taught if named else heard
    rows = []
    for condition, answers in found.items():
        pairs = zip(_of_evaluation(found["clean"], prosody), _of_evaluation(answers, prosody))
        by_corpus: dict[str, list[tuple[Speaker, Speaker]]] = {}
        for quiet, spoilt in pairs:
            by_corpus.setdefault(quiet.corpus, []).append((quiet, spoilt))
        for corpus, speakers in by_corpus.items():
            tallies = {name: Tally(len(speakers)) for name in ("before", "quiet", "same")}
            rng = np.random.default_rng(0)
            for _ in range(draws):
                for k, (quiet, spoilt) in enumerate(speakers):
                    chosen = draw(quiet, rng)
                    for name, voice in (
                        ("before", None),
                        ("quiet", learn(quiet, chosen)),
                        ("same", learn(spoilt, chosen)),
                    ):
                        tallies[name].add(k, spoilt, spoilt.answers(voice), ~chosen)
            everybody = np.ones(len(speakers))
            rows.append({
                "condition": condition,
                "corpus": corpus,
                "examples" if named else "heard": count,
                "ua": {
                    name: _ua([spoilt for _, spoilt in speakers], everybody, tally.counts)
                    for name, tally in tallies.items()
                },
            })
    return rows


def _of_evaluation(answers: Evaluation, prosody: Prosody | None) -> list[Speaker]:
    windows = [probabilities[None] for probabilities in answers.probabilities]
    manners = None if answers.manners is None else [manner[None] for manner in answers.manners]
    return _speakers(
        answers.clips, windows, lambda k: (answers.clips[k].corpus, ""), manners, prosody
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training voices`."""
    parser.add_argument("--corpora", type=Path,
                        help="folder with one folder for each corpus: the bundle is asked")
    parser.add_argument("--bundle", type=Path, default=DEFAULT_BUNDLE,
                        help="folder of the model bundle (default: the one that ships)")
    parser.add_argument("--protocol", type=Path, default=RELEASE,
                        help="split by speaker (default: the released models')")
    parser.add_argument("--crossval", type=Path, nargs="+", default=[], metavar="RUN",
                        help="cross-validations, whose int8 answers are taken as they are")
    parser.add_argument("--examples", type=int, nargs="+", default=EXAMPLES, metavar="N",
                        help="of each emotion (default: 1 2 4)")
    parser.add_argument("--heard", type=int, nargs="+", default=HEARD, metavar="N",
                        help="clips that are heard and not named (default: 2 5 10 20)")
    parser.add_argument("--others", type=int, nargs="+", default=[], metavar="N",
                        help="clips of each emotion of other speakers, of which a base is taught")
    parser.add_argument("--draws", type=int, default=DRAWS, metavar="N",
                        help=f"how often examples are drawn (default: {DRAWS})")
    parser.add_argument("--choose", action="store_true",
                        help="how validation speakers do with other values of `edge.voice.SPREAD` "
                        "and `REACH`, and of `edge.prosody.KNOWN_WEIGHT` and "
                        "`KNOWN_TEMPERATURE`")
    parser.add_argument("--acoustics", action="store_true",
                        help="the bundle in noise, rooms and a telephone's band as well, with "
                        "voices taught in quiet and in the same")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Prints the tables; writes the JSON file asked for."""
    if arguments.corpora is None and not arguments.crossval:
        raise SettingsError("name a folder by --corpora, or a cross-validation by --crossval")
    numbers = (*arguments.examples, *arguments.heard, *arguments.others, arguments.draws)
    if min(numbers) < 1:
        raise SettingsError("--examples, --heard, --others and --draws must be 1 or more")
    if arguments.corpora is None and arguments.acoustics:
        raise SettingsError("--acoustics needs the folder of --corpora")
    speakers: list[Speaker] = []
    spoilt: dict[str, Evaluation] = {}
    prosody = None
    if arguments.corpora is not None:
        protocol, clips = Protocol.load(arguments.protocol), read_corpora(arguments.corpora)
        recognizer = Recognizer(Bundle.load(arguments.bundle))
        prosody = None if recognizer.bundle is None else recognizer.bundle.prosody
        speakers += of_bundle(recognizer, clips, protocol)
        if arguments.acoustics:
            sounds = [clip for clip in clips if clip.sound]
            spoilt = answers_by_condition(recognizer, sounds, protocol)
    for folder in arguments.crossval:
        speakers += of_crossval(folder)
    content: dict[str, Any] = {
        "spread": SPREAD,
        "reach": REACH,
        "groups": {
            name: [score(found, count, arguments.draws) for count in arguments.examples]
            for name, found in by_group(speakers)
        },
    }
    unnamed = {
        name: [
            figures for mood in MOODS for count in arguments.heard
            for figures in [score_heard(found, count, mood, arguments.draws)] if figures
        ]
        for name, found in by_group(speakers)
    }
    if any(unnamed.values()):
        content["heard"] = unnamed
        content["in_turn"] = {
            name: figures for name, found in by_group(speakers)
            for figures in [score_in_turn(found, arguments.draws)] if figures
        }
    if arguments.choose:
        content["choices"] = choose(speakers, arguments.draws)
        content["known_choices"] = choose_known(speakers, arguments.draws)
    if arguments.others:
        content["others"] = {
            name: [
                figures for others in arguments.others for count in (0, *arguments.examples)
                for figures in [among_others(found, others, count, arguments.draws)] if figures
            ]
            for name, found in by_group(speakers)
        }
    if spoilt:
        content["acoustics"] = [
            row for count in arguments.examples
            for row in in_acoustics(spoilt, count, arguments.draws, prosody)
        ]
        if prosody is not None and prosody.learns:
            content["acoustics"] += [
                row for count in arguments.heard
                for row in in_acoustics(spoilt, count, arguments.draws, prosody, named=False)
            ]
    print(format_voices(content))
    if arguments.json is not None:
        write_figures(arguments.json, content)
    return 0


def format_voices(content: dict[str, Any]) -> str:
    """The tables of `run`'s figures."""
    rows = [
        (name, str(scores["speakers"]), str(scores["examples"]), *_before_and_after(scores))
        for name, of_counts in content["groups"].items() for scores in of_counts
    ]
    text = (
        "UA in per cent, over the labels that a corpus has, of the clips that did not teach:\n"
        "before and after the speaker's voice was taught by so many clips of each emotion, the\n"
        "mean of many drawings, of folds the mean of the folds. The gain is resampled by speaker.\n"
        + table(("", "speakers", "of each", "before", "after", "gain, 95 %", *GENDERS,
                 "worst speaker", "ECE", "a stranger's voice"), rows)
    )
    if content.get("heard"):
        of_nothing = [
            (name, str(scores["speakers"]), scores["mood"], f"{scores['clips']:g}",
             *_before_and_after(scores))
            for name, of_counts in content["heard"].items() for scores in of_counts
        ]
        text += "\n\nThe same of clips that were heard, of which nobody said what was meant\n"
        text += table(("", "speakers", "mood", "clips", "before", "after", "gain, 95 %", *GENDERS,
                       "worst speaker", "ECE", "a stranger's voice"), of_nothing)
    if content.get("in_turn"):
        stages = list(dict.fromkeys(
            stage for scores in content["in_turn"].values() for stage in scores["stages"]
        ))
        of_strangers = [
            (name, str(scores["speakers"]), *_before_and_after(scores)[:-1],
             *(percent(scores["stages"][stage]["ua"]) if stage in scores["stages"] else "-"
               for stage in stages))
            for name, scores in content["in_turn"].items()
        ]
        text += "\n\nThe same of all clips in turn, each answered by the earlier ones; UA from so "
        text += "many on\n" + table(
            ("", "speakers", "before", "in turn", "gain, 95 %", *GENDERS, "worst speaker", "ECE",
             *(f"{stage} heard" for stage in stages)), of_strangers
        )
    if content.get("choices"):
        counts = list(content["choices"][0]["ua"])
        chosen = [
            (str(row["spread"]), str(row["reach"]), *map(percent, row["ua"].values()))
            for row in content["choices"]
        ]
        text += "\n\nMean UA of the validation speakers, by clips of each emotion\n"
        text += table(("spread", "reach", *counts), chosen)
    if content.get("known_choices"):
        counts = list(content["known_choices"][0]["ua"])
        told = [
            (str(row["weight"]), str(row["temperature"]), *map(percent, row["ua"].values()),
             *map(percent, row["ece"].values()), *(f"{loss:.3f}" for loss in row["loss"].values()))
            for row in content["known_choices"]
        ]
        text += "\n\nThe same by clips heard, with prosody's weight and temperature for the known\n"
        text += table(("weight", "temperature", *(
            f"{name}, {count}" for name in ("UA", "ECE", "loss") for count in counts
        )), told)
    if content.get("others"):
        known = [
            (name, str(row["others"]), str(row["examples"]), percent(row["before"]["ua"]),
             percent(row["after"]["ua"]), _interval(row["gain_interval"]),
             f"{percent(row['before']['ece'])} > {percent(row['after']['ece'])}")
            for name, of_group in content["others"].items() for row in of_group
        ]
        text += "\n\nUA with a base of other speakers, and clips of one's own\n"
        text += table(("", "of others, each", "own, each", "before", "after", "gain, 95 %", "ECE"),
                      known)
    if content.get("acoustics"):
        spoilt = [
            (row["corpus"], row["condition"],
             f"{row['examples']} of each" if "examples" in row else f"{row['heard']} heard",
             *map(percent, row["ua"].values()))
            for row in content["acoustics"]
        ]
        text += "\n\nUA in bad acoustics, the voice taught in quiet or in the same\n"
        text += table(("", "", "clips", "before", "taught in quiet", "in the same"), spoilt)
    return text


def _before_and_after(scores: Mapping[str, Any]) -> tuple[str, ...]:
    before, after, stranger = scores["before"], scores["after"], scores.get("stranger")
    return (
        percent(before["ua"]), percent(after["ua"]), _interval(scores["gain_interval"]),
        *(f"{_percent(before['by_gender'][g])} > {_percent(after['by_gender'][g])}"
          for g in GENDERS),
        f"{percent(before['worst_speaker_ua'])} > {percent(after['worst_speaker_ua'])}",
        f"{percent(before['ece'])} > {percent(after['ece'])}",
        "-" if stranger is None else percent(stranger["ua"]),
    )


def _interval(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else " ... ".join(percent(end, sign=True) for end in interval)


def _percent(share: float | None) -> str:
    return "-" if share is None else percent(share)
