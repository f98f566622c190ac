from __future__ import annotations

import io

from edge.cli.progress import Progress
from edge.cli.terminal import bar, clock, shortened


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True

    def shown(self) -> str:
        """What stands on the line after every carriage return so far was obeyed."""
        line = ""
        for part in self.getvalue().split("\r"):
            line = part + line[len(part) :]
        return line.rstrip()


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def test_a_long_recording_gets_a_bar_that_fills(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    progress = Progress(out, Clock())
    progress.start("talk.wav")
    for done in (10.0, 60.0, 120.0):
        progress.update(done, 120.0)
        assert out.shown().startswith("talk.wav  ")
        assert f"{100 * done / 120:3.0f} %  {clock(done)[:-3]} of 2:00" in out.shown()
        assert out.shown().count("█") == int(40 * done / 120)
    assert "0 s left" in out.shown()


def test_a_minute_of_sound_or_less_gets_none():
    out = Terminal()
    progress = Progress(out, Clock())
    progress.start("talk.wav")
    progress.update(30.0, 60.0)
    assert out.getvalue() == ""


def test_short_files_count_together():
    out = Terminal()
    progress = Progress(out, Clock())
    for name in ("a.wav", "b.wav", "c.wav"):
        progress.start(name)
        progress.update(12.5, 25.0)
        progress.clear()
    assert "a.wav" not in out.getvalue() and "b.wav" not in out.getvalue()
    assert "c.wav" in out.getvalue()


def test_nothing_is_written_where_there_is_no_terminal():
    out = io.StringIO()
    progress = Progress(out, Clock())
    progress.start("talk.wav")
    progress.update(500.0, 3600.0)
    progress.clear()
    assert out.getvalue() == ""


def test_clearing_leaves_an_empty_line():
    out = Terminal()
    progress = Progress(out, Clock())
    progress.start("talk.wav")
    progress.update(500.0, 3600.0)
    assert out.shown()
    progress.clear()
    assert out.shown() == "" and out.getvalue().endswith("\r")


def test_the_line_never_exceeds_the_terminal(monkeypatch):
    for columns in (20, 40, 80):
        monkeypatch.setenv("COLUMNS", str(columns))
        out = Terminal()
        progress = Progress(out, Clock())
        progress.start("声" * 60 + "\033.wav")
        progress.update(1800.0, 3600.0)
        assert all(len(part) < 100 for part in out.getvalue().split("\r"))
        assert "\033" not in out.getvalue()
        if columns >= 40:
            from edge.cli.terminal import display_width

            assert display_width(out.shown()) < columns


def test_bars_are_of_their_width_in_both_alphabets():
    for eighths in range(-2, 90):
        for unicode in (True, False):
            assert len(bar(eighths / 80, 10, unicode)) == 10
    assert bar(0.0, 4) == "░░░░" and bar(1.0, 4) == "████" and bar(0.625, 4) == "██▌░"
    assert bar(0.5, 4, unicode=False) == "##--"


def test_clock_times_carry_over():
    assert [clock(s) for s in (0.0, 59.996, 61.5, 3599.999, 3661.25)] == [
        *("0:00.00", "1:00.00", "1:01.50", "1:00:00.00", "1:01:01.25")
    ]


def test_long_names_keep_their_end():
    assert shortened("folder/talk.wav", 9) == "…talk.wav"
    assert shortened("talk.wav", 8) == "talk.wav"
