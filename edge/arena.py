"""Places for tensors in one buffer, which those share that are never needed at one time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

ALIGNMENT = 64
"""Of each place, in bytes: a line of the cache."""

_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True)
class Need:
    """So many bytes, from the step `first` to the step `last`, both included."""

    size: int
    first: int
    last: int


def plan_arena(needs: Mapping[_K, Need]) -> tuple[dict[_K, int], int]:
    """A place for each need, and the bytes of the whole.

    The largest are placed first, each as low as those permit that are needed at the same time
    (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", greedy by
    size).

    >>> plan_arena({"a": Need(100, 0, 1), "b": Need(50, 1, 2), "c": Need(70, 2, 3)})
    ({'a': 0, 'c': 0, 'b': 128}, 192)
    """
    places: dict[_K, int] = {}
    total = 0
    for key, need in sorted(needs.items(), key=lambda item: -item[1].size):
        taken = sorted(
            (place, _aligned(place + needs[other].size))
            for other, place in places.items()
            if needs[other].first <= need.last and need.first <= needs[other].last
        )
        lowest = 0
        for begin, end in taken:
            if lowest + need.size <= begin:
                break
            lowest = max(lowest, end)
        places[key] = lowest
        total = max(total, _aligned(lowest + need.size))
    return places, total


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
