"""What `edge-ser listen` shows: a panel that is redrawn on a terminal, or plain lines elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

import numpy as np
from numpy.typing import NDArray

from edge.cli.terminal import (
    BOLD,
    FAINT,
    PLAIN,
    bar,
    clock,
    doubts,
    percent,
    printable,
    shortened,
    shows_unicode,
    wants_colour,
)
from edge.events import Decision, SegmentEnded, TurnEnded, TurnStarted

if TYPE_CHECKING:
    from edge.events import Event, Segment

_LOWEST_DB = -60.0
_FALL_DB_PER_SECOND = 30.0  # of the meter, after a loud moment
_WIDEST_BAR = 24
_UP = "\033[{}A"
_TO_THE_END = "\033[J"
_HIDE_CURSOR, _SHOW_CURSOR = "\033[?25l", "\033[?25h"


class Display(Protocol):
    """Takes what is heard and what is made of it."""

    def heard(self, block: NDArray[np.float32], time: float, over_runs: int) -> None:
        """A block of sound (n,) arrived; `time` is that of its end, in seconds."""

    def told(self, event: Event) -> None:
        """The stream told something."""

    def close(self) -> None:
        """There is no more."""


class Meter:
    """The level of the sound in decibels of full scale: rises at once, falls slowly."""

    def __init__(self) -> None:
        self.db = _LOWEST_DB
        self.clipped = False
        self._time = 0.0

    def update(self, block: NDArray[np.float32], time: float) -> None:
        """Takes a block of sound, (n,) full scale 1, that ended at `time` seconds."""
        power = float(np.mean(np.square(block, dtype=np.float64))) if block.size else 0.0
        now = 10.0 * np.log10(max(power, 1e-12))
        fallen = self.db - _FALL_DB_PER_SECOND * max(0.0, time - self._time)
        self.db = float(max(now, fallen, _LOWEST_DB))
        self.clipped = bool(block.size) and float(np.abs(block).max()) >= 1.0
        self._time = time


class Panel:
    """Redraws level, gender and the bars of the emotions; segments scroll away above it."""

    def __init__(
        self, out: TextIO, name: str, sample_rate: int, redrawn_every: float = 0.1
    ) -> None:
        self._out = out
        self._title = f"{printable(name)}, {sample_rate} Hz"
        self._unicode = shows_unicode(out)
        self._colour = wants_colour(out)
        self._redrawn_every = redrawn_every
        self._meter = Meter()
        self._decision: Decision | None = None
        self._speaking = False
        self._lines = 0
        self._drawn_at = -redrawn_every
        if os.name == "nt":
            os.system("")  # switches the console to escape sequences
        out.write(_HIDE_CURSOR)

    def heard(self, block: NDArray[np.float32], time: float, over_runs: int) -> None:
        """See `Display`."""
        self._meter.update(block, time)
        if time - self._drawn_at >= self._redrawn_every:
            self._drawn_at = time
            self._draw(self._panel(time, over_runs))

    def told(self, event: Event) -> None:
        """See `Display`."""
        if isinstance(event, Decision):
            self._decision = event
        elif isinstance(event, TurnStarted):
            self._speaking = True
        elif isinstance(event, TurnEnded):
            self._speaking = False
        elif isinstance(event, SegmentEnded):
            self._erase()
            self._out.write(segment_line(event.segment) + "\n")

    def close(self) -> None:
        """See `Display`."""
        self._erase()
        self._out.write(_SHOW_CURSOR)
        self._out.flush()

    def _panel(self, time: float, over_runs: int) -> list[str]:
        meter, decision = self._meter, self._decision
        fraction = 1.0 - meter.db / _LOWEST_DB
        state = "speaking" if self._speaking else "waiting for speech"
        lost = f"  over-runs: {over_runs}"
        lines = [
            self._styled(FAINT, self._fitted(f"{self._title}  {clock(time)[:-1]}{lost}")),
            f"{'level':<9}  {self._bar(fraction)}  {meter.db:5.0f} dB"
            + ("  clipped" if meter.clipped else ""),
        ]
        if decision is None:
            return [*lines, state]
        posterior = decision.gender_posterior
        lines.append(f"{decision.gender:<9}  {self._bar(posterior)}  {percent(posterior):>7}")
        for label, probability in decision.probabilities.items():
            line = f"{label:<9}  {self._bar(probability)}  {percent(probability):>7}"
            lines.append(self._styled(BOLD, line) if label == decision.emotion else line)
        notes = [state, *["uncertain"] * decision.uncertain, *decision.flags]
        return [*lines, self._fitted(", ".join(notes))]

    def _bar(self, fraction: float) -> str:
        width = min(_WIDEST_BAR, shutil.get_terminal_size().columns - 24)
        return bar(fraction, max(4, width), self._unicode)

    def _styled(self, style: str, line: str) -> str:
        return f"{style}{line}{PLAIN}" if self._colour else line

    def _fitted(self, line: str) -> str:
        return shortened(line, shutil.get_terminal_size().columns - 1)

    def _draw(self, lines: Sequence[str]) -> None:
        self._erase()
        lines = lines[: max(1, shutil.get_terminal_size().lines - 1)]  # the cursor cannot go above
        self._out.write("\n".join(lines) + "\n")
        self._out.flush()
        self._lines = len(lines)

    def _erase(self) -> None:
        if self._lines:
            self._out.write(_UP.format(self._lines) + _TO_THE_END)
            self._lines = 0


class Lines:
    """A line for each segment, for logs and terminals without escape sequences."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def heard(self, block: NDArray[np.float32], time: float, over_runs: int) -> None:
        """See `Display`."""

    def told(self, event: Event) -> None:
        """See `Display`."""
        if isinstance(event, SegmentEnded):
            print(segment_line(event.segment), file=self._out, flush=True)

    def close(self) -> None:
        """See `Display`."""


class JsonLines:
    """Every event as a JSON object on a line of its own."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def heard(self, block: NDArray[np.float32], time: float, over_runs: int) -> None:
        """See `Display`."""

    def told(self, event: Event) -> None:
        """See `Display`."""
        print(json.dumps(event.to_dict()), file=self._out, flush=True)

    def close(self) -> None:
        """See `Display`."""


def segment_line(segment: Segment) -> str:
    """One segment for people."""
    return (
        f"{clock(segment.start):>10} - {clock(segment.end):<10}  "
        f"{segment.gender:<6} {percent(segment.gender_posterior):>7}  "
        f"{segment.emotion:<9} {percent(segment.probability):>7}{doubts(segment)}"
    )
