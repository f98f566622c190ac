"""A person who is known: how they usually sound, and how their voice leans.

    voice = Voice()
    for path in ("monday.wav", "tuesday.wav", "wednesday.wav"):
        voice = voice.heard(recognizer.predict(path))
    recognizer.predict("later.wav", voice=voice)

Nobody has to say what was meant: a voice that is usually high is not excited for being high. What
a recording is judged by is how it differs from what was heard before. Who does say what was meant
is heard better still:

    for path, emotion in (("plain.wav", "neutral"), ("glad.wav", "happy"), ("cross.wav", "angry")):
        voice = voice.taught(recognizer.predict(path), emotion)
    recognizer.predict("later.wav", voice=voice)

Most of what goes wrong with one person goes wrong each time: somebody's happy voice is taken for a
fearful one, another one's calm for sad. What was taught is what the logarithms of the probabilities
are corrected by: a number for each emotion, and how much the probability of each says for each. A
voice keeps no sound, only eight numbers of what is usual, and what was answered to the examples.
`docs/voices.md` has what that gains.

A voice can be of many people, too: of those who speak another language, play or feel in another
way, or sit before other microphones than anybody whom the models have heard. Somebody among them is
then `Voice(base=theirs)`, and is known all the better.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import SettingsError
from edge.labels import LABELS
from edge.prosody import Prosody, Usual, seen_of

if TYPE_CHECKING:
    from edge.events import Turn
    from edge.prediction import Prediction

FORMAT = 1
"""Of the files that `Voice.save` writes; FORMAT_WITH_BASE of a voice that has a base, and
FORMAT_WITH_USUAL of one that has heard what nobody put a name to."""

FORMAT_WITH_BASE = 2
FORMAT_WITH_USUAL = 3

SPREAD = 1.5
"""How much voices are thought to lean before any example is heard: the standard deviation of what
is added to a log-probability."""

REACH = 0.33
"""How much one log-probability is thought to say for others: the standard deviation of what it is
multiplied by before it is added to another."""

EXAMPLES_OF_AN_EMOTION = 50
"""Of more of them, a voice forgets the oldest."""

CLIPS_REMEMBERED = 100
"""Of those that a voice has heard; what is usual then moves on with each by so many-eth."""

CLIPS_OF_BASE = 2
"""That what is usual with the people of a base counts for, beside a person's own."""

_LEAST = 1e-4  # of a probability, before its logarithm is taken


@dataclass(frozen=True)
class Example:
    """One recording of the person: what they meant, and what was answered."""

    emotion: str
    """One of `edge.LABELS`: the truth."""
    probabilities: dict[str, float]
    """What was answered without knowing the voice, over the labels that were asked for."""
    manner: tuple[float, ...] = ()
    """As of the prediction; () where nobody kept it."""

    @classmethod
    def of(cls, prediction: Prediction, emotion: str) -> Example:
        """Of a recording of the person, whether it was heard with a voice or without.

        Raises SettingsError for an emotion that is no label of the prediction.
        """
        example = cls(emotion, _without_voice(prediction), prediction.manner)
        example.check()
        return example

    def check(self) -> None:
        """Raises SettingsError when the emotion is none of those that were asked for."""
        if self.emotion not in self.probabilities:
            labels = tuple(self.probabilities)
            raise SettingsError(f"the emotion must be one of {labels}, got {self.emotion!r}")

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        content: dict[str, Any] = {
            "emotion": self.emotion, "probabilities": dict(self.probabilities)
        }
        return content | ({"manner": list(self.manner)} if self.manner else {})


