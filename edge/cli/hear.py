"""`edge-ser hear VOICE FILE...`: gets to know how a person usually sounds; kept in a file."""

from __future__ import annotations

import argparse

import edge
from edge.cli.options import add_voice_file, save_voice
from edge.cli.sources import expand
from edge.cli.terminal import complain, printable, quiet_interpreter
from edge.errors import EdgeError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options, besides those that all commands share."""
    add_voice_file(parser)
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="a recording of the person; a pattern of names, in quotes, is all that match",
    )


def run(options: argparse.Namespace) -> int:
    """Hears all recordings or, when one cannot be heard, none; returns the exit code."""
    recognizer = edge.Recognizer(options.bundle)
    known = options.voice.exists() and not options.anew
    voice = edge.Voice.load(options.voice) if known else edge.Voice()
    voice.check_models(recognizer.models)
    lines, failures = [], 0
    with quiet_interpreter():
        recognizer.prepare()
    for source in (source for name in options.files for source in expand([name])):
        try:
            heard = voice.heard(recognizer.predict(source.sound()))
        except EdgeError as error:
            failures += 1
            complain(str(error) if source.name in str(error) else f"{source.name}: {error}")
            continue
        lines.append(f"{printable(source.name)}: "
                     + ("heard" if heard is not voice else "nobody speaks, left out"))
        voice = heard
    if failures:
        complain(f"{options.voice}: nothing was kept")
        return 1
    save_voice(voice, options.voice)
    clips = 0 if voice.usual is None else voice.usual.clips
    lines.append(f"The voice of a person who was heard {clips} times, by the models {voice.models}."
                 if clips else "The voice has heard nothing yet.")
    print("\n".join(lines))
    return 0
