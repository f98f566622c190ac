"""The command line: `edge-ser predict FILE...`, `edge-ser info`, `edge-ser --version`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import edge
from edge.errors import EdgeError, RuntimeMissingError

if TYPE_CHECKING:
    from edge.bundle import Bundle
    from edge.recognizer import Prediction

PROGRAM = "edge-ser"

EXIT_CODES = """\
exit codes:
  0    all went well
  1    some file could not be judged (the others are still printed), or the
       models could not be loaded
  2    the command line was wrong
  130  interrupted
"""

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; bad usage exits with 2 by itself."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name may hold what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except EdgeError as error:
        _complain(str(error))
        return 1
    except BrokenPipeError:
        # Whoever read the output has gone; keep the interpreter's own flush from saying so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Gender and emotion from a voice, on the device.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    predict = commands.add_parser(
        "predict",
        help="classify sound files",
        description="Classifies sound files: gender with its posterior, emotion with its\n"
        "probability, the runner-up, the length, the time taken, and that time for each\n"
        "second of sound (real-time factor, RTF).",
        epilog=EXIT_CODES + "\nNO_COLOR in the environment turns colours off.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    predict.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="WAV; FLAC, OGG, MP3 and Opus when soundfile is installed",
    )
    predict.add_argument(
        "--gender",
        choices=("female", "male", "both"),
        help="the speaker's gender, where it is known; 'both' weighs the two experts equally "
        "(default: the gender gate weighs them)",
    )
    predict.add_argument(
        "--max-duration",
        metavar="SECONDS",
        type=_positive_seconds,
        default=3600.0,
        help="refuse longer files (default: %(default)g)",
    )
    _add_shared_options(predict, "print a JSON array with everything that is known of each file")
    predict.set_defaults(run=_predict)

    info = commands.add_parser(
        "info",
        help="describe the models, the interpreter and the versions",
        description="Describes the model bundle, its files and metrics, the TFLite interpreter\n"
        "that was found, and the versions in use.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_shared_options(info, "print a JSON object")
    info.set_defaults(run=_info)
    return parser


def _add_shared_options(parser: argparse.ArgumentParser, json_help: str) -> None:
    parser.add_argument("--json", action="store_true", help=json_help)
    parser.add_argument(
        "--bundle",
        metavar="DIR",
        help="folder of a model bundle (default: the one that ships with the package)",
    )


class _Version(argparse.Action):
    """Looks the version up only when it is asked for, which takes longer than all the rest."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"{PROGRAM} {edge.__version__}")
        parser.exit(0)


def _positive_seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0.0:
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return seconds


def _predict(options: argparse.Namespace) -> int:
    recognizer = edge.Recognizer(options.bundle)
    with _quiet_interpreter():
        recognizer.prepare()
    table = None if options.json else _Table(options.files, options.gender, sys.stdout)
    results = []
    failures = 0
    for file in options.files:
        try:
            prediction = recognizer.predict(
                file, gender=options.gender, max_duration=options.max_duration
            )
        except EdgeError as error:
            failures += 1
            sys.stdout.flush()
            _complain(str(error) if file in str(error) else f"{file}: {error}")
            results.append(
                {"file": file, "error": {"kind": type(error).__name__, "message": str(error)}}
            )
            continue
        if table is not None:
            table.add(file, prediction)
        results.append(
            {
                "file": file,
                **prediction.to_dict(),
                "real_time_factor": prediction.real_time_factor,
            }
        )
    if options.json:
        print(json.dumps(results, indent=2))
    return 1 if failures else 0


