"""Options that several commands have."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import SettingsError
from edge.labels import LABELS

if TYPE_CHECKING:
    from edge.voice import Voice


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """--bundle: which models."""
    parser.add_argument(
        "--bundle",
        metavar="DIR",
        help="folder of a model bundle (default: the one that ships with the package)",
    )


def add_knowledge(parser: argparse.ArgumentParser) -> None:
    """--gender, --labels and --voice: what the caller knows beforehand."""
    parser.add_argument(
        "--gender",
        choices=("female", "male", "both"),
        help="the speaker's gender, where it is known; 'both' weighs the two experts equally "
        "(default: the gender gate weighs them)",
    )
    parser.add_argument(
        "--labels",
        metavar="LABEL,...",
        type=_labels,
        help=f"the only emotions that are possible, some of {', '.join(LABELS)}",
    )
    parser.add_argument(
        "--voice",
        metavar="PATH",
        help="the speaker's voice, as 'hear' or 'teach' has written it",
    )


def add_voice_file(parser: argparse.ArgumentParser) -> None:
    """VOICE and --anew: the file in which a voice is kept."""
    parser.add_argument(
        "voice", metavar="VOICE", type=Path, help="file of the person's voice; made where it is not"
    )
    parser.add_argument(
        "--anew", action="store_true", help="forget what the file knew, and begin with these"
    )


def voice_of(options: argparse.Namespace) -> Voice | None:
    """The voice that --voice names. Raises SettingsError when it cannot be read."""
    if options.voice is None:
        return None
    from edge.voice import Voice

    return Voice.load(options.voice)


def save_voice(voice: Voice, path: str | os.PathLike[str]) -> None:
    """Writes the file. Raises SettingsError when it cannot be written."""
    try:
        voice.save(path)
    except OSError as error:
        problem = f"{os.fspath(path)}: cannot be written: {error.strerror}"
        raise SettingsError(problem) from error


def positive_seconds(text: str) -> float:
    """An option's value; argparse reports what it raises."""
    seconds = float(text)
    if not seconds > 0.0:
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return seconds


def interval_seconds(text: str) -> float:
    """The value of --interval, in the bounds of `Recognizer.stream`."""
    seconds = float(text)
    if not 0.05 <= seconds <= 3.0:
        raise argparse.ArgumentTypeError(f"must be from 0.05 to 3, got {text}")
    return seconds


def _labels(text: str) -> tuple[str, ...]:
    labels = tuple(text.split(","))
    unknown = [label for label in labels if label not in LABELS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(LABELS)}")
    return labels
