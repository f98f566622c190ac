"""The gate that a bundle has to pass: what int8 may cost, and whether it costs no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from quantize.proof import SYSTEMS, WHOLE_TRUE, Comparison, Proof
from quantize.settings import Thresholds

_TOLERANCE = 1e-9  # so that a loss of exactly the limit holds in floating point, too


@dataclass(frozen=True)
class Check:
    """One quantity against its limit, in points or per cent."""

    what: str       # "UA loss", "recall loss" or "agreement"
    system: str
    part: str
    group: str
    clips: int
    value: float
    limit: float
    holds: bool

    def __str__(self) -> str:
        sign = "at least" if self.what == "agreement" else "at most"
        return (
            f"{self.system}, {self.part}, {self.group} ({self.clips} clips): "
            f"{self.what} {self.value:.2f}, allowed {sign} {self.limit:g}"
        )


@dataclass(frozen=True)
class Verdict:
    """All checks of a proof."""

    thresholds: Thresholds
    parts: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.holds for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.holds)

    def to_dict(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "thresholds": self.thresholds.to_dict(),
            "parts": list(self.parts),
            "checks": [
                {**asdict(check), "value": round(check.value, 4)} for check in self.checks
            ],
        }


def judge(proof: Proof, thresholds: Thresholds, parts: tuple[str, ...]) -> Verdict:
    """Holds each expert and the whole, in each of `parts`, against the thresholds."""
    checks = []
    for row in proof.comparisons:
        if row.part in parts and row.system != WHOLE_TRUE:
            checks += _checks(row, thresholds)
    order = {name: position for position, name in enumerate(SYSTEMS)}
    checks.sort(key=lambda check: (order[check.system], parts.index(check.part)))
    return Verdict(thresholds, parts, tuple(checks))


def _checks(row: Comparison, thresholds: Thresholds) -> Iterator[Check]:
    loss = 100.0 * (row.ua_float - row.ua_int8)
    place = row.system, row.part, row.group, row.clips
    if row.group == "all":
        limit = thresholds.ua_loss
        yield Check("UA loss", *place, loss, limit, loss <= limit + _TOLERANCE)
        agreement, limit = 100.0 * row.agreement, thresholds.agreement
        yield Check("agreement", *place, agreement, limit, agreement >= limit - _TOLERANCE)
    is_cell = row.corpus is None and row.gender is not None and row.emotion is not None
    if is_cell and row.clips >= thresholds.cell_clips:
        limit = thresholds.recall_loss
        yield Check("recall loss", *place, loss, limit, loss <= limit + _TOLERANCE)
