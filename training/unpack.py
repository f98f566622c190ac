"""Makes a run of a bundle, so that a training can go on from models of which only int8 is left.

    python -m training unpack --bundle BUNDLE --corpora CORPORA --run RUN

Weights and biases come back from int8 as they are executed. A batch normalisation, which a bundle
has no more, gets the mean and the deviation of what its convolution gives for training clips, and
undoes them again: the networks answer as before, and a training goes on as if they had never been
folded. Both experts become networks of everybody as well (`universal`, `second`), to begin with:

    python -m training emotion --corpora CORPORA --run RUN2 --initial RUN --set ...
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge.bundle import DEFAULT_BUNDLE, Bundle
from edge.flat_buffer import FlatBufferError
from edge.graph import Graph, read_graph
from edge.labels import GENDERS, LABELS
from training.cache import FeatureCache
from training.corpora import read_corpora
from training.emotion import Batches, Material, environment
from training.protocol import RELEASE, Protocol
from training.run import STAGES, Run, RunError
from training.settings import SHIPPED, TrainingSettings

_EXPERT_OF = {"universal": "female", "second": "male", "female": "female", "male": "male"}
_BATCHES = 10  # of augmented training clips, whose means and deviations are taken
_WEIGHTED = ("CONV_2D", "FULLY_CONNECTED")


def unpack(
    bundle: Bundle, run: Run, material: Material, settings: TrainingSettings
) -> list[str]:
    """Makes the run of the bundle; returns its stages.

    material: training clips, a batch at least. RunError when there are less, when the experts are
    of another network than the settings, or when the run's folder holds another run.
    """
    from training.network import build_network
    from training.tensorflow_setup import compute_in_bfloat16, seed_everything

    if len(material) < settings.batch_size:
        raise RunError(
            f"{len(material)} training clips with an emotion are not a batch of "
            f"{settings.batch_size}: give corpora with more, or a smaller batch_size"
        )
    manifest = bundle.manifest
    contents = {
        gender: (bundle.folder / manifest["experts"][gender]["file"]).read_bytes()
        for gender in GENDERS
    }
    features = bundle.emotion_features
    run.settle({
        "settings": settings.to_dict(),
        "data": material.fingerprint(),
        "unpacked": {
            gender: hashlib.sha256(content).hexdigest() for gender, content in contents.items()
        },
        "command": "python -m training unpack --bundle BUNDLE --corpora CORPORA --run RUN",
        "environment": environment(),
    })
    run.write("features.json", {
        "labels": {stage: list(LABELS) for stage in STAGES},
        "front_end": bundle.front_end.to_dict(),
        "emotion_features": features.to_dict(),
    })
    seed_everything(settings.seed)
    compute_in_bfloat16(False)  # what is measured here is to be undone to the last digit
    batches = Batches(material, settings, features, "universal", bundle.front_end)
    heard = np.concatenate(list(itertools.islice(_inputs(batches), _BATCHES)))
    models = {}
    for stage in ("universal", "second"):
        gender = _EXPERT_OF[stage]
        model = build_network(settings.network_of(stage), features.frames, features.n_mfcc)
        _give_weights(model, contents[gender], gender)
        _normalise(model, heard)
        models[gender] = model
    for stage in STAGES:
        run.save_expert(stage, models[_EXPERT_OF[stage]])
    run.gate_path.write_bytes((bundle.folder / manifest["gender"]["file"]).read_bytes())
    if "prosody" in manifest:
        run.prosody_path.write_bytes((bundle.folder / manifest["prosody"]["file"]).read_bytes())
    return list(STAGES)


def _inputs(batches: Batches) -> Iterator[np.ndarray]:
    for epoch in itertools.count():
        for features, _, _ in batches.epoch(epoch):
            yield features


def _give_weights(model: Any, content: bytes, gender: str) -> None:
    """The dequantised weights, and biases behind normalisations that change nothing."""
    from training.tensorflow_setup import keras

    try:
        graph = read_graph(content)
    except FlatBufferError as error:
        raise RunError(f"the bundle's {gender} expert cannot be read: {error}") from error
    found = _dequantised(graph)
    layers = [
        layer for layer in model.layers
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))
    ]
    wanted = [tuple(layer.kernel.shape) for layer in layers]
    if [kernel.shape for kernel, _ in found] != wanted:
        raise RunError(
            f"the bundle's {gender} expert is another network than the settings: its weights are "
            f"{[kernel.shape for kernel, _ in found]} in place of {wanted}"
        )
    for layer, (kernel, bias) in zip(layers, found):
        if layer.use_bias:
            layer.set_weights([kernel, bias])
            continue
        layer.set_weights([kernel])
        norm = _normalisation(layer)
        rest = np.full_like(bias, 1.0 - norm.epsilon)
        norm.set_weights([np.ones_like(bias), bias, np.zeros_like(bias), rest])


def _dequantised(graph: Graph) -> list[tuple[np.ndarray, np.ndarray]]:
    """(kernel, bias) float32 of each convolution and dense layer, shaped as Keras has them."""
    found = []
    for operator in graph.operators:
        if operator.kind not in _WEIGHTED:
            continue
        given, weights, biases = (graph.tensors[k] for k in operator.inputs)
        # Per output channel, which comes first in TFLite; or one for all.
        scale = weights.scales.astype(np.float64)
        kernel = weights.values * scale.reshape((-1,) + (1,) * (len(weights.shape) - 1))
        bias = biases.values * (scale * float(given.scales[0]))
        kernel = kernel.T if kernel.ndim == 2 else np.moveaxis(kernel, 0, -1)
        found.append((kernel.astype(np.float32), bias.astype(np.float32)))
    return found


def _normalisation(layer: Any) -> Any:
    """The batch normalisation behind a convolution."""
    (node,) = layer.outbound_nodes
    return node.layer


def _normalise(model: Any, heard: np.ndarray) -> None:
    """Makes each normalisation, so far without effect, one of mean 0 and deviation 1 of its inputs.

    What it gives stays: its gain and offset undo it, and the kernel before it is scaled to fit.
    """
    from training.tensorflow_setup import keras

    convolutions = [
        layer for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and not layer.use_bias
    ]
    given = keras.Model(model.inputs, [layer.output for layer in convolutions])
    sums = [np.zeros((2, layer.filters)) for layer in convolutions]
    counts = np.zeros(len(convolutions))
    for start in range(0, len(heard), 48):
        for k, rows in enumerate(given(heard[start : start + 48], training=False)):
            rows = rows.numpy().astype(np.float64).reshape(-1, rows.shape[-1])
            sums[k] += rows.sum(axis=0), (rows * rows).sum(axis=0)
            counts[k] += len(rows)
    for layer, total, count in zip(convolutions, sums, counts):
        mean, square = total / count
        deviation = np.sqrt(np.maximum(square - mean * mean, 1e-8))
        norm = _normalisation(layer)
        _, beta, _, _ = norm.get_weights()
        layer.set_weights([layer.get_weights()[0] / deviation.astype(np.float32)])
        ones = np.ones_like(mean)
        norm.set_weights([
            deviation, beta + mean, mean / deviation, (1.0 - norm.epsilon) * ones,
        ])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training unpack`."""
    parser.add_argument("--bundle", type=Path, default=DEFAULT_BUNDLE,
                        help="folder of the model bundle (default: the one that ships)")
    parser.add_argument("--corpora", type=Path, required=True,
                        help="folder with one folder for each corpus")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run that is made")
    parser.add_argument("--protocol", type=Path, default=RELEASE,
                        help="split by speaker (default: the released models')")
    parser.add_argument("--cache", type=Path,
                        help="folder of cached log-mels (default: beside the run)")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE",
                        help="settings that the bundle was trained with, such as network.width=64, "
                        "where they differ from those of the one that ships")


def run(arguments: argparse.Namespace) -> int:
    """Makes the run."""
    settings = TrainingSettings().replaced([*SHIPPED, *arguments.set])
    protocol = Protocol.load(arguments.protocol)
    clips = [
        clip for clip in read_corpora(arguments.corpora)
        if protocol.part(clip) == "train" and clip.emotion is not None
    ]
    bundle = Bundle.load(arguments.bundle)
    cache = FeatureCache(arguments.cache or arguments.run.parent / "cache", bundle.front_end)
    material = Material(clips, cache.log_mels(clips))
    stages = unpack(bundle, Run(arguments.run), material, settings)
    print(f"made {', '.join(stages)} in {arguments.run}")
    return 0
