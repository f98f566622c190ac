from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from edge.turns import TurnFinder


def turns_by_expression(frames: str, onset: int, gap: int, pause: int) -> list[tuple[int, ...]]:
    """(begun, start, ended, last) of each turn in a string of "s" for speech and "n" for none.

    begun and ended: the frames at which that is sure; ended is -1 for a turn that goes on.
    """
    begin = re.compile(rf"s(?:n{{0,{gap}}}s){{{onset - 1}}}")
    end = re.compile(rf"n{{{pause}}}")
    turns, here = [], 0
    while (begun := begin.search(frames, here)) is not None:
        ended = end.search(frames, begun.end())
        stop = len(frames) if ended is None else ended.end()
        last = frames.rindex("s", 0, stop)
        turns.append((begun.end() - 1, begun.start(), -1 if ended is None else stop - 1, last))
        here = stop
    return turns


def turns_found(frames: str, finder: TurnFinder) -> list[tuple[int, ...]]:
    turns: list[tuple[int, ...]] = []
    for number, frame in enumerate(frames):
        changed = finder.step(frame == "s")
        if changed and finder.speaking:
            turns.append((number, finder.start, -1, finder.last))
        elif finder.speaking or changed:
            begun, start, _, _ = turns[-1]
            turns[-1] = (begun, start, number if changed else -1, finder.last)
    return turns


@given(
    runs=st.lists(st.integers(1, 12), max_size=30),
    first=st.booleans(),
    onset=st.integers(1, 8),
    gap=st.integers(1, 6),
    more=st.integers(0, 6),
)
def test_turns_are_those_that_a_regular_expression_finds(runs, first, onset, gap, more):
    frames = "".join("sn"[(index + first) % 2] * run for index, run in enumerate(runs))
    finder = TurnFinder(onset, gap, gap + more)
    expected = turns_by_expression(frames, onset, gap, gap + more)
    assert turns_found(frames, finder) == expected
    finder.clear()
    assert not finder.speaking
    assert turns_found(frames, finder) == expected


def test_a_click_begins_no_turn_and_a_short_pause_ends_none():
    finder = TurnFinder(onset=5, gap=3, pause=10)
    click = "s" * 4 + "n" * 20
    speech = "s" * 9 + "n" * 9 + "s" * 3 + "n" * 10
    assert turns_found(click + speech, finder) == [(28, 24, 54, 44)]
