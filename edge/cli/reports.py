"""How `edge-ser predict` tells what it found: one class for each output format."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from edge import formats
from edge.cli.sources import Source
from edge.cli.terminal import (
    BOLD,
    FAINT,
    PLAIN,
    clock,
    display_width,
    doubts,
    percent,
    printable,
    wants_colour,
)

if TYPE_CHECKING:
    from edge.events import Segment
    from edge.prediction import Prediction

FORMATS = ("text", "json", "jsonl", "csv", "srt", "textgrid")
SEGMENTS_ONLY = ("srt", "textgrid")
"""Formats that hold the segments of one recording, and nothing else."""


@dataclass(frozen=True)
class Result:
    """What was found in one source."""

    source: Source
    duration: float
    """Of the recording, in seconds."""
    prediction: Prediction | None
    """None where only the segments were asked for."""
    segments: tuple[Segment, ...] | None
    """None where they were not asked for."""


class Report(ABC):
    """Takes the results in order."""

    @abstractmethod
    def add(self, result: Result) -> None:
        """One source was judged."""

    def fail(self, source: Source, error: Exception) -> None:
        """One source could not be judged; stderr has said so already."""
        return

    def close(self) -> None:
        """There are no more."""
        return


_COLUMNS = (  # heading, spaces before, width, alignment
    ("gender", 2, 6, "<"),
    ("", 1, 7, ">"),
    ("emotion", 2, 9, "<"),
    ("", 1, 7, ">"),
    ("runner-up", 2, 9, "<"),
    ("", 1, 7, ">"),
    ("length", 2, 9, ">"),
    ("time", 2, 9, ">"),
    ("RTF", 2, 6, ">"),
)
_BOLD_COLUMNS = (0, 2)


class TextReport(Report):
    """One aligned row for each source as soon as it is known, headings before the first.

    Segments follow their row, a line for each. Doubts and flags stand at a line's end.
    """

    def __init__(self, out: TextIO, sources: Sequence[Source], gender: str | None) -> None:
        self._name_width = max(4, *(display_width(printable(each.name)) for each in sources))
        self._gender_is_given = gender in ("female", "male")
        self._out = out
        self._colour = wants_colour(out)
        self._begun = False

    def add(self, result: Result) -> None:
        prediction = result.prediction
        assert prediction is not None
        if not self._begun:
            self._begun = True
            self._print(FAINT, self._line("file", [heading for heading, *_ in _COLUMNS]))
        (emotion, probability), *others = prediction.ranking()
        runner_up, second = others[0] if others else ("", 0.0)
        cells = [
            *(prediction.gender, self._posterior(prediction.gender_posterior)),
            *(emotion, percent(probability)),
            *(runner_up, percent(second) if others else ""),
            f"{prediction.duration:.2f} s",
            f"{1000 * prediction.timings['total']:.1f} ms",
            f"{prediction.real_time_factor:.4f}",
        ]
        line = self._line(printable(result.source.name), cells, _BOLD_COLUMNS)
        self._print("", line + doubts(prediction))
        for segment in result.segments or ():
            self._print("", self._segment(segment))

    def _segment(self, segment: Segment) -> str:
        cells = [
            *(segment.gender, self._posterior(segment.gender_posterior)),
            *(segment.emotion, percent(segment.probability)),
        ]
        span = f"{clock(segment.start):>10} - {clock(segment.end)}"
        return self._line(span, cells, (2,)) + doubts(segment)

    def _posterior(self, posterior: float) -> str:
        return "given" if self._gender_is_given else percent(posterior)

    def _line(self, name: str, cells: Sequence[str], bold: Sequence[int] = ()) -> str:
        parts = [name, " " * (self._name_width - display_width(name))]
        for number, (cell, (_, gap, width, side)) in enumerate(zip(cells, _COLUMNS)):
            padded = f"{cell:{side}{width}}"
            if self._colour and number in bold:
                padded = f"{BOLD}{padded}{PLAIN}"
            parts += [" " * gap, padded]
        return "".join(parts).rstrip()

    def _print(self, style: str, line: str) -> None:
        styled = f"{style}{line}{PLAIN}" if self._colour and style else line
        print(styled, file=self._out, flush=True)


class JsonReport(Report):
    """One array of all sources, failures among them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._records: list[dict[str, Any]] = []

    def add(self, result: Result) -> None:
        assert result.prediction is not None
        record = formats.record(result.source.name, result.prediction, result.segments)
        self._records.append(record)

    def fail(self, source: Source, error: Exception) -> None:
        self._records.append(formats.failure(source.name, error))

    def close(self) -> None:
        print(json.dumps(self._records, indent=2), file=self._out)


class JsonLinesReport(Report):
    """One object on a line for each source as soon as it is known."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def add(self, result: Result) -> None:
        assert result.prediction is not None
        self._write(formats.record(result.source.name, result.prediction, result.segments))

    def fail(self, source: Source, error: Exception) -> None:
        self._write(formats.failure(source.name, error))

    def _write(self, record: dict[str, Any]) -> None:
        print(json.dumps(record), file=self._out, flush=True)


class CsvReport(Report):
    """One row for each source, or for each of its segments."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._writer = csv.writer(out, lineterminator="\n")
        self._writer.writerow(formats.CSV_COLUMNS)

    def add(self, result: Result) -> None:
        name = result.source.name
        self._writer.writerows(formats.csv_rows(name, result.prediction, result.segments))
        self._out.flush()

    def fail(self, source: Source, error: Exception) -> None:
        self._writer.writerow(formats.csv_failure(source.name, error))


class SegmentsReport(Report):
    """The segments of each source as SRT or TextGrid.

    out: where to, for one source; None writes `folder`/NAME.srt or .TextGrid for each.
    """

    def __init__(self, kind: str, out: TextIO | None, folder: Path | None) -> None:
        self._kind = kind
        self._out = out
        self._folder = folder

    def add(self, result: Result) -> None:
        assert result.segments is not None
        if self._kind == "srt":
            text = formats.srt(result.segments)
        else:
            text = formats.textgrid(result.segments, result.duration)
        if self._folder is None:
            assert self._out is not None
            self._out.write(text)
            return
        path = self._folder / (result.source.stem + ENDINGS[self._kind])
        path.write_text(text, encoding="utf-8")


ENDINGS = {"srt": ".srt", "textgrid": ".TextGrid"}
