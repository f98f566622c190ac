"""`edge-ser info`: the models, what runs them and the versions."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import edge
from edge.cli.terminal import PROGRAM, printable, quiet_interpreter
from edge.errors import RuntimeMissingError

if TYPE_CHECKING:
    from edge.bundle import Bundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options, besides those that all commands share."""
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(options: argparse.Namespace) -> int:
    """Prints the facts; returns the exit code."""
    from edge.bundle import Bundle

    facts = _facts(Bundle.load(options.bundle))
    if options.json:
        print(json.dumps(facts, indent=2))
    else:
        print("\n".join(_outline(facts)))
    return 0


def _facts(bundle: Bundle) -> dict[str, Any]:
    import numpy

    from edge._kernels import int8
    from edge.emotion import find_runtime

    try:
        with quiet_interpreter():
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
        "runtime": f"native, by {int8.instruction_sets()[0]}",
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
        for path in Path(edge.__file__).parent.rglob("*")
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
            yield f"{indent}{name:<{width}}  {', '.join(map(printable, value))}"
        elif isinstance(value, (list, dict)):
            yield f"{indent}{name:<{width}}  ({len(value)} values, see --json)"
        else:
            shown = f"{value:,}" if type(value) is int else str(value)
            yield f"{indent}{name:<{width}}  {printable(shown)}"
