"""`python -m training COMMAND`: the training room from the command line."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence

from edge.errors import EdgeError

COMMANDS = {
    "gender": "fit the gender gate",
    "emotion": "train the emotion experts",
    "prosody": "fit the judge of prosody that is heard beside the experts",
    "voices": "measure what knowing a speaker's voice gains",
    "words": "measure how much of a corpus's emotions the words alone would tell",
    "unpack": "make a run of a bundle, to train on from there",
    "average": "average the weights of runs that began with one another",
    "crossval": "cross-validate the emotion experts beside published figures",
    "evaluate": "score a model bundle on validation and test speakers",
    "ablation": "compare gender-specific experts with one network, hard gating and others",
    "robustness": "score a model bundle in noise, rooms, narrow bands and at other levels",
    "report": "write one HTML page about a run",
    "steadiness": "measure how seldom a stream's label changes, and what that costs",
    "voice-activity": "measure the voice activity detector in noise, or fit it",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command: 0 when it is done, 2 when its material or its arguments are not right.

    A command is the module of its name, which is imported when it is asked for; its `add_arguments`
    extends a parser, and its `run` takes what that parsed.
    """
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train the models of Edge SER and score them.",
        epilog="\n".join([
            "commands:",
            *(f"  {name:15} {purpose}" for name, purpose in COMMANDS.items()),
            "",
            "`python -m training COMMAND --help` tells a command's arguments.",
        ]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        choices=COMMANDS,
        metavar="COMMAND",
        help="one of those below",
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        module = importlib.import_module(f"training.{chosen.command.replace('-', '_')}")
        command = argparse.ArgumentParser(
            prog=f"{parser.prog} {chosen.command}", description=module.__doc__.split("\n\n")[0]
        )
        module.add_arguments(command)
        return module.run(command.parse_args(chosen.arguments)) or 0
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("training", "edge"):
            raise
        print(
            f"error: {error.name} is not installed; training needs: pip install -e '.[train]'",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
