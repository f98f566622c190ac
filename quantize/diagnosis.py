"""Why an int8 expert answers otherwise than the float one: layer by layer, and clip by clip.

Both models run on the same windows with every intermediate tensor as an output. They have the same
operations in the same order, so that the tensors can be set side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge.emotion import dequantise, quantise
from edge.labels import LABELS
from quantize.errors import QuantizeError
from quantize.graph import Graph, with_every_output
from quantize.proof import BOTH_PARTS, SYSTEMS, Proof
from training.tensorflow_setup import tf

_REQUANTIZE = "QUANTIZE"  # int8 to int8, which the float model has no counterpart of


@dataclass(frozen=True)
class LayerNoise:
    """What int8 made of one operation's output.

    noise_db: signal-to-quantization-noise ratio, 10 log10 of float power over error power.
    own_noise_db: the same of rounding the float output alone to this operation's scale: what is
        not due to the layers before, nor to its weights.
    low, high: the range that its int8 values can express; float_low, float_high: what float has.
    clipped: share of the float values outside; used: share of the 256 steps that float spans.
    """

    position: int
    kind: str
    shape: tuple[int, ...]
    noise_db: float
    own_noise_db: float
    low: float
    high: float
    float_low: float
    float_high: float
    clipped: float
    used: float

    def to_dict(self) -> dict[str, Any]:
        return {
            name: round(value, 5) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class ChangedClip:
    """A clip whose label changed, or whose probabilities moved furthest."""

    corpus: str
    name: str
    part: str
    gender: str
    emotion: str
    float_label: str
    int8_label: str
    float_probability: float    # of float's label
    int8_probability: float     # of the same label
    change: float               # the largest of a probability


@dataclass(frozen=True)
class Diagnosis:
    """Where the chosen experts lose precision.

    layers: by gender; clips: by system, those that changed most
    float_sizes: by gender, what the float expert costs as a TFLite model
    """

    layers: dict[str, list[LayerNoise]]
    clips: dict[str, list[ChangedClip]]
    float_sizes: dict[str, dict[str, int]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without the clips."""
        return {
            "layers": {
                gender: [layer.to_dict() for layer in layers]
                for gender, layers in self.layers.items()
            },
            "float": self.float_sizes,
        }


def diagnose(
    int8: Mapping[str, bytes], exact: Mapping[str, bytes], windows: np.ndarray, proof: Proof
) -> Diagnosis:
    """int8, exact: TFLite models by gender; windows: (n, frames, n_mfcc, 1) float32."""
    sizes = {}
    for gender, model in exact.items():
        graph = Graph(model)
        sizes[gender] = {
            "bytes": graph.size, "compressed_bytes": graph.compressed_size,
            "parameters": graph.parameters, "multiply_accumulates": graph.multiply_accumulates,
            "peak_activation_bytes": graph.peak_activation_bytes,
        }
    return Diagnosis(
        {gender: layer_noise(int8[gender], exact[gender], windows) for gender in int8},
        {system: changed_clips(proof, system) for system in SYSTEMS},
        sizes,
    )


