"""`edge-ser predict FILE...`: classifies sound files."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TextIO

import edge
from edge.cli.options import add_knowledge, positive_seconds, voice_of
from edge.cli.progress import Progress
from edge.cli.reports import (
    FORMATS,
    SEGMENTS_ONLY,
    CsvReport,
    JsonLinesReport,
    JsonReport,
    Report,
    Result,
    SegmentsReport,
    TextReport,
)
from edge.cli.sources import STANDARD_INPUT, Source, expand
from edge.cli.terminal import complain, percent, printable, quiet_interpreter
from edge.errors import EdgeError, SettingsError

if TYPE_CHECKING:
    from edge.prediction import Prediction
    from edge.recognizer import Recognizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options, besides those that all commands share."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="WAV; FLAC, OGG, MP3 and Opus when soundfile is installed; '-' is the standard "
        "input; patterns such as 'calls/**/*.wav' are expanded on every shell",
    )
    parser.add_argument(
        "--segments",
        action="store_true",
        help="the timeline, too: who sounded how from when to when",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="text for people (the default), json (one array), jsonl (a line for each file as "
        "soon as it is known), csv; srt (subtitles) and textgrid (Praat) hold the segments",
    )
    parser.add_argument(
        "--json",
        action="store_const",
        dest="format",
        const="json",
        help="the same as --format json",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        type=Path,
        help="write there instead of to the standard output; a folder for srt and textgrid of "
        "several files",
    )
    parser.add_argument(
        "--plot",
        metavar="PATH",
        type=Path,
        help="draw waveform, log-mel and emotions into an image (.png, .svg, .pdf; a folder for "
        "several files); needs matplotlib",
    )
    add_knowledge(parser)
    parser.add_argument(
        "--max-duration",
        metavar="SECONDS",
        type=positive_seconds,
        default=3600.0,
        help="refuse longer files (default: %(default)g)",
    )
    parser.set_defaults(usage_error=parser.error)


def run(options: argparse.Namespace) -> int:
    """Judges every file and reports it; returns the exit code."""
    sources = expand(options.files)
    _refuse_contradictions(options, sources)
    options.several = len(sources) > 1
    if options.plot is not None:
        _refuse_unknown_image(options)
    recognizer = edge.Recognizer(options.bundle)
    options.knows = {
        "gender": options.gender, "labels": options.labels, "voice": voice_of(options)
    }
    with quiet_interpreter():
        recognizer.prepare()
    progress = Progress(sys.stderr)
    failures = 0
    with progress, _report(options, sources) as report:
        for source in sources:
            progress.start(source.name)
            try:
                result = _judge(recognizer, source, options, progress)
                progress.clear()
                report.add(result)
            except EdgeError as error:
                failures += 1
                progress.clear()
                sys.stdout.flush()
                named = source.name in str(error) and source.name != STANDARD_INPUT
                complain(str(error) if named else f"{source.name}: {error}")
                report.fail(source, error)
    return 1 if failures else 0


def _refuse_contradictions(options: argparse.Namespace, sources: Sequence[Source]) -> None:
    """Ends the program with exit code 2 when the options cannot be served together."""
    names = [source.name for source in sources]
    if names.count(STANDARD_INPUT) > 1:
        options.usage_error("the standard input, '-', can be read only once")
    if STANDARD_INPUT in names and sys.stdin.isatty():
        options.usage_error("'-' reads a sound from the standard input, which is a terminal")
    output = options.output
    if output is not None and any(_is_same_file(output, name) for name in names):
        options.usage_error(f"{output} is a recording, and would be overwritten")
    by_name = options.plot is not None
    if options.format in SEGMENTS_ONLY and len(sources) > 1:
        if output is None or (output.exists() and not output.is_dir()):
            options.usage_error(
                f"{options.format} holds one recording: name a folder by --output for "
                f"{len(sources)} files"
            )
        by_name = True
    if by_name and len(sources) > 1:
        stem, count = Counter(source.stem for source in sources).most_common(1)[0]
        if count > 1:
            options.usage_error(f"{count} files are named {stem!r}; their outputs would collide")


def _refuse_unknown_image(options: argparse.Namespace) -> None:
    from edge.plot import image_endings

    endings = image_endings()
    path: Path = options.plot
    if options.several or path.is_dir() or path.suffix.lower() in endings:
        return
    options.usage_error(f"{path}: no image has that ending; give one of {' '.join(endings)}")


def _is_same_file(path: Path, name: str) -> bool:
    try:
        return path.samefile(name)
    except OSError:  # one of them does not exist
        return False


@contextmanager
def _report(options: argparse.Namespace, sources: Sequence[Source]) -> Iterator[Report]:
    """The report on where the options say."""
    to_folder = options.format in SEGMENTS_ONLY and _is_folder(options.output, sources)
    if to_folder:
        _make_folder(options.output)
        yield SegmentsReport(options.format, None, options.output)
        return
    with _opened(options.output) as out:
        report = _report_to(out, options, sources)
        yield report
        report.close()


def _report_to(out: TextIO, options: argparse.Namespace, sources: Sequence[Source]) -> Report:
    if options.format == "text":
        return TextReport(out, sources, options.gender)
    if options.format == "json":
        return JsonReport(out)
    if options.format == "jsonl":
        return JsonLinesReport(out)
    if options.format == "csv":
        return CsvReport(out)
    return SegmentsReport(options.format, out, None)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        file = open(path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror}") from error
    with file:
        yield file


def _is_folder(path: Path | None, sources: Sequence[Source]) -> bool:
    return path is not None and (len(sources) > 1 or path.is_dir())


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be made: {error.strerror}") from error


def _judge(
    recognizer: Recognizer, source: Source, options: argparse.Namespace, progress: Progress
) -> Result:
    begun = perf_counter()
    samples, rate = edge.read_audio(source.sound(), options.max_duration)  # (n, channels)
    reading = perf_counter() - begun
    duration = len(samples) / rate
    knows = options.knows
    tells_segments = options.segments or options.format in SEGMENTS_ONLY
    wants_segments = tells_segments or options.plot is not None
    wants_prediction = options.format not in SEGMENTS_ONLY or options.plot is not None
    passes = wants_segments + wants_prediction
    prediction = segments = None
    if wants_prediction:
        prediction = recognizer.predict(
            samples,
            rate,
            **knows,
            max_duration=None,
            progress=lambda done: progress.update(done / passes, duration),
        )
        timings = prediction.timings
        timings = {**timings, "read": reading, "total": timings["total"] + reading}
        prediction = replace(prediction, timings=timings)
    if wants_segments:
        before = duration * (passes - 1)
        segments = recognizer.timeline(
            samples,
            rate,
            **knows,
            max_duration=None,
            progress=lambda done: progress.update((before + done) / passes, duration),
        ).segments
    if options.plot is not None:
        from edge.plot import plot_recording

        assert prediction is not None
        assert segments is not None
        plot_recording(
            _target_of_plot(options.plot, source, options.several),
            edge.to_mono_16k(samples, rate, None),
            segments,
            title=_title(source, prediction),
        )
    return Result(source, duration, prediction, segments if tells_segments else None)


def _target_of_plot(path: Path, source: Source, several: bool) -> Path:
    if not several and not path.is_dir():
        return path
    _make_folder(path)
    return path / f"{source.stem}.png"


def _title(source: Source, prediction: Prediction) -> str:
    gender, emotion = prediction.gender, prediction.emotion
    return (
        f"{printable(Path(source.name).name)}: {gender} {percent(prediction.gender_posterior)}, "
        f"{emotion} {percent(prediction.probabilities[emotion])}"
    )
