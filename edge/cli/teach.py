"""`edge-ser teach VOICE EMOTION=FILE...`: makes a person's voice known, and keeps it in a file."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import edge
from edge.cli.options import add_voice_file, save_voice
from edge.cli.sources import expand
from edge.cli.terminal import complain, percent, printable, quiet_interpreter
from edge.errors import EdgeError, SettingsError
from edge.labels import LABELS

if TYPE_CHECKING:
    from edge.voice import Voice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options, besides those that all commands share."""
    add_voice_file(parser)
    parser.add_argument(
        "examples",
        metavar="EMOTION=FILE",
        nargs="*",
        type=_example,
        help=f"a recording of the person, and how it was meant: one of {', '.join(LABELS)}; a "
        "pattern of names, in quotes, is all that match; none shows what the voice has learnt",
    )
    parser.add_argument(
        "--forget",
        metavar="EMOTION",
        choices=LABELS,
        action="append",
        default=[],
        help="take the examples of an emotion back first; repeatable",
    )
    parser.add_argument(
        "--base",
        metavar="PATH",
        help="the voice of the people that this person is one of, taught by many of them; it is "
        "copied into the person's file",
    )


def add_examples(options: argparse.Namespace, arguments: list[str]) -> list[str]:
    """Takes the examples that stand behind an option; argparse looks for none there.

    Returns the arguments that are none.
    """
    others = []
    for argument in arguments:
        try:
            options.examples.append(_example(argument))
        except argparse.ArgumentTypeError:
            others.append(argument)
    return others


def _example(text: str) -> tuple[str, str]:
    emotion, equals, name = text.partition("=")
    if not equals or not name or emotion not in LABELS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not EMOTION=FILE with an emotion of {', '.join(LABELS)}"
        )
    return emotion, name


def run(options: argparse.Namespace) -> int:
    """Teaches all examples or, when one cannot be heard, none; returns the exit code."""
    recognizer = edge.Recognizer(options.bundle)
    known = options.voice.exists() and not options.anew
    if not known and not options.examples:
        raise SettingsError(f"{options.voice} does not exist; give examples, as EMOTION=FILE")
    voice = edge.Voice.load(options.voice) if known else edge.Voice()
    if options.base is not None:
        voice = replace(voice, base=edge.Voice.load(options.base))
        voice.check_models(recognizer.models)
    for emotion in options.forget:
        voice = voice.without(emotion)
    lines, failures = [], 0
    with quiet_interpreter():
        recognizer.prepare()
    for emotion, source in (
        (emotion, source) for emotion, name in options.examples for source in expand([name])
    ):
        try:
            prediction = recognizer.predict(source.sound())
            voice = voice.taught(prediction, emotion)
        except EdgeError as error:
            failures += 1
            complain(str(error) if source.name in str(error) else f"{source.name}: {error}")
            continue
        heard = percent(prediction.probabilities[emotion])
        lines.append(f"{printable(source.name)}: {emotion} (was heard with {heard})")
    if failures:
        complain(f"{options.voice}: nothing was taught")
        return 1
    if options.examples or options.forget or options.base is not None:
        save_voice(voice, options.voice)
    lines += _outline(voice)
    if voice.usual is not None:
        lines.append(f"Besides, the person was heard {voice.usual.clips} times.")
    print("\n".join(lines))
    return 0


def _outline(voice: Voice) -> list[str]:
    counts = voice.counts()
    if not counts:
        return ["The voice has no examples."]
    if len(counts) < 2:
        return ["Examples of one emotion tell none from another; teach another one, too."]
    people = f", beside {len(voice.base.examples)} of others" if voice.base is not None else ""
    lines = [f"The voice of {len(voice.examples)} examples{people}, of the models {voice.models}:"]
    for label in counts:
        answers = Counter(
            max(example.probabilities, key=example.probabilities.__getitem__)
            for example in voice.examples if example.emotion == label
        )
        heard = ", ".join(f"{name} {times}" for name, times in answers.most_common())
        lines.append(f"  {label:<10}{counts[label]:>4}   had been taken for {heard}")
    missing = [label for label in LABELS if label not in counts]
    if missing:
        lines.append(f"  without example, and left as they are: {', '.join(missing)}")
    return lines
