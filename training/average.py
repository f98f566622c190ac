"""Averages the weights of runs that began with one another, network by network.

    python -m training average --corpora CORPORA --run RUN --of RUN1 RUN2

Two stages of one training lie on the rim of the same wide minimum of the loss, and their mean
nearer to its bottom (model soups, Wortsman et al. 2022). Runs that began apart have no such mean:
that of their weights answers by chance.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.cache import FeatureCache
from training.corpora import Clip, read_corpora
from training.emotion import Material, Validation, environment, same_network
from training.protocol import RELEASE, Protocol
from training.run import STAGES, Run, RunError


def average(run: Run, members: Sequence[Run]) -> list[str]:
    """Makes the run of the members' mean weights; returns its stages.

    RunError when the members' networks or features differ, or the folder holds another run.
    """
    first, *others = members
    if not others:
        raise RunError(f"run {first.folder} has nothing to be averaged with: give two runs or more")
    for other in others:
        if (other.front_end(), other.emotion_features()) != (
            first.front_end(), first.emotion_features()
        ):
            raise RunError(
                f"runs {first.folder} and {other.folder} have other features: they have no mean"
            )
    stages = [stage for stage in STAGES if all(each.model_path(stage).exists() for each in members)]
    settings, data = (first.read("config.json").get(name) for name in ("settings", "data"))
    run.settle({
        "settings": settings,
        "data": data,
        "average_of": [{stage: each.fingerprint(stage) for stage in stages} for each in members],
        "command": "python -m training average --corpora CORPORA --run RUN --of "
        + " ".join(f"RUN{number + 1}" for number in range(len(members))),
        "environment": environment(),
    })
    run.write("features.json", first.read("features.json"))
    for stage in stages:
        model = first.expert(stage)
        weights = [model.get_weights()]
        for other in others:
            network = other.expert(stage)
            if not same_network(network, model):
                raise RunError(
                    f"runs {first.folder} and {other.folder} have another {stage} network each: "
                    "they have no mean"
                )
            weights.append(network.get_weights())
        model.set_weights([
            np.mean(alike, axis=0, dtype=np.float64).astype(np.float32) for alike in zip(*weights)
        ])
        run.save_expert(stage, model)
    return stages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training average`."""
    parser.add_argument("--corpora", type=Path, required=True,
                        help="folder with one folder for each corpus, to validate with")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run that is made")
    parser.add_argument("--of", type=Path, nargs="+", required=True, metavar="RUN",
                        help="finished runs, of which the later began with the earlier ones")
    parser.add_argument("--protocol", type=Path, default=RELEASE,
                        help="split by speaker (default: the released models')")
    parser.add_argument("--cache", type=Path,
                        help="folder of cached log-mels (default: beside the run)")


def run(arguments: argparse.Namespace) -> int:
    """Makes the run, and prints each stage's validation scores."""
    made = Run(arguments.run)
    stages = average(made, [Run(folder) for folder in arguments.of])
    clips = read_corpora(arguments.corpora)
    protocol = Protocol.load(arguments.protocol)
    validating: list[Clip] = [clip for clip in clips if protocol.part(clip) == "validation"]
    cache = FeatureCache(arguments.cache or arguments.run.parent / "cache", made.front_end())
    material = Material(validating, cache.log_mels(validating))
    judge = Validation(material, made.emotion_features())
    metrics = {}
    for stage in stages:
        model = made.expert(stage)
        metrics[stage] = {
            "parameters": int(model.count_params()),
            **judge.score(lambda inputs, model=model: model(inputs, training=False).numpy()),
        }
        print(stage, " ".join(f"{name} {value:g}" for name, value in metrics[stage].items()))
    made.write("metrics.json", metrics)
    return 0
