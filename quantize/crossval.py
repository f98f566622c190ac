"""The int8 forms of a cross-validation's folds: converted, calibrated and tested as deployed.

    python -m quantize.crossval RUN --corpora CORPORA

`python -m training crossval` starts it when the folds are trained. Each fold's experts are
converted by one method, fixed beforehand; the ranges of activations come from the fold's training
part, the temperatures from its inner validation speakers. What is done is kept.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.emotion import make_expert
from edge.errors import EdgeError
from edge.labels import GENDERS
from quantize.float_run import FloatRun
from quantize.graph import Graph
from quantize.methods import Workpiece
from quantize.quantization import balanced_expert
from quantize.representative import representative_windows
from quantize.settings import METHODS, MethodSettings
from quantize.variants import made_variant
from training.crossval import Crossval, answer_fold
from training.crossval.folds import Fold
from training.crossval.results import fold_run
from training.run import Run
from training.tensorflow_setup import compute_in_bfloat16, seed_everything


def main(argv: Sequence[str] | None = None) -> int:
    """0: every fold asked for has its int8.npz. 2: the input is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m quantize.crossval", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("run", type=Path, help="folder of a cross-validation with trained folds")
    parser.add_argument("--corpora", type=Path, required=True,
                        help="folder with one folder for each corpus")
    parser.add_argument("--cache", type=Path, help="folder of cached log-mels")
    parser.add_argument("--folds", nargs="+", metavar="FOLD", help="these alone (default: all)")
    parser.add_argument("--method", choices=METHODS, default="ptq",
                        help="(default: %(default)s)")
    arguments = parser.parse_args(argv)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        _convert(arguments)
    except KeyboardInterrupt:
        print("interrupted; folds that are done are kept", file=sys.stderr)
        return 130
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _convert(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    run = Run(arguments.run)
    config = run.read("config.json")
    crossval = Crossval.read(
        run, config["corpus"], config["protocol"], arguments.corpora, arguments.cache
    )
    wanted = [fold for fold in crossval.folds if arguments.folds is None
              or fold.name in arguments.folds]
    compute_in_bfloat16(False)
    for fold in tqdm(wanted, desc="int8", unit="fold"):
        if not (fold_run(run, fold).folder / "int8.npz").exists():
            _convert_fold(crossval, fold, arguments.method)


def _convert_fold(crossval: Crossval, fold: Fold, method: str) -> None:
    settings = MethodSettings()
    run = FloatRun.load(fold_run(crossval.run, fold).folder)
    parts = crossval.split(fold)
    train, validation = crossval.material(parts.train), crossval.material(parts.validation)
    seed_everything(settings.seed)
    representative = representative_windows(
        train.clips, train.log_mels, run.features, settings.representative_windows, settings.seed
    )
    models: dict[str, bytes] = {}
    for gender in GENDERS:
        piece = Workpiece(
            gender, balanced_expert(run.experts[gender], representative, settings), representative,
            train, run.training_settings(), run.features, settings, progress=False,
        )
        models[gender] = made_variant(piece, method, run.digests[gender], run.folder / "quantize")
    experts = {gender: make_expert(model, gender) for gender, model in models.items()}
    most = crossval.run.read("config.json")["settings"]["most"]
    facts = _facts(models, run, method)
    prosody = fold_run(crossval.run, fold).prosody_path
    if prosody.exists():
        facts["bytes"]["prosody"] = prosody.stat().st_size
    answer_fold(crossval, fold, "int8", experts, validation, most, facts)


def _facts(models: dict[str, bytes], run: FloatRun, method: str) -> dict[str, Any]:
    """What the deployed form costs."""
    graphs = {gender: Graph(model) for gender, model in models.items()}
    return {
        "method": method,
        "parameters": sum(graph.parameters for graph in graphs.values()),
        "bytes": {
            **{gender: graph.size for gender, graph in graphs.items()},
            "gate": sum(array.nbytes for array in run.gate_arrays.values()),
        },
        "multiply_accumulates": {
            gender: graph.multiply_accumulates for gender, graph in graphs.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main())