def layer_noise(int8: bytes, exact: bytes, windows: np.ndarray) -> list[LayerNoise]:
    """Compares each operation's outputs over (n, frames, n_mfcc, 1) float32 windows.

    exact: the same network as a float TFLite model. QuantizeError when the graphs differ.
    """
    graph, float_graph = Graph(int8), Graph(exact)
    pairs = _paired(graph, float_graph)
    run, float_run = _Watched(int8, graph), _Watched(exact, float_graph)
    sums = np.zeros((len(pairs), 4))  # float power, error power, own error power, clipped values
    ranges = np.tile([np.inf, -np.inf], (len(pairs), 1))
    for window in windows:
        tensors, float_tensors = run(window), float_run(window)
        for row, (number, float_number) in enumerate(pairs):
            tensor = graph.tensors[number]
            scale, zero_point = float(tensor.scales[0]), int(tensor.zero_points[0])
            signal = float_tensors[float_number].astype(np.float32)
            got = dequantise(tensors[number], scale, zero_point)
            own = dequantise(quantise(signal, scale, zero_point), scale, zero_point)
            low, high = (-128 - zero_point) * scale, (127 - zero_point) * scale
            outside = (signal < low - scale / 2) | (signal > high + scale / 2)
            sums[row] += (
                np.square(signal, dtype=np.float64).sum(),
                np.square(got - signal, dtype=np.float64).sum(),
                np.square(own - signal, dtype=np.float64).sum(),
                outside.sum(),
            )
            ranges[row] = min(ranges[row, 0], signal.min()), max(ranges[row, 1], signal.max())
    noise = []
    for row, (number, _) in enumerate(pairs):
        tensor = graph.tensors[number]
        scale, zero_point = float(tensor.scales[0]), int(tensor.zero_points[0])
        operation = next(op for op in graph.operations if number in op.outputs)
        low, high = ranges[row]
        noise.append(LayerNoise(
            row + 1, operation.kind, tensor.shape, _decibels(sums[row, 0], sums[row, 1]),
            _decibels(sums[row, 0], sums[row, 2]), (-128 - zero_point) * scale,
            (127 - zero_point) * scale, float(low), float(high),
            float(sums[row, 3] / (len(windows) * tensor.elements)),
            float(min(1.0, (high - low) / scale / 255)),
        ))
    return noise


def changed_clips(proof: Proof, system: str, most: int = 20) -> list[ChangedClip]:
    """The clips of a system that changed most: other labels first, then larger changes."""
    exact, int8, _ = proof.answers(system)
    chosen = np.flatnonzero(proof.members(system, BOTH_PARTS))
    change = np.abs(exact.probabilities - int8.probabilities).max(axis=1)
    other = exact.labels != int8.labels
    order = sorted(chosen, key=lambda k: (-int(other[k]), -change[k], k))
    return [
        ChangedClip(
            proof.clips[k].corpus, proof.clips[k].name, proof.parts[k], proof.clips[k].gender,
            proof.clips[k].emotion, LABELS[exact.labels[k]], LABELS[int8.labels[k]],
            float(exact.probabilities[k, exact.labels[k]]),
            float(int8.probabilities[k, exact.labels[k]]), float(change[k]),
        )
        for k in order[:most]
    ]


def _paired(graph: Graph, float_graph: Graph) -> list[tuple[int, int]]:
    """The outputs of corresponding operations."""
    operations = [op for op in graph.operations if op.kind != _REQUANTIZE]
    if [op.kind for op in operations] != [op.kind for op in float_graph.operations]:
        raise QuantizeError(
            "the int8 graph has other operations than the float one: its layers cannot be compared"
        )
    return [
        (a, b)
        for op, float_op in zip(operations, float_graph.operations)
        for a, b in zip(op.outputs, float_op.outputs)
    ]


class _Watched:
    """Runs a model on one window and gives every tensor."""

    def __init__(self, model: bytes, graph: Graph) -> None:
        resolver = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._interpreter = tf.lite.Interpreter(
            model_content=with_every_output(model), experimental_op_resolver_type=resolver
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = [number for op in graph.operations for number in op.outputs]

    def __call__(self, window: np.ndarray) -> dict[int, np.ndarray]:
        value = window[None]
        if self._input["dtype"] == np.int8:
            value = quantise(value, *self._input["quantization"])
        self._interpreter.set_tensor(self._input["index"], value)
        self._interpreter.invoke()
        return {number: self._interpreter.get_tensor(number) for number in self._outputs}


def _decibels(signal: float, noise: float) -> float:
    """A power ratio in decibels, held within -20 to 100 so that it stays a number."""
    if noise <= 0.0 or signal <= 0.0:
        return 100.0 if noise <= 0.0 else 0.0
    return float(np.clip(10.0 * np.log10(signal / noise), -20.0, 100.0))
