"""Where the app starts, on every platform."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Callable

if not __package__:  # a phone runs this file by itself; the folder that it stands in is the package
    sys.modules["app"] = types.ModuleType("app")
    sys.modules["app"].__path__ = [os.path.dirname(os.path.abspath(__file__))]

from app.startup import Startup

if TYPE_CHECKING:
    from app.recorders import Recorder

PHONE = (412, 892)
"""Points of the desktop's window."""


def main(arguments: Sequence[str] | None = None, startup: Startup | None = None) -> int:
    """Runs the app until it is closed; returns the exit code."""
    startup = startup or Startup()
    options = _parser().parse_args(arguments)
    if options.clip is not None and not options.clip.is_file():
        print(f"{options.clip}: there is no such file", file=sys.stderr)
        return 2
    os.environ["KIVY_NO_ARGS"] = "1"  # they are ours
    from kivy.config import Config
    from kivy.utils import platform

    if platform not in ("android", "ios"):
        Config.set("graphics", "width", str(PHONE[0]))
        Config.set("graphics", "height", str(PHONE[1]))
        Config.set("input", "mouse", "mouse,disable_multitouch")
    Config.set("graphics", "multisamples", "4")
    Config.set("kivy", "exit_on_escape", "0")
    from kivy.core.window import Window

    if Window is None:
        print("there is no window to draw in; see docs/app.md", file=sys.stderr)
        return 1
    startup.ended("window")
    from app.application import EdgeApp
    from app.recorders import platform_recorder

    startup.ended("imports")
    EdgeApp(
        _clip_recorder(options.clip) if options.clip is not None else platform_recorder,
        folder=options.folder,
        startup=startup,
        settled=gc.freeze,  # or the collector would look through it all, whenever a screen is left
    ).run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    parser.add_argument(
        "--clip", metavar="FILE", type=Path, help="a sound file in place of the microphone"
    )
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        type=Path,
        help="where the history is kept (default: the system's folder for this app)",
    )
    return parser


def _clip_recorder(path: Path) -> Callable[[], Recorder]:
    from app.recorders import FileRecorder

    return lambda: FileRecorder(path)


if __name__ == "__main__":
    sys.exit(main())
