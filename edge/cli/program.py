"""The command line's grammar, and what happens whatever the command is."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import edge
from edge.cli import completion, hear, info, listen, predict, teach
from edge.cli.options import add_bundle
from edge.cli.terminal import PROGRAM, complain
from edge.errors import EdgeError

EXIT_CODES = """\
exit codes:
  0    all went well
  1    some file could not be judged (the others are still printed), the models
       could not be loaded, an output could not be written, or the microphone
       could not be opened or stopped by itself
  2    the command line was wrong
  130  interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; bad usage exits with 2 by itself."""
    parser = make_parser()
    options, left = parser.parse_known_args(arguments)
    if left and options.run is teach.run:
        left = teach.add_examples(options, left)
    if left:
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name may hold what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except EdgeError as error:
        complain(str(error))
        return 1
    except BrokenPipeError:
        # Whoever read the output has gone; keep the interpreter's own flush from saying so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def make_parser() -> argparse.ArgumentParser:
    """The whole grammar."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Gender and emotion from a voice, on the device.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = _add_command(
        commands,
        "predict",
        "classify sound files",
        "Classifies sound files: gender with its posterior, emotion with its\n"
        "probability, the runner-up, the length, the time taken, and that time for each\n"
        "second of sound (real-time factor, RTF). A bar on the terminal shows how far it\n"
        "is, beyond one minute of sound.",
        EXIT_CODES + "\nNO_COLOR in the environment turns colours off.",
    )
    predict.add_arguments(command)
    add_bundle(command)
    command.set_defaults(run=predict.run)

    command = _add_command(
        commands,
        "listen",
        "recognise what a microphone hears, live",
        "Shows the level, the gender and the emotions of what a microphone hears, and a\n"
        "line for every stretch that sounded alike. Ctrl-C ends it with a summary and\n"
        "exit code 0.",
        EXIT_CODES,
    )
    listen.add_arguments(command)
    add_bundle(command)
    command.set_defaults(run=listen.run)

    command = _add_command(
        commands,
        "hear",
        "get to know a person's voice, by a few of their recordings",
        "Learns from recordings of one person how that person usually sounds, and writes\n"
        "it to a file for --voice of the other commands. Nobody has to say what was meant\n"
        "by them. Five recordings, not all in the same mood, are a good beginning; more\n"
        "can be heard later. The file holds eight numbers, and no sound.",
        EXIT_CODES,
    )
    hear.add_arguments(command)
    add_bundle(command)
    command.set_defaults(run=hear.run)

    command = _add_command(
        commands,
        "teach",
        "make a person's voice known, by a few of their recordings",
        "Learns from recordings of one person, and what they meant by each, how that\n"
        "person sounds, and writes it to a file for --voice of the other commands. One\n"
        "recording of each emotion is a good beginning; more can be taught later. The\n"
        "file holds what was answered to them, and no sound.",
        EXIT_CODES,
    )
    teach.add_arguments(command)
    add_bundle(command)
    command.set_defaults(run=teach.run)

    command = _add_command(
        commands,
        "info",
        "describe the models, what runs them and the versions",
        "Describes the model bundle, its files and metrics, what runs it, the TFLite\n"
        "interpreter that was found, and the versions in use.",
        EXIT_CODES,
    )
    info.add_arguments(command)
    add_bundle(command)
    command.set_defaults(run=info.run)

    command = _add_command(
        commands,
        "completion",
        "print a script that completes the command line in a shell",
        "Prints a script that completes commands, options and their values.",
        completion.USAGE,
    )
    completion.add_arguments(command)
    command.set_defaults(run=_print_completion)
    return parser


def _add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    description: str,
    epilog: str,
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _print_completion(options: argparse.Namespace) -> int:
    print(completion.script(options.shell, make_parser()), end="")
    return 0


class _Version(argparse.Action):
    """Looks the version up only when it is asked for, which takes longer than all the rest."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"{PROGRAM} {edge.__version__}")
        parser.exit(0)
