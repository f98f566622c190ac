"""A bar on the terminal for work on long recordings."""

from __future__ import annotations

import shutil
from time import monotonic
from typing import Callable, TextIO

from edge.cli.terminal import bar, clock, display_width, printable, shortened, shows_unicode

SHOWN_FROM = 60.0
"""Seconds of sound, all files together, from which there is a bar."""

_REDRAWN_EVERY = 0.1  # seconds


class Progress:
    """Draws how much of a recording has been judged, on one line that it writes again and again.

    out: where to; nothing is ever written when it is not a terminal.
    clock_now: seconds of a clock that never goes back.
    """

    def __init__(self, out: TextIO, clock_now: Callable[[], float] = monotonic) -> None:
        self._out = out
        self._now = clock_now
        self._enabled = out.isatty()
        self._unicode = shows_unicode(out)
        self._finished = 0.0  # seconds of sound in the files before this one
        self._drawn_width = 0
        self._last_drawn = -_REDRAWN_EVERY
        self._label = ""
        self._begun = 0.0
        self._duration = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def start(self, label: str) -> None:
        """Begins another file; label is its name."""
        self._finished += self._duration
        self._duration = 0.0
        self._label = printable(label)
        self._begun = self._now()

    def update(self, done: float, duration: float) -> None:
        """So many seconds of the file's have been judged."""
        self._duration = duration
        if not self._enabled or self._finished + duration <= SHOWN_FROM:
            return
        now = self._now()
        if now - self._last_drawn < _REDRAWN_EVERY:
            return
        self._last_drawn = now
        self._draw(self._line(done, duration, now - self._begun))

    def clear(self) -> None:
        """Takes the bar off the terminal, so that something else can be printed there."""
        if self._drawn_width:
            self._out.write("\r" + " " * self._drawn_width + "\r")
            self._out.flush()
            self._drawn_width = 0
            self._last_drawn = -_REDRAWN_EVERY

    def _line(self, done: float, duration: float, elapsed: float) -> str:
        fraction = min(1.0, done / duration)
        tail = f" {100 * fraction:3.0f} %  {clock(done)[:-3]} of {clock(duration)[:-3]}"
        if fraction >= 0.05:  # before, it would be a guess
            tail += f"  {elapsed * (1 - fraction) / fraction:.0f} s left"
        room = shutil.get_terminal_size().columns - 1 - len(tail)
        label = shortened(self._label, max(8, room // 3))
        width = min(40, room - display_width(label) - 2)
        return f"{label}  {bar(fraction, width, self._unicode)}{tail}" if width >= 4 else tail[1:]

    def _draw(self, line: str) -> None:
        width = display_width(line)
        self._out.write("\r" + line + " " * (self._drawn_width - width))
        self._out.flush()
        self._drawn_width = max(width, 1)
