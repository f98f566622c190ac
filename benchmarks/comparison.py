"""One timed entry of a comparison, that counts only if its output is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Comparison:
    """Times entries of one group, by the fixture of pytest-benchmark."""

    benchmark: Any

    def __call__(
        self,
        group: str,
        entry: str,
        call: Callable[[], Any],
        check: Callable[[Any], str],
        *,
        baseline: bool = False,
        note: str = "",
        rounds: int | None = None,
    ) -> None:
        """Times `call`, after and before `check` has held its output to be right.

        group: the table's title; entry: the row's; note: what differs from the others.
        check: raises AssertionError when an output is wrong, and says in words what it found.
        baseline: the row that the others are compared with.
        rounds: so many calls, for slow ones; otherwise pytest-benchmark chooses.
        """
        finding = check(call())
        assert finding, f"{entry}: the check found nothing to say, so it checked nothing"
        self.benchmark.group = group
        self.benchmark.extra_info.update(
            entry=entry, baseline=baseline, finding=finding, note=note
        )
        if rounds is None:
            output = self.benchmark(call)
        else:
            output = self.benchmark.pedantic(call, rounds=rounds, warmup_rounds=1)
        check(output)


def distance(difference: float, reference: str, unit: str = "") -> str:
    """The largest difference of an output from a reference, in words."""
    if difference == 0:
        return f"equal to {reference}"
    return f"at most {difference:.1e}{unit} from {reference}"
