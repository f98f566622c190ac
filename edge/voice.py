"""A person who is known: how their voice leans, taught by a few of their own recordings.

    voice = Voice()
    for path, emotion in (("plain.wav", "neutral"), ("glad.wav", "happy"), ("cross.wav", "angry")):
        voice = voice.taught(recognizer.predict(path), emotion)
    recognizer.predict("later.wav", voice=voice)

Most of what goes wrong with one person goes wrong each time: somebody's happy voice is taken for a
fearful one, another one's calm for sad. A voice is a number for each emotion that is added to the
logarithm of its probability. It keeps no sound, only what was answered to the examples.
`docs/voices.md` has what that gains.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError
from edge.labels import LABELS

if TYPE_CHECKING:
    from edge.prediction import Prediction

FORMAT = 1
"""Of the files that `Voice.save` writes."""

SPREAD = 1.5
"""How much voices are thought to lean before any example is heard: the standard deviation of what
is added to a log-probability."""

EXAMPLES_OF_AN_EMOTION = 50
"""Of more of them, a voice forgets the oldest."""

_LEAST = 1e-6  # of a probability, before its logarithm is taken


@dataclass(frozen=True)
class Example:
    """One recording of the person: what they meant, and what was answered."""

    emotion: str
    """One of `edge.LABELS`: the truth."""
    probabilities: dict[str, float]
    """What was answered without knowing the voice, over the labels that were asked for."""

    @classmethod
    def of(cls, prediction: Prediction, emotion: str) -> Example:
        """Of a recording of the person, whether it was heard with a voice or without.

        Raises SettingsError for an emotion that is no label of the prediction.
        """
        example = cls(emotion, _unbiased(prediction))
        example.check()
        return example

    def check(self) -> None:
        """Raises SettingsError when the emotion is none of those that were asked for."""
        if self.emotion not in self.probabilities:
            labels = tuple(self.probabilities)
            raise SettingsError(f"the emotion must be one of {labels}, got {self.emotion!r}")

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"emotion": self.emotion, "probabilities": dict(self.probabilities)}


@dataclass(frozen=True)
class Voice:
    """What is known of one person's voice. It never changes: `taught` gives another one."""

    examples: tuple[Example, ...] = ()
    """In the order in which they were taught."""
    models: str = ""
    """Name and version of the bundle that answered to them, such as "default 0.6.0"; "" before the
    first one, and of a recogniser that was made from parts. Another bundle leans otherwise, and
    refuses the voice."""

    def taught(self, prediction: Prediction, emotion: str) -> Voice:
        """This voice, and one more example of it.

        prediction: of a recording of the person, by the models that answered to the other
            examples; whether with this voice, another or none is the same.
        emotion: what the person meant, one of the labels of the prediction.

        One example of each emotion is a good beginning. Emotions without an example stay as they
        are, and the examples of one emotion alone change nothing: it takes two to tell apart.

        Raises SettingsError for another emotion, and a prediction of other models.
        """
        return self.with_example(Example.of(prediction, emotion), prediction.models)

    def with_example(self, example: Example, models: str) -> Voice:
        """This voice, and an example that was kept by whoever may take it back later.

        models: of the prediction that it is of. Raises SettingsError when they are other ones, and
            as `Example.check`.
        """
        example.check()
        if self.examples and models != self.models:
            raise SettingsError(
                f"the voice was taught to {_named(self.models)}, and the prediction is of "
                f"{_named(models)}; begin with a new Voice()"
            )
        return Voice(_latest((*self.examples, example)), models)

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
        return Voice(kept, self.models if kept else "")

    def counts(self) -> dict[str, int]:
        """How many examples there are of each emotion that has any, in the order of LABELS."""
        found = Counter(example.emotion for example in self.examples)
        return {label: found[label] for label in LABELS if found[label]}

    @cached_property
    def bias(self) -> NDArray[np.float64]:
        """(8,) what is added to the logarithms of the probabilities, in the order of LABELS.

        See `fitted_bias`.
        """
        bias = fitted_bias(self.examples)
        bias.flags.writeable = False
        return bias

    def heard_in(self, distribution: NDArray[np.float64]) -> NDArray[np.float64]:
        """(8,) probabilities of all labels, when it is this person who speaks."""
        if not self.bias.any():
            return distribution
        leaning = distribution * np.exp(self.bias)
        total = leaning.sum()
        return leaning / total if total > 0.0 else distribution

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, which `from_dict` takes."""
        return {
            "format": FORMAT,
            "models": self.models,
            "examples": [example.to_dict() for example in self.examples],
        }

    @classmethod
    def from_dict(cls, content: Any) -> Voice:
        """Raises SettingsError for what `to_dict` does not give."""
        if not isinstance(content, Mapping) or content.get("format") != FORMAT:
            raise SettingsError(f"no voice of format {FORMAT}")
        examples, models = content.get("examples"), content.get("models")
        if not isinstance(examples, list) or not isinstance(models, str):
            raise SettingsError('the voice lacks its "examples" or its "models"')
        return cls(_latest(tuple(map(_example, examples))), models)

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
        """Raises SettingsError when it was taught to other models than these."""
        if self.examples and self.models != models:
            raise SettingsError(
                f"the voice was taught to {_named(self.models)}, and these are {_named(models)}; "
                "teach it anew"
            )


def fitted_bias(examples: Sequence[Example], spread: float = SPREAD) -> NDArray[np.float64]:
    """(8,) what makes the examples' emotions likeliest, added to log-probabilities.

    Emotions that were taught are told from each other, each with the say of the one that has the
    fewest examples; the others have 0. The sum is 0, and all are drawn towards it, the less the
    larger `spread` is: logistic regression of constants alone, solved by Newton's method.
    """
    found = Counter(example.emotion for example in examples)
    taught = [index for index, label in enumerate(LABELS) if found[label]]
    fitted = np.zeros(len(LABELS))
    if len(taught) < 2:
        return fitted
    labels = [LABELS[index] for index in taught]
    logs = np.full((len(examples), len(labels)), -np.inf)  # of labels that were not asked for
    truth = np.zeros_like(logs)
    for row, example in enumerate(examples):
        for column, label in enumerate(labels):
            if label in example.probabilities:
                logs[row, column] = np.log(max(example.probabilities[label], _LEAST))
        truth[row, labels.index(example.emotion)] = 1.0
    rarest = min(found[label] for label in labels)
    weights = np.array([rarest / found[example.emotion] for example in examples])
    fitted[taught] = _logistic_constants(logs, truth, weights, 1.0 / spread**2)
    return fitted


def _logistic_constants(
    logs: NDArray[np.float64],
    truth: NDArray[np.float64],
    weights: NDArray[np.float64],
    precision: float,
) -> NDArray[np.float64]:
    """(labels,) added to the rows of `logs`; see `fitted_bias`.

    A step of Newton's method is halved until it is a step down: far from the minimum, after a
    confident wrong answer, the whole one may lead away.
    """

    def loss(bias: NDArray[np.float64]) -> float:
        scores = logs + bias
        most = scores.max(axis=1)
        normal = most + np.log(np.exp(scores - most[:, None]).sum(axis=1))
        right = scores[np.arange(len(scores)), truth.argmax(axis=1)]
        return float(weights @ (normal - right) + 0.5 * precision * bias @ bias)

    bias = np.zeros(logs.shape[1])
    least = loss(bias)
    for _ in range(100):
        scores = logs + bias
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        weighed = shares * weights[:, None]
        gradient = (weighed - truth * weights[:, None]).sum(axis=0) + precision * bias
        curvature = np.diag(weighed.sum(axis=0) + precision) - shares.T @ weighed
        step = np.linalg.solve(curvature, gradient)
        found = loss(bias - step)
        while found > least and np.abs(step).max() > 1e-9:
            step *= 0.5
            found = loss(bias - step)
        if found >= least:
            break
        bias, least = bias - step, found
    return bias


def _unbiased(prediction: Prediction) -> dict[str, float]:
    """The probabilities that the prediction would have without its voice."""
    voice = prediction.voice
    if voice is None or not voice.bias.any():
        return dict(prediction.probabilities)
    labels = tuple(prediction.probabilities)
    weights = np.exp(-voice.bias[[LABELS.index(label) for label in labels]])
    rows = np.array([list(window.probabilities.values()) for window in prediction.windows])
    rows = rows * weights
    mean = (rows / rows.sum(axis=1, keepdims=True)).mean(axis=0)
    return dict(zip(labels, map(float, mean)))


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
    example = Example(emotion, {label: float(value) for label, value in probabilities.items()})
    example.check()
    return example


def _named(models: str) -> str:
    return f"the models {models}" if models else "models of no bundle"
