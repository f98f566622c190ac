"""Scores a model bundle on the validation and test speakers of a protocol."""

from __future__ import annotations

import argparse
import hashlib
import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edge.bundle import DEFAULT_BUNDLE, MANIFEST, Bundle
from edge.recognizer import Recognizer
from training.corpora import CORPORA, read_corpora
from training.evaluation import UNSEEN, Evaluation, evaluate
from training.protocol import PARTS, RELEASE, Protocol
from training.tables import format_evaluation, write_figures

__all__ = ["Evaluation", "add_arguments", "evaluate", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training evaluate`."""
    parser.add_argument(
        "--bundle",
        type=Path,
        default=DEFAULT_BUNDLE,
        help="folder of the model bundle (default: the one that ships with the package)",
    )
    parser.add_argument(
        "--corpora", type=Path, required=True, help="folder with one folder for each corpus"
    )
    parser.add_argument(
        "--only", nargs="+", choices=CORPORA, metavar="CORPUS", help=f"of {', '.join(CORPORA)}"
    )
    parser.add_argument(
        "--protocol",
        type=Path,
        default=RELEASE,
        help="split by speaker (default: the released models')",
    )
    parser.add_argument("--fold", help="of a protocol that has folds")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=UNSEEN, help="(default: validation test)"
    )
    parser.add_argument(
        "--by-speaker",
        action="store_true",
        help="intervals by drawing speakers, rather than clips, with replacement",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write PNG plots to FOLDER")


def run(arguments: argparse.Namespace) -> int:
    """Evaluates, prints the tables, writes the JSON file and the plots that were asked for."""
    bundle = Bundle.load(arguments.bundle)
    protocol = Protocol.load(arguments.protocol, arguments.fold)
    clips = read_corpora(arguments.corpora, arguments.only)
    evaluation = evaluate(Recognizer(bundle), clips, protocol, arguments.parts)

    fold = "" if protocol.fold is None else f", fold {protocol.fold}"
    print(f"{bundle.name} {bundle.version}, manifest {_manifest_sha256(bundle)}")
    print(f"protocol {protocol.name}{fold}; {len(evaluation.clips)} clips\n")
    print(format_evaluation(evaluation, by_speaker=arguments.by_speaker))
    if arguments.json is not None:
        content = {
            "bundle": bundle_identity(bundle),
            "command": shlex.join(["python", "-m", "training", *sys.argv[1:]]),
            "versions": _versions(),
            **evaluation.to_dict(by_speaker=arguments.by_speaker),
        }
        write_figures(arguments.json, content)
    if arguments.plots is not None:
        from training.plots import write_plots

        for path in write_plots(evaluation, arguments.plots):
            print(f"wrote {path}")
    return 0


def bundle_identity(bundle: Bundle) -> dict[str, str]:
    """Name, version and digest, as JSON values."""
    return {
        "name": bundle.name,
        "version": bundle.version,
        "manifest_sha256": _manifest_sha256(bundle),
    }


def _manifest_sha256(bundle: Bundle) -> str:
    """The manifest lists the digest of every other file, so its own stands for the bundle."""
    return hashlib.sha256((bundle.folder / MANIFEST).read_bytes()).hexdigest()


def _versions() -> dict[str, Any]:
    versions: dict[str, Any] = {"python": platform.python_version()}
    for distribution in ("edge-ser", "numpy", "soundfile"):
        try:
            versions[distribution] = version(distribution)
        except PackageNotFoundError:
            versions[distribution] = None
    return versions
