"""Segments and predictions as JSON, CSV, SRT and TextGrid; the last two read by other libraries."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import formats
from edge.errors import TooShortAudioError
from edge.events import Segment
from edge.labels import LABELS
from edge.prediction import Prediction


def segment(start, end, emotion="angry", probability=0.625, gender="female", uncertain=False):
    rest = (1.0 - probability) / (len(LABELS) - 1)
    probabilities = {label: probability if label == emotion else rest for label in LABELS}
    return Segment(start, end, gender, 0.75, emotion, probability, probabilities, uncertain)


def prediction(duration=2.5, flags=()):
    probabilities = dict.fromkeys(LABELS, 0.0625) | {"sad": 0.5625}
    timings = {"read": 0.001, "total": 0.01}
    return Prediction(
        "male", 0.875, "sad", probabilities, (), duration, timings, True, flags
    )


@st.composite
def timelines(draw):
    """(segments in time order, duration) of random stretches and pauses, in milliseconds."""
    steps = draw(st.lists(st.integers(0, 90_000), min_size=0, max_size=20))
    edges = [0]
    for step in steps:
        edges.append(edges[-1] + step)
    segments = [
        segment(a / 1000, b / 1000, draw(st.sampled_from(LABELS)))
        for a, b in zip(edges[0::2], edges[1::2])
        if b > a
    ]
    return segments, (edges[-1] + draw(st.integers(1, 5000))) / 1000


def test_a_record_is_json_of_the_whole_prediction_with_its_file():
    record = json.loads(json.dumps(formats.record("a.wav", prediction(), [segment(0, 1)])))
    assert record["file"] == "a.wav" and record["emotion"] == "sad"
    assert record["real_time_factor"] == pytest.approx(0.01 / 2.5)
    assert record["segments"][0]["emotion"] == "angry"
    assert "segments" not in formats.record("a.wav", prediction())


def test_a_csv_row_holds_every_probability_under_its_heading():
    (row,) = formats.csv_rows("a,b.wav", prediction(flags=("clipped", "noisy")))
    text = io.StringIO()
    csv.writer(text).writerows([formats.CSV_COLUMNS, row])
    (read,) = csv.DictReader(io.StringIO(text.getvalue()))
    assert read["file"] == "a,b.wav" and (read["start"], read["end"]) == ("0.000", "2.500")
    assert (read["emotion"], read["probability"], read["sad"]) == ("sad", "0.562500", "0.562500")
    assert (read["uncertain"], read["flags"], read["error"]) == ("yes", "clipped noisy", "")
    assert sum(float(read[label]) for label in LABELS) == pytest.approx(1.0)
    assert (read["arousal"], read["snr_db"]) == (f"{prediction().arousal:.6f}", "")


def test_csv_has_a_row_for_each_segment_when_there_are_segments():
    rows = list(formats.csv_rows("a.wav", prediction(), [segment(0, 1), segment(1, 2, "sad")]))
    assert [row[1:3] for row in rows] == [["0.000", "1.000"], ["1.000", "2.000"]]
    assert all(len(row) == len(formats.CSV_COLUMNS) for row in rows)


def test_csv_of_a_failure_fits_the_headings():
    row = formats.csv_failure("a.wav", TooShortAudioError("the sound\nis too short"))
    assert len(row) == len(formats.CSV_COLUMNS) and row[-1] == "the sound is too short"


def test_csv_leaves_labels_that_were_not_asked_for_empty():
    of_two = Prediction("male", 0.9, "sad", {"happy": 0.25, "sad": 0.75}, (), 1.0, {"total": 1.0})
    (row,) = formats.csv_rows("a.wav", of_two)
    by_name = dict(zip(formats.CSV_COLUMNS, row))
    assert (by_name["happy"], by_name["sad"], by_name["angry"]) == ("0.250000", "0.750000", "")


def test_srt_is_what_subtitle_players_expect():
    text = formats.srt([segment(0.5, 3661.25), segment(3661.25, 3662, "calm", uncertain=True)])
    assert text == (
        "1\n00:00:00,500 --> 01:01:01,250\nangry (62 %), female\n\n"
        "2\n01:01:01,250 --> 01:01:02,000\ncalm? (62 %), female\n"
    )
    assert formats.srt([]) == ""


@given(timelines())
def test_srt_reads_back_by_another_library(timeline):
    srt = pytest.importorskip("srt")
    segments, _ = timeline
    captions = list(srt.parse(formats.srt(segments)))
    assert len(captions) == len(segments)
    for caption, expected in zip(captions, segments):
        assert caption.start.total_seconds() == pytest.approx(expected.start, abs=5e-4)
        assert caption.end.total_seconds() == pytest.approx(expected.end, abs=5e-4)
        assert caption.content.startswith(expected.emotion)


def test_a_caption_is_never_empty_in_time():
    assert "00:00:01,000 --> 00:00:01,001" in formats.srt([segment(1.0, 1.0001)])


@given(timelines())
def test_textgrid_tiers_cover_the_recording_without_a_seam(tmp_path_factory, timeline):
    textgrid = pytest.importorskip("textgrid")
    segments, duration = timeline
    path = tmp_path_factory.mktemp("praat") / "a.TextGrid"
    path.write_text(formats.textgrid(segments, duration), encoding="utf-8")
    grid = textgrid.TextGrid.fromFile(str(path))
    assert [tier.name for tier in grid] == ["emotion", "gender"]
    for tier in grid:
        assert tier[0].minTime == 0.0
        assert tier[-1].maxTime == pytest.approx(duration, abs=1e-6)
        for one, other in zip(tier, tier[1:]):
            assert one.maxTime == other.minTime
    named = [interval for interval in grid[0] if interval.mark]
    assert [interval.mark for interval in named] == [s.emotion for s in segments]
    for interval, expected in zip(named, segments):
        assert interval.minTime == pytest.approx(expected.start, abs=2e-6)
        assert interval.maxTime == pytest.approx(expected.end, abs=2e-6)


def test_textgrid_cuts_what_reaches_beyond_the_recording_or_into_the_segment_before():
    text = formats.textgrid([segment(0.0, 2.0), segment(1.5, 9.0, "sad")], 3.0)
    assert text.count("xmax = 3.000000") == 5
    assert text.count("xmin = 2.000000") == 2 and "9.0" not in text
