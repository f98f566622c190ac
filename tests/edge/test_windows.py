from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.windows import active_span, cut_windows

spans = st.tuples(st.integers(0, 2000), st.integers(1, 3000))
hops = st.integers(1, 188)


@given(spans, hops)
def test_windows_cover_every_frame_of_the_span_and_none_beyond(span, hop):
    start, frames = span
    windows = cut_windows(start, start + frames, 188, hop)
    covered = set().union(*(range(first, stop) for first, stop in windows))
    assert covered == set(range(start, start + frames))


@given(spans, hops)
def test_windows_are_full_unless_the_span_is_one_short_window(span, hop):
    start, frames = span
    windows = cut_windows(start, start + frames, 188, hop)
    if frames < 188:
        assert windows == [(start, start + frames)]
    else:
        assert all(stop - first == 188 for first, stop in windows)


@given(spans, hops)
def test_windows_begin_one_hop_apart_and_the_last_ends_with_the_span(span, hop):
    start, frames = span
    windows = cut_windows(start, start + frames, 188, hop)
    begins = [first for first, _ in windows]
    steps = np.diff(begins)
    assert begins[0] == start and windows[-1][1] == start + frames
    assert all(step == hop for step in steps[:-1]) and all(0 < step <= hop for step in steps[-1:])


@pytest.mark.parametrize("hop", [0, -1, 189])
def test_a_hop_that_would_leave_gaps_is_refused(hop):
    with pytest.raises(SettingsError, match="hop must be 1 to 188"):
        cut_windows(0, 400, 188, hop)


def test_an_empty_span_is_refused():
    with pytest.raises(SettingsError, match="at least one frame"):
        cut_windows(5, 5, 188, 94)


def test_the_active_span_runs_from_the_first_to_the_last_loud_frame():
    log_mel = np.full((100, 128), -80.0, np.float32)
    log_mel[20, 3] = -49.0
    log_mel[50, 60] = 0.0
    log_mel[70, 127] = -10.0
    log_mel[90, 5] = -50.0  # exactly at the threshold is not above it
    assert active_span(log_mel, -50.0) == (20, 71)


def test_a_frame_that_is_quiet_in_the_middle_stays_in_the_span():
    log_mel = np.full((9, 4), -80.0, np.float32)
    log_mel[[2, 6]] = 0.0
    assert active_span(log_mel, -50.0) == (2, 7)


@given(
    st.lists(st.integers(-100, 0), min_size=1, max_size=60),
    st.integers(-60, 60),
)
def test_the_active_span_does_not_depend_on_the_level(loudness, level):
    log_mel = np.array(loudness, np.float32)[:, None]
    assert active_span(log_mel, -50.0) == active_span(log_mel + np.float32(level), -50.0)


def test_a_threshold_that_even_the_loudest_frame_fails_is_refused():
    with pytest.raises(SettingsError, match="below 0"):
        active_span(np.zeros((3, 4), np.float32), 0.0)