@dataclass(frozen=True)
class Voice:
    """What is known of one person's voice.

    It never changes: `heard` and `taught` give another one.
    """

    examples: tuple[Example, ...] = ()
    """In the order in which they were taught."""
    models: str = ""
    """Name and version of the bundle that answered to them, such as "default 0.6.0"; "" before the
    first one, and of a recogniser that was made from parts. Another bundle leans otherwise, and
    refuses the voice."""
    base: Voice | None = None
    """Of the people that this is one of, taught by many of them; it is heard first, and the
    examples tell what is left to learn."""
    usual: Usual | None = None
    """What `heard` has heard: how many `clips`, and where the `middle` of their manners lies; None
    without any."""

    def heard(self, prediction: Prediction | Turn) -> Voice:
        """This voice, and one more recording of it, of which nobody says what was meant.

        prediction: of a recording of the person, whether with this voice, another or none; or a
            turn of theirs, as a stream tells it. One without speech changes nothing.

        Five recordings in which the person is not always in the same mood are a good beginning.

        Raises SettingsError for one of other models, or of models that learn nothing from this.
        """
        if "no_speech" in getattr(prediction, "flags", ()) or not getattr(
            prediction, "segments", True
        ):
            return self
        if not prediction.manner:
            raise SettingsError(
                f"{_named(prediction.models)} learn nothing from what nobody puts a name to: "
                "teach an emotion by it"
            )
        self._check_same(prediction.models)
        return replace(
            self, models=prediction.models, usual=usual_after(self.usual, prediction.manner)
        )

    def taught(self, prediction: Prediction, emotion: str) -> Voice:
        """This voice, and one more example of it.

        prediction: of a recording of the person, by the models that answered to the other
            examples; whether with this voice, another or none is the same.
        emotion: what the person meant, one of the labels of the prediction.

        One example of each emotion is a good beginning. Emotions without an example are not told
        better from each other than by what is usual with the person, of which every example says
        something.

        Raises SettingsError for another emotion, and a prediction of other models.
        """
        return self.with_example(Example.of(prediction, emotion), prediction.models)

    def with_example(self, example: Example, models: str) -> Voice:
        """This voice, and an example that was kept by whoever may take it back later.

        models: of the prediction that it is of. Raises SettingsError when they are other ones, and
            as `Example.check`.
        """
        example.check()
        self._check_same(models)
        return replace(self, examples=_latest((*self.examples, example)), models=models)

    def without(self, which: str | Example) -> Voice:
        """This voice, but for all examples of an emotion, or for one example.

        Of equal examples the last one goes; one that was never taught changes nothing.
        """
        if isinstance(which, Example):
            place = len(self.examples) - 1
            while place >= 0 and self.examples[place] != which:
                place -= 1
            kept = tuple(
                example for number, example in enumerate(self.examples) if number != place
            )
        else:
            kept = tuple(example for example in self.examples if example.emotion != which)
        return replace(self, examples=kept, models=self.models if kept or self.usual else "")

    def counts(self) -> dict[str, int]:
        """How many examples there are of each emotion that has any, in the order of LABELS."""
        found = Counter(example.emotion for example in self.examples)
        return {label: found[label] for label in LABELS if found[label]}

    @cached_property
    def correction(self) -> Correction:
        """What makes the examples' emotions likeliest, after the base; see `fitted_correction`.

        Where nobody is judged by what is usual with them.
        """
        return fitted_correction(self.examples, base=self.base)

    def heard_in(
        self,
        distribution: NDArray[np.float64],
        manner: NDArray[np.float64] | None = None,
        prosody: Prosody | None = None,
    ) -> NDArray[np.float64]:
        """(..., 8) probabilities of all labels, when it is this person who speaks.

        manner: of the windows, and prosody, which judged it; None where there is none
        """
        usual = self.usual_with(prosody)
        if prosody is not None and manner is not None and usual is not None:
            distribution = prosody.known(distribution, manner, usual)
        return self.corrected(distribution, prosody)

    def corrected(
        self, distribution: NDArray[np.float64], prosody: Prosody | None
    ) -> NDArray[np.float64]:
        """(..., 8) probabilities in which what is usual is known, by what was taught."""
        if self.base is not None:
            distribution = self.base.corrected(distribution, prosody)
        return self._known_to(prosody)[1](distribution)

    def usual_with(self, prosody: Prosody | None) -> Usual | None:
        """What is usual with the person, by all that was heard and taught; None if nothing is.

        The people of a base count for CLIPS_OF_BASE clips at most.
        """
        return self._known_to(prosody)[0]

    def _known_to(self, prosody: Prosody | None) -> tuple[Usual | None, Correction]:
        """What is usual, and the correction when that is known; kept for the last one asked for."""
        if prosody is None or not prosody.learns:
            return None, self.correction
        kept: tuple[Prosody, Usual | None, Correction] | None = self.__dict__.get("_known")
        if kept is None or kept[0] is not prosody:
            usual = self._usual_to(prosody)
            correction = fitted_correction(self.examples, base=self.base, prosody=prosody,
                                           usual=usual)
            kept = prosody, usual, correction
            self.__dict__["_known"] = kept  # as cached_property does
        return kept[1], kept[2]

    def _usual_to(self, prosody: Prosody) -> Usual | None:
        known = [
            (1, prosody.middle(each.manner, each.emotion)) for each in self.examples if each.manner
        ]
        if self.usual is not None:
            known.append((self.usual.clips, np.array(self.usual.middle)))
        base = None if self.base is None else self.base.usual_with(prosody)
        if base is not None:
            known.append((min(base.clips, CLIPS_OF_BASE), np.array(base.middle)))
        if not known:
            return None
        counts = [count for count, _ in known]
        middle = np.average([each for _, each in known], axis=0, weights=counts)
        return Usual(sum(counts), tuple(map(float, middle)))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, which `from_dict` takes."""
        content = {
            "format": FORMAT,
            "models": self.models,
            "examples": [example.to_dict() for example in self.examples],
        }
        if self.base is not None:
            content |= {"format": FORMAT_WITH_BASE, "base": self.base.to_dict()}
        if self.usual is not None:
            usual = {"clips": self.usual.clips, "middle": list(self.usual.middle)}
            content |= {"format": FORMAT_WITH_USUAL, "usual": usual}
        return content

    @classmethod
    def from_dict(cls, content: Any) -> Voice:
        """Raises SettingsError for what `to_dict` does not give."""
        form = content.get("format") if isinstance(content, Mapping) else None
        if form not in (FORMAT, FORMAT_WITH_BASE, FORMAT_WITH_USUAL):
            raise SettingsError(
                f"no voice of format {FORMAT}, {FORMAT_WITH_BASE} or {FORMAT_WITH_USUAL}"
            )
        examples, models = content.get("examples"), content.get("models")
        if not isinstance(examples, list) or not isinstance(models, str):
            raise SettingsError('the voice lacks its "examples" or its "models"')
        has_base = form == FORMAT_WITH_BASE or (form == FORMAT_WITH_USUAL and "base" in content)
        base = cls.from_dict(content.get("base")) if has_base else None
        usual = _usual(content.get("usual")) if form == FORMAT_WITH_USUAL else None
        return cls(_latest(tuple(map(_example, examples))), models, base, usual)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a JSON file, whole or not at all. Raises OSError."""
        path = Path(path)
        aside = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            aside.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Voice:
        """Reads what `save` wrote. Raises SettingsError, which names the file."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError) as error:  # SettingsError is a ValueError
            reason = getattr(error, "strerror", None) or error
            raise SettingsError(f"voice {os.fspath(path)} cannot be read: {reason}") from error

    def check_models(self, models: str) -> None:
        """Raises SettingsError when it, or its base, was taught to other models than these."""
        for voice in self._line():
            if voice.knows_anything and voice.models != models:
                raise SettingsError(
                    f"the voice was taught to {_named(voice.models)}, and these are "
                    f"{_named(models)}; teach it anew"
                )

    @property
    def knows_anything(self) -> bool:
        """Whether it has heard or was taught anything itself, its base aside."""
        return bool(self.examples) or self.usual is not None

    def __getstate__(self) -> dict[str, Any]:
        """What it is, without what was worked out from that."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _check_same(self, models: str) -> None:
        for voice in self._line():
            if voice.knows_anything and models != voice.models:
                raise SettingsError(
                    f"the voice was taught to {_named(voice.models)}, and the prediction is of "
                    f"{_named(models)}; begin with a new Voice()"
                )

    def _line(self) -> Iterator[Voice]:
        """Itself, its base, and the base's."""
        voice: Voice | None = self
        while voice is not None:
            yield voice
            voice = voice.base


