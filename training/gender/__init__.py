"""Fits the gender gate: a bottleneck network, a mixture for each gender, and the calibration.

1. A small network over spliced, level-free log-mel frames learns to tell the genders apart, from
   crops of clips drawn evenly over genders and speakers, under random equalisers, noise floors and
   slight frequency warps, so that neither a microphone nor a corpus gives the answer away. Its loss
   is of the mean over a crop's voiced frames and, in part, of each frame.
2. A linear discriminant analysis with a class for each speaker keeps the bottleneck's directions
   that tell speakers apart; the first of them is mostly gender.
3. scikit-learn fits a Gaussian mixture for each gender there, evenly over speakers. Validation
   speakers choose the size and the kind of covariance; BIC is reported.
4. The posterior is calibrated on validation speakers, over parts of clips, clips and five clips.

`python -m training gender --corpora FOLDER --run runs/NAME` writes `gender.npz` and `gender.json`.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from training.gender.arrays import write_arrays
from training.gender.assessment import print_report
from training.gender.fit import FOLDS, ROADS, GateFit, fit_gate
from training.gender.settings import GateSettings

__all__ = ["GateFit", "GateSettings", "add_arguments", "fit_gate", "run", "write_arrays"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training gender`."""
    parser.add_argument(
        "--corpora", type=Path, required=True, help="folder with one folder for each corpus"
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="folder to write gender.npz and gender.json to"
    )
    parser.add_argument(
        "--protocol", type=Path, help="split by speaker (default: the released models')"
    )
    parser.add_argument(
        "--cache", type=Path, help="folder of cached log-mels (default: cache beside the run)"
    )
    parser.add_argument("--seed", type=int, default=GateSettings.seed)
    parser.add_argument(
        "--steps", type=int, default=GateSettings.steps, help="of the bottleneck's training"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="another value of a field of training.gender.settings.GateSettings; repeatable",
    )
    parser.add_argument(
        "--roads",
        nargs="+",
        choices=ROADS,
        default=ROADS,
        help="to train on (default: both)",
    )
    parser.add_argument(
        "--hold-out",
        type=int,
        choices=range(FOLDS),
        metavar="FOLD",
        help=f"train without this fold of {FOLDS} of the training speakers and score it",
    )
    parser.add_argument("--test", action="store_true", help="score the test speakers too")


def run(arguments: argparse.Namespace, settings: GateSettings | None = None) -> int:
    """Fits, writes RUN/gender.npz and RUN/gender.json, prints the report."""
    from training.cache import FeatureCache
    from training.corpora import read_corpora
    from training.protocol import RELEASE, Protocol

    clips = read_corpora(arguments.corpora)
    cache = arguments.cache or arguments.run.parent / "cache"
    settings = dataclasses.replace(
        settings or GateSettings(), seed=arguments.seed, steps=arguments.steps
    ).changed(arguments.set)
    protocol_file = Path(arguments.protocol or RELEASE)
    fit = fit_gate(
        clips,
        FeatureCache(cache).log_mels(clips),
        Protocol.load(protocol_file),
        settings,
        test=arguments.test,
        roads=arguments.roads,
        hold_out=arguments.hold_out,
    )
    fit.report["protocol"] = hashlib.sha256(protocol_file.read_bytes()).hexdigest()
    training = {key: fit.report[key] for key in ("settings", "chosen", "protocol")}
    arguments.run.mkdir(parents=True, exist_ok=True)
    write_arrays(
        arguments.run / "gender.npz",
        {**fit.arrays, "training": np.array(json.dumps(training, sort_keys=True))},
    )
    (arguments.run / "gender.json").write_text(json.dumps(fit.report, indent=2) + "\n")
    print_report(fit.report)
    sys.stdout.flush()
    return 0
