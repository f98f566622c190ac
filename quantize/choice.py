"""Which variant of each expert to ship: decided on validation speakers alone.

Variants differ by a few clips, mostly by luck, and int8 is to answer as the float experts do: a
variant that seems better has changed answers as one that seems worse. What counts of a change of UA
is therefore the end of its 95 % interval that is farther from no change. A variant that leaves the
labels alone has both ends near.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from edge.emotion import TFLiteExpert
from edge.labels import GENDERS, LABELS
from quantize.errors import QuantizeError
from quantize.gate import Verdict, judge
from quantize.proof import WHOLE, Proof
from quantize.settings import Thresholds
from quantize.temperature import fitted_temperature
from quantize.variants import Variant
from quantize.windows import ClipWindows, Rehearsal
from training import metrics
from training.evaluation import Evaluation

_PARTS = ("validation",)


def worse_gender(evaluation: Evaluation) -> float:
    """UA of the gender that is heard worse, the mean over the corpora where both are validated."""
    by_corpus = [
        [evaluation.emotion(corpus, part, gender).ua for gender in GENDERS]
        for corpus, part in evaluation.groups()
        if part in _PARTS
    ]
    both = [pair for pair in by_corpus if np.isfinite(pair).all()]
    return float(np.mean(both, axis=0).min()) if both else 0.0


class Contest:
    """Scores variants, and pairs of them, beside the float experts.

    float_logits: by gender, (windows, 8) of all validation windows
    factor: what an expert's own temperature is multiplied by, see `common_factor`
    """

    def __init__(
        self, windows: ClipWindows, rehearsal: Rehearsal, float_logits: Mapping[str, np.ndarray],
        float_temperatures: Mapping[str, float], thresholds: Thresholds, factor: float = 1.0,
    ) -> None:
        self._windows = windows
        self._rehearsal = rehearsal
        self._float_logits = dict(float_logits)
        self._float_temperatures = dict(float_temperatures)
        self._thresholds = thresholds
        self._factor = factor
        self._exact = rehearsal.evaluation(float_logits, float_temperatures)

    def measured(self, gender: str, method: str, model: bytes) -> Variant:
        """A variant with its temperature and its scores, the other gender's expert left float."""
        logits = self._windows.logits(TFLiteExpert(model, name=f"{gender} {method}"))
        own = fitted_temperature(self._windows, logits, gender)
        temperature = round(own * self._factor, 4)
        proof = self._proof(
            {**self._float_logits, gender: logits},
            {**self._float_temperatures, gender: temperature},
        )
        row = proof.find(f"{gender} expert", "validation")
        losses = [
            check.value for check in self._verdict(proof).checks
            if check.system == row.system and check.what == "recall loss"
        ]
        return Variant(
            gender, method, model, logits, temperature, 100 * row.ua_int8,
            100 * (row.ua_float - row.ua_int8),
            -100 * self._change(proof, row.system).low,
            max(losses, default=0.0), 100 * row.agreement,
        )

    def best(self, variants: Sequence[Variant], size_budget: int) -> dict[str, Variant]:
        """The pair whose validation UA of the whole is surest to be that of the float experts.

        Within 0.1 point, the one that hears the worse heard gender better; of those, the smaller.
        A pair that breaks the gate on validation clips stands back behind those that hold it.
        QuantizeError when no variant of a gender is within the budget of bytes.
        """
        small = {
            gender: [v for v in variants if v.gender == gender and len(v.model) <= size_budget]
            for gender in GENDERS
        }
        for gender, candidates in small.items():
            if not candidates:
                least = min(len(v.model) for v in variants if v.gender == gender)
                raise QuantizeError(
                    f"no {gender} expert is within {size_budget} bytes; the smallest has {least}: "
                    "raise --size-budget, or train a smaller network"
                )
        pairs = [dict(zip(GENDERS, pair)) for pair in itertools.product(*small.values())]
        return max(pairs, key=self._merit)

    def _merit(self, pair: Mapping[str, Variant]) -> tuple[bool, float, float, int, int]:
        logits = {gender: variant.logits for gender, variant in pair.items()}
        temperatures = {gender: variant.temperature for gender, variant in pair.items()}
        proof = self._proof(logits, temperatures)
        return (
            self._verdict(proof).passed,
            -round(100.0 * self._largest_change(proof, WHOLE), 1),
            round(100.0 * worse_gender(self._rehearsal.evaluation(logits, temperatures)), 1),
            -sum(len(variant.model) for variant in pair.values()),
            -sum(variant.graph.compressed_size for variant in pair.values()),
        )

    def _largest_change(self, proof: Proof, system: str) -> float:
        """The most that UA may have changed by, up or down, at most 1."""
        change = self._change(proof, system)
        return max(abs(change.low), abs(change.high))

    def _change(self, proof: Proof, system: str) -> metrics.Interval:
        """UA of int8 minus that of float on validation clips."""
        exact, int8, _ = proof.answers(system)
        chosen = proof.members(system, "validation")
        return metrics.bootstrap(
            metrics.unweighted_average_recall, proof.truth[chosen], int8.labels[chosen],
            len(LABELS), baseline=exact.labels[chosen], resamples=1000,
        )

    def _proof(self, logits: dict[str, np.ndarray], temperatures: dict[str, float]) -> Proof:
        int8 = self._rehearsal.evaluation(logits, temperatures)
        return Proof(self._exact, int8, int8, resamples=1)  # its intervals are of no use here

    def _verdict(self, proof: Proof) -> Verdict:
        return judge(proof, self._thresholds, _PARTS)