@dataclass(frozen=True, eq=False)
class Correction:
    """What a voice does to probabilities, when their logarithms are l:

        l + constants + (l - mean of l) @ weights

    of the emotions that were taught, each l at least the logarithm of a ten-thousandth of them.
    """

    constants: NDArray[np.float64]
    """(8,) in the order of LABELS, 0 where nothing was taught."""
    weights: NDArray[np.float64]
    """(8, 8) how much each (row) says for each (column)."""
    taught: NDArray[np.bool_]
    """(8,) the emotions that are told from each other; none when nothing is corrected."""

    @classmethod
    def nothing(cls) -> Correction:
        """Leaves everything as it is."""
        size = len(LABELS)
        return cls(np.zeros(size), np.zeros((size, size)), np.zeros(size, bool))

    def __call__(self, distribution: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 8) probabilities to (..., 8) probabilities."""
        if not self.taught.any():
            return distribution
        # What was not taught has a constant and weights of 0, and stays as it is.
        corrected = distribution * np.exp(
            self.constants + _centred_logarithms(distribution, self.taught) @ self.weights
        )
        total = corrected.sum(axis=-1, keepdims=True)
        heard = total > 0.0
        shares: NDArray[np.float64] = np.where(
            heard, corrected / np.where(heard, total, 1.0), distribution
        )
        return shares


def usual_after(usual: Usual | None, manner: ArrayLike) -> Usual:
    """What is usual with somebody when one more clip of theirs, of that manner, was heard."""
    clips = 1 if usual is None else min(usual.clips + 1, CLIPS_REMEMBERED)
    seen = seen_of(manner)
    middle = np.zeros(len(LABELS)) if usual is None else np.array(usual.middle)
    return Usual(clips, tuple(map(float, middle + (seen - middle) / clips)))


def fitted_correction(
    examples: Sequence[Example],
    spread: float = SPREAD,
    reach: float = REACH,
    base: Voice | None = None,
    prosody: Prosody | None = None,
    usual: Usual | None = None,
) -> Correction:
    """What makes the examples' emotions likeliest, as they are heard with the base.

    prosody, usual: as of `Prosody.known`, when what is usual is known before; or neither

    Emotions that were taught are told from each other, each with the say of the one that has the
    fewest examples; the others are left alone. All numbers are drawn towards 0, the less the larger
    `spread` (of the constants) and `reach` (of the weights) are: logistic regression beside what
    was answered, solved by Newton's method.
    """
    found = Counter(example.emotion for example in examples)
    labels = [label for label in LABELS if found[label]]
    if len(labels) < 2:
        return Correction.nothing()
    asked = np.array([[label in example.probabilities for label in LABELS] for example in examples])
    shares = np.array([
        [example.probabilities.get(label, 0.0) for label in LABELS] for example in examples
    ])
    if prosody is not None and usual is not None:
        kept = [number for number, example in enumerate(examples) if example.manner]
        if kept:
            manners = np.array([examples[number].manner for number in kept])
            shares[kept] = prosody.known(shares[kept], manners, usual)
    if base is not None:
        shares = base.corrected(shares, prosody)
    taught = np.array([label in labels for label in LABELS])
    asked, shares = asked[:, taught], shares[:, taught]
    truth = np.array([labels.index(example.emotion) for example in examples])
    rarest = min(found[label] for label in labels)
    weights = np.array([rarest / found[example.emotion] for example in examples])
    inputs = np.concatenate([np.ones((len(examples), 1)), _centred_logarithms(shares, asked)], 1)
    precision = np.array([1.0 / spread**2] + len(labels) * [1.0 / reach**2])
    logs = np.where(asked, np.log(np.maximum(shares, _LEAST)), -np.inf)
    solved = _regression(logs, inputs, truth, weights, precision)
    correction = Correction.nothing()
    correction.taught[:] = taught
    correction.constants[taught] = solved[0]
    correction.weights[np.ix_(taught, taught)] = solved[1:]
    for array in (correction.constants, correction.weights, correction.taught):
        array.flags.writeable = False
    return correction


def _centred_logarithms(
    shares: NDArray[np.float64], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(..., n) logarithms of the known shares, as of all, from their mean; 0 of the others."""
    shares = shares * known
    total = shares.sum(axis=-1, keepdims=True)
    logs = np.log(np.maximum(shares / np.where(total > 0.0, total, 1.0), _LEAST))
    mean = (logs * known).sum(axis=-1, keepdims=True) / known.sum(axis=-1, keepdims=True)
    centred: NDArray[np.float64] = (logs - mean) * known
    return centred


