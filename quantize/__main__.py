"""`python -m quantize RUN --out BUNDLE --corpora FOLDER`: the only way into `edge/models/`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.errors import EdgeError, SettingsError

BROKEN, UNUSABLE, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """0: the bundle is written. 1: the gate is broken, nothing changed. 2: the input is wrong."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        return _run(arguments)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("quantize", "training", "edge"):
            raise
        print(f"error: {error.name} is not installed: pip install -e '.[train]'", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("interrupted; variants that are done are kept", file=sys.stderr)
        return INTERRUPTED
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return UNUSABLE


def _parser() -> argparse.ArgumentParser:
    from quantize.settings import METHODS, MethodSettings, Thresholds
    from training.settings import MOST

    parser = argparse.ArgumentParser(
        prog="python -m quantize", description=__doc__,
        epilog="Settings of the methods, for --set: " + ", ".join(
            f"{field.name}={field.default}" for field in dataclasses.fields(MethodSettings)
        ),
    )
    limits = Thresholds()
    add = parser.add_argument
    add("run", type=Path, help="folder of a training run")
    add("--out", type=Path, required=True, help="folder of the bundle; an old one is replaced")
    add("--corpora", type=Path, required=True, help="folder with one folder for each corpus")
    add("--cache", type=Path, help="folder of cached log-mels (default: cache beside the run)")
    add("--protocol", type=Path, help="split by speaker, the run's (default: the released models')")
    add("--method", choices=("auto", *METHODS), default="auto",
        help="auto tries all and keeps the best on validation speakers")
    add("--size-budget", type=int, default=256 * 1024, metavar="BYTES", help="of one expert")
    add("--name", default="", help="of the bundle (default: its folder's)")
    add("--version", default="0.1.0", help="of the bundle")
    add("--certain", type=float, default=0.98,
        help="posterior from which the speaker's gender is certain")
    add("--most", type=float, default=MOST,
        help="weight of an expert whose gender is certain (default: %(default)s)")
    add("--ua-loss", type=float, default=limits.ua_loss, metavar="POINTS",
        help="gate: of each expert and of the whole, at most (default: %(default)s)")
    add("--recall-loss", type=float, default=limits.recall_loss, metavar="POINTS",
        help="gate: of a gender and emotion, at most (default: %(default)s)")
    add("--cell-clips", type=int, default=limits.cell_clips, metavar="CLIPS",
        help="gate: a gender and emotion with fewer does not count (default: %(default)s)")
    add("--agreement", type=float, default=limits.agreement, metavar="PERCENT",
        help="gate: of clips with the same label, at least (default: %(default)s)")
    add("--gate-parts", nargs="+", choices=("validation", "test"), default=["validation", "test"],
        help="where the gate has to hold (default: both)")
    add("--set", nargs="+", default=[], metavar="NAME=VALUE", help="settings of the methods")
    add("--report", type=Path, metavar="FILE", help="HTML (default: RUN/quantize/report.html)")
    add("--quiet", action="store_true", help="no progress")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from quantize import quantization
    from quantize.bundle_writer import recover
    from quantize.float_run import FloatRun
    from quantize.material import read_material
    from quantize.settings import Thresholds
    from quantize.tables import format_diagnosis, format_proof, format_variants, format_verdict
    from training.protocol import RELEASE

    thresholds = Thresholds(
        arguments.ua_loss, arguments.recall_loss, arguments.cell_clips, arguments.agreement
    )
    plan = quantization.Plan(
        arguments.out, arguments.method, arguments.name, arguments.version, arguments.size_budget,
        arguments.certain, arguments.most, _settings(arguments.set), thresholds,
        tuple(arguments.gate_parts), not arguments.quiet,
    )
    recover(plan.out)
    run = FloatRun.load(arguments.run)
    corpora = read_material(
        run, arguments.corpora, arguments.cache or arguments.run.resolve().parent / "cache",
        arguments.protocol or RELEASE,
    )
    outcome = quantization.quantize(run, corpora, plan)
    print(format_variants(outcome.variants, outcome.chosen), end="\n\n")
    print(format_proof(outcome.proof), end="\n\n")
    if not outcome.verdict.passed:
        print(format_diagnosis(outcome.diagnosis), end="\n\n")
    print(format_verdict(outcome.verdict))
    report = arguments.report or arguments.run / "quantize" / "report.html"
    quantization.write_report_of(outcome, report)
    print(f"Report: {report}")
    if not outcome.verdict.passed:
        print(f"No bundle was written; {plan.out} is as it was.")
        return BROKEN
    quantization.write_bundle_of(outcome, corpora)
    print(f"Bundle: {plan.out}")
    return 0


def _settings(assignments: Sequence[str]):
    from quantize.settings import MethodSettings

    settings = MethodSettings()
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        try:
            value = json.loads(text)
        except ValueError:
            equals = ""
        if not equals or name not in settings.to_dict():
            raise SettingsError(
                f"{assignment!r} is not NAME=VALUE of {', '.join(settings.to_dict())}"
            )
        settings = dataclasses.replace(settings, **{name: value})
    return settings


if __name__ == "__main__":
    sys.exit(main())
