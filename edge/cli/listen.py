"""`edge-ser listen`: recognises what a microphone hears, while it hears it."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

import edge
from edge.cli.options import (
    add_knowledge,
    interval_seconds,
    positive_seconds,
    save_voice,
    voice_of,
)
from edge.cli.terminal import clock, complain, printable, quiet_interpreter
from edge.events import SegmentEnded, TurnEnded

if TYPE_CHECKING:
    from edge.cli.panel import Display
    from edge.events import Event
    from edge.microphone import Microphone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options, besides those that all commands share."""
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        type=_device,
        help="number or part of the name of the microphone (default: the system's)",
    )
    parser.add_argument(
        "--list-devices", action="store_true", help="list the microphones, and end"
    )
    parser.add_argument(
        "--rate",
        metavar="HERTZ",
        type=int,
        help="sample rate to record at (default: the device's own)",
    )
    parser.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=positive_seconds,
        help="end after so much sound (default: at Ctrl-C)",
    )
    parser.add_argument(
        "--interval",
        metavar="SECONDS",
        type=interval_seconds,
        default=0.5,
        help="from one decision to the next, 0.05 to 3 (default: %(default)g)",
    )
    parser.add_argument(
        "--format",
        choices=("text", "jsonl"),
        default="text",
        help="text for people (the default), or every event as a JSON object on a line",
    )
    add_knowledge(parser)
    parser.add_argument(
        "--learn",
        action="store_true",
        help="one person speaks: get to know how they usually sound, turn by turn; kept in the "
        "file of --voice, which is made where it is not",
    )


def _device(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def run(options: argparse.Namespace) -> int:
    """Listens until Ctrl-C, the time or the device is over; returns the exit code."""
    from edge.microphone import Microphone

    if options.list_devices:
        return _list_devices()
    recognizer = edge.Recognizer(options.bundle)
    begun = options.voice is not None and options.learn and not os.path.exists(options.voice)
    voice = edge.Voice() if begun else voice_of(options)
    with quiet_interpreter():  # ALSA writes about every device that it tries
        microphone = Microphone(options.device, options.rate)
        stream = recognizer.stream(
            microphone.sample_rate,
            interval=options.interval,
            gender=options.gender,
            labels=options.labels,
            voice=voice,
            learns=options.learn,
        )
    display = _display(options, microphone)
    summary = Summary()

    def pass_on() -> None:
        for event in stream.poll():
            display.told(event)
            summary.told(event)

    reached = False
    interrupted = False
    try:
        with microphone:
            for block in microphone:
                stream.accept_waveform(block)
                pass_on()
                display.heard(block, stream.time, microphone.over_runs)
                reached = options.seconds is not None and stream.time >= options.seconds
                if reached:
                    break
    except KeyboardInterrupt:
        interrupted = True
    finally:
        stream.input_finished()
        pass_on()
        display.close()
        learnt = stream.voice if options.learn else None
        if options.voice is not None and learnt is not None and learnt != voice:
            save_voice(learnt, options.voice)
    if options.format == "text":
        print(summary.text(stream.time, microphone.over_runs))
    elif microphone.over_runs:
        complain(f"over-runs: {microphone.over_runs}; some sound was lost")
    if not reached and not interrupted:
        complain(f"{microphone.name} stopped by itself; check that it is still connected")
        return 1
    return 0


def _display(options: argparse.Namespace, microphone: Microphone) -> Display:
    from edge.cli.panel import JsonLines, Lines, Panel

    if options.format == "jsonl":
        return JsonLines(sys.stdout)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return Panel(sys.stdout, microphone.name, microphone.sample_rate)
    print(f"listening to {printable(microphone.name)}, Ctrl-C ends", file=sys.stderr)
    return Lines(sys.stdout)


def _list_devices() -> int:
    from edge.microphone import input_devices

    with quiet_interpreter():
        devices = input_devices()
    for device in devices:
        mark = "*" if device.default else " "
        print(
            f"{mark} {device.number:>3}  {printable(device.name)}  "
            f"({printable(device.host)}, {device.sample_rate} Hz)"
        )
    if not devices:
        complain("no microphone was found")
        return 1
    return 0


class Summary:
    """How long each emotion was heard."""

    def __init__(self) -> None:
        self._turns = 0
        self._seconds: dict[str, float] = {}

    def told(self, event: Event) -> None:
        """The stream told something."""
        if isinstance(event, TurnEnded):
            self._turns += 1
        elif isinstance(event, SegmentEnded):
            segment = event.segment
            self._seconds[segment.emotion] = (
                self._seconds.get(segment.emotion, 0.0) + segment.duration
            )

    def text(self, heard: float, over_runs: int) -> str:
        """Lines for people; heard: seconds of sound."""
        spoken = sum(self._seconds.values())
        turns = "1 turn" if self._turns == 1 else f"{self._turns} turns"
        lines = [
            f"heard {clock(heard)[:-1]}, of it speech {clock(spoken)[:-1]} in {turns}; "
            f"over-runs: {over_runs}"
        ]
        lines += [
            f"  {label:<9}  {clock(self._seconds[label])[:-1]:>9}  "
            f"{100 * self._seconds[label] / max(spoken, 1e-9):5.1f} %"
            for label in sorted(self._seconds, key=lambda label: -self._seconds[label])
        ]
        return "\n".join(lines)