def _regression(
    logs: NDArray[np.float64],
    inputs: NDArray[np.float64],
    truth: NDArray[np.intp],
    weights: NDArray[np.float64],
    precision: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(inputs, labels) factors: `inputs @ factors` is added to the rows of `logs`.

    A step of Newton's method is halved until it is a step down: far from the minimum, after a
    confident wrong answer, the whole one may lead away.
    """
    rows, (wide, labels) = np.arange(len(logs)), (inputs.shape[1], logs.shape[1])
    drawn = np.repeat(precision, labels)

    def loss(factors: NDArray[np.float64]) -> float:
        scores = logs + inputs @ factors
        most = scores.max(axis=1)
        normal = most + np.log(np.exp(scores - most[:, None]).sum(axis=1))
        penalty = 0.5 * float(drawn @ (factors.ravel() ** 2))
        return float(weights @ (normal - scores[rows, truth])) + penalty

    factors = np.zeros((wide, labels))
    least = loss(factors)
    for _ in range(100):
        scores = logs + inputs @ factors
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        missed = shares.copy()
        missed[rows, truth] -= 1.0
        missed *= weights[:, None]
        gradient = (inputs.T @ missed).ravel() + drawn * factors.ravel()
        # Of the examples' curvatures (diag(p) - p p') x (x x'), with p the shares, x the inputs.
        outer = (inputs[:, :, None] * shares[:, None, :]).reshape(len(rows), -1)
        curvature = -(outer * weights[:, None]).T @ outer
        alike = np.einsum("n,na,nb,ni->iab", weights, inputs, inputs, shares, optimize=True)
        for label in range(labels):
            curvature[label::labels, label::labels] += alike[label]
        curvature[np.diag_indices_from(curvature)] += drawn
        step = np.linalg.solve(curvature, gradient).reshape(factors.shape)
        found = loss(factors - step)
        while found > least and np.abs(step).max() > 1e-9:
            step *= 0.5
            found = loss(factors - step)
        if found >= least:
            break
        factors, least = factors - step, found
    return factors


def _without_voice(prediction: Prediction) -> dict[str, float]:
    """The probabilities that the prediction would have without its voice."""
    plain = prediction.without_voice
    return dict(prediction.probabilities if plain is None else plain)


def _latest(examples: tuple[Example, ...]) -> tuple[Example, ...]:
    """Without the oldest of an emotion that has too many."""
    left = Counter(example.emotion for example in examples)
    kept = []
    for example in examples:
        left[example.emotion] -= 1
        if left[example.emotion] < EXAMPLES_OF_AN_EMOTION:
            kept.append(example)
    return tuple(kept)


def _example(content: Any) -> Example:
    problem = SettingsError("an example of the voice is not as it was written")
    if not isinstance(content, Mapping):
        raise problem
    emotion, probabilities = content.get("emotion"), content.get("probabilities")
    if not isinstance(emotion, str) or not isinstance(probabilities, Mapping):
        raise problem
    for label, value in probabilities.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if label not in LABELS or not number or not 0.0 <= value <= 1.0:
            raise problem
    manner = content.get("manner", [])
    sizes = (2 * len(LABELS), 2 * len(LABELS) + 1)  # as of `Prosody.manners`
    if manner and not any(_are_numbers(manner, size) for size in sizes):
        raise problem
    example = Example(
        emotion, {label: float(value) for label, value in probabilities.items()},
        tuple(map(float, manner)),
    )
    example.check()
    return example


def _usual(content: Any) -> Usual:
    known: Mapping[Any, Any] = content if isinstance(content, Mapping) else {}
    clips, middle = known.get("clips"), known.get("middle")
    counted = isinstance(clips, int) and not isinstance(clips, bool) and clips > 0
    if not counted or not _are_numbers(middle, len(LABELS)):
        raise SettingsError("what is usual with the voice is not as it was written")
    return Usual(min(int(known["clips"]), CLIPS_REMEMBERED), tuple(map(float, known["middle"])))


def _are_numbers(values: Any, count: int) -> bool:
    return isinstance(values, list) and len(values) == count and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        for value in values
    )


def _named(models: str) -> str:
    return f"the models {models}" if models else "models of no bundle"