class _Table:
    """Prints one aligned row for each clip as soon as it is known, headings before the first."""

    def __init__(self, files: Sequence[str], gender: str | None, out: TextIO) -> None:
        self._name_width = max(4, *(_width(_printable(file)) for file in files))
        self._gender_is_given = gender in ("female", "male")
        self._out = out
        self._colour = _wants_colour(out)
        self._begun = False

    def add(self, file: str, prediction: Prediction) -> None:
        if not self._begun:
            self._begun = True
            self._print("\033[2m", self._line("file", [heading for heading, *_ in _COLUMNS]))
        (emotion, probability), (runner_up, second) = prediction.ranking()[:2]
        posterior = "given" if self._gender_is_given else _percent(prediction.gender_posterior)
        cells = [
            *(prediction.gender, posterior),
            *(emotion, _percent(probability), runner_up, _percent(second)),
            f"{prediction.duration:.2f} s",
            f"{1000 * prediction.timings['total']:.1f} ms",
            f"{prediction.real_time_factor:.4f}",
        ]
        self._print("", self._line(_printable(file), cells, _BOLD_COLUMNS))

    def _line(self, name: str, cells: Sequence[str], bold: Sequence[int] = ()) -> str:
        parts = [name, " " * (self._name_width - _width(name))]
        for number, (cell, (_, gap, width, side)) in enumerate(zip(cells, _COLUMNS)):
            padded = f"{cell:{side}{width}}"
            if self._colour and number in bold:
                padded = f"\033[1m{padded}\033[0m"
            parts += [" " * gap, padded]
        return "".join(parts).rstrip()

    def _print(self, style: str, line: str) -> None:
        styled = f"{style}{line}\033[0m" if self._colour and style else line
        print(styled, file=self._out, flush=True)


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f} %"


def _info(options: argparse.Namespace) -> int:
    from edge.bundle import Bundle

    facts = _facts(Bundle.load(options.bundle))
    if options.json:
        print(json.dumps(facts, indent=2))
    else:
        print("\n".join(_outline(facts)))
    return 0


def _facts(bundle: Bundle) -> dict[str, Any]:
    import numpy

    from edge.emotion import find_runtime

    try:
        with _quiet_interpreter():
            runtime = find_runtime()
        interpreter = f"{runtime.distribution} {runtime.version}"
    except RuntimeMissingError as error:
        interpreter = f"none: {error}"
    files = {name: listed["bytes"] for name, listed in bundle.manifest["files"].items()}
    return {
        "versions": {
            PROGRAM: edge.__version__,
            "python": platform.python_version(),
            "numpy": numpy.__version__,
            "platform": f"{platform.system()} {platform.machine()}",
        },
        "interpreter": interpreter,
        "bundle": {
            "name": bundle.name,
            "version": bundle.version,
            "format": bundle.manifest["format"],
            "folder": str(bundle.folder),
        },
        "labels": list(bundle.labels),
        "sizes": {
            "bundle files, bytes": files,
            "bundle, bytes": sum(files.values()),
            "whole package, bytes": _package_bytes(),
        },
        "front_end": bundle.front_end.to_dict(),
        "emotion_features": bundle.emotion_features.to_dict(),
        "temperatures": bundle.temperatures,
        "blend": bundle.blend.to_dict(),
        "metrics": bundle.metrics,
        "licence": bundle.licence,
    }


def _package_bytes() -> int:
    """Size of the package as installed, with kernels and models, without Python's own caches."""
    return sum(
        path.stat().st_size
        for path in Path(__file__).parent.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )


def _outline(facts: dict[str, Any], indent: str = "") -> Iterator[str]:
    """An indented line for each fact; long lists of numbers, which --json has, are left out."""
    width = max(map(len, facts))
    for name, value in facts.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{name}"
            yield from _outline(value, indent + "  ")
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            yield f"{indent}{name:<{width}}  {', '.join(map(_printable, value))}"
        elif isinstance(value, (list, dict)):
            yield f"{indent}{name:<{width}}  ({len(value)} values, see --json)"
        else:
            shown = f"{value:,}" if type(value) is int else str(value)
            yield f"{indent}{name:<{width}}  {_printable(shown)}"


@contextmanager
def _quiet_interpreter() -> Iterator[None]:
    """Keeps the INFO lines that the interpreters' C++ writes to descriptor 2 off the terminal."""
    if sys.stderr is None:  # the caller closed it
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        kept = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            for line in caught.read().decode(errors="replace").splitlines():
                if not line.startswith(("INFO:", "WARNING: All log messages before absl")):
                    print(line, file=sys.stderr)


def _complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    print(f"{PROGRAM}: {_printable(' '.join(message.split()))}", file=sys.stderr)


def _printable(text: str) -> str:
    """Without control characters, so that a file's name cannot steer the terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def _width(text: str) -> int:
    """Columns that a terminal gives to the text."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)


def _wants_colour(out: TextIO) -> bool:
    """See no-color.org."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
