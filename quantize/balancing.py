"""Brings the channels of an activation to like ranges, without changing the network's function.

An activation has one int8 scale for all its channels, so that a channel much weaker than the
strongest one is left with a few steps. Rectifiers, pooling, padding and sums let positive factors
pass: what a convolution's output channel is divided by, the next kernel's input channel can be
multiplied with (cross-layer equalisation, Nagel et al. 2019). Kernels are quantized by output
channel, so that the division is free; what the multiplication costs is weighed as in Xiao et al.
2023 ("SmoothQuant"): factor = activation ^ strength / weight ^ (1 - strength).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from quantize.errors import QuantizeError
from training.tensorflow_setup import keras

_LINEAR = (keras.layers.Conv2D, keras.layers.Dense)
# What lets a positive factor of a channel pass.
_HOMOGENEOUS = (
    keras.layers.ReLU, keras.layers.MaxPool2D, keras.layers.AveragePooling2D,
    keras.layers.ZeroPadding2D, keras.layers.Add, keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
)


def balance(model: Any, windows: np.ndarray, strength: float) -> None:
    """Rescales the weights of a folded model in place; its logits stay what they were.

    windows: (n, frames, n_mfcc, 1) float32, on which the channels' ranges are measured
    strength: 0 to 1, how much the activations' ranges count against the weights'
    A tensor next to an operation that lets no factor pass stays as it is.
    """
    groups = _Groups(model)
    peaks = groups.peaks(windows)
    for group, peak in enumerate(peaks):
        if not groups.fixed[group]:
            weight = groups.weight_peaks(group, len(peak))
            live = (peak > 0) & (weight > 0)
            factors = np.ones(len(peak))
            factors[live] = peak[live] ** strength / weight[live] ** (1.0 - strength)
            factors[live] /= np.exp(np.log(factors[live]).mean())
            groups.rescale(group, np.clip(factors, 2.0**-6, 2.0**6))


class _Groups:
    """Tensors whose channels have to share their factors, and who makes and who takes them.

    Each tensor is a tuple of groups, side by side along its channels: several after concatenation.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._parent: list[int] = []
        self._channels: list[int] = []
        self._fixed: set[int] = set()
        self._of: dict[int, tuple[int, ...]] = {}  # by id of a Keras tensor
        self._makers: list[tuple[Any, int]] = []
        self._takers: list[tuple[Any, tuple[int, ...]]] = []
        for tensor in model.inputs:
            self._of[id(tensor)] = (self._new(tensor, fixed=True),)
        for layer in model.layers:
            if not isinstance(layer, keras.layers.InputLayer):
                self._visit(layer)
        for tensor in model.outputs:
            self._fix(self._of[id(tensor)])
        roots = sorted({self._root(number) for number in range(len(self._parent))})
        self._number = {root: number for number, root in enumerate(roots)}
        self.fixed = [
            any(self._root(number) == root for number in self._fixed) for root in roots
        ]

    def _new(self, tensor: Any, fixed: bool = False) -> int:
        self._parent.append(len(self._parent))
        self._channels.append(int(tensor.shape[-1]))
        if fixed:
            self._fixed.add(len(self._parent) - 1)
        return len(self._parent) - 1

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            number = self._parent[number]
        return number

    def _fix(self, groups: Sequence[int]) -> None:
        self._fixed.update(groups)

    def _visit(self, layer: Any) -> None:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        sources = [self._of[id(tensor)] for tensor in inputs]
        if isinstance(layer, _LINEAR) and not isinstance(layer, keras.layers.DepthwiseConv2D):
            if getattr(layer, "groups", 1) != 1:
                raise QuantizeError(f"{layer.name}: grouped convolutions cannot be balanced")
            self._takers.append((layer, sources[0]))
            made = self._new(layer.output, fixed=layer.get_config()["activation"] not in
                             ("linear", "relu"))
            self._makers.append((layer, made))
            self._of[id(layer.output)] = (made,)
        elif isinstance(layer, keras.layers.Concatenate):
            self._of[id(layer.output)] = tuple(number for source in sources for number in source)
        elif isinstance(layer, _HOMOGENEOUS):
            for other in sources[1:]:
                if len(other) != len(sources[0]):
                    self._fix([*other, *sources[0]])
                for a, b in zip(sources[0], other):
                    self._parent[self._root(b)] = self._root(a)
            self._of[id(layer.output)] = sources[0]
        else:
            for source in sources:
                self._fix(source)
            self._of[id(layer.output)] = (self._new(layer.output, fixed=True),)

    def _group(self, number: int) -> int:
        return self._number[self._root(number)]

    def peaks(self, windows: np.ndarray) -> list[np.ndarray]:
        """The largest magnitude of each channel of each group, (channels,) float64."""
        peaks: list[Any] = [0.0] * len(self._number)
        layers = [layer for layer in self._model.layers if id(layer.output) in self._of
                  and not isinstance(layer, keras.layers.InputLayer)]
        watching = keras.Model(self._model.inputs, [layer.output for layer in layers])
        for start in range(0, len(windows), 64):
            outputs = watching(windows[start : start + 64], training=False)
            for layer, output in zip(layers, outputs):
                values = np.abs(output.numpy()).reshape(-1, output.shape[-1]).max(axis=0)
                first = 0
                for number in self._of[id(layer.output)]:
                    group, width = self._group(number), self._channels[number]
                    peaks[group] = np.maximum(peaks[group], values[first : first + width])
                    first += width
        return [np.atleast_1d(np.asarray(peak, np.float64)) for peak in peaks]

    def weight_peaks(self, group: int, channels: int) -> np.ndarray:
        """The largest share that each channel has in the range of an output channel's weights."""
        peaks = np.zeros(channels)
        for layer, source in self._takers:
            kernel = np.abs(layer.get_weights()[0]).astype(np.float64)
            kernel = kernel.reshape(-1, *kernel.shape[-2:])  # (places, in, out)
            shares = kernel / np.maximum(kernel.max(axis=(0, 1)), 1e-12)
            for first, number in self._slices(source):
                if self._group(number) == group:
                    part = shares[:, first : first + channels]
                    peaks = np.maximum(peaks, part.max(axis=(0, 2)))
        return peaks

    def rescale(self, group: int, factors: np.ndarray) -> None:
        """Divides what is made of the group's channels, and multiplies where it is taken."""
        for layer, number in self._makers:
            if self._group(number) == group:
                kernel, bias = layer.get_weights()
                layer.set_weights([kernel / factors, bias / factors])
        for layer, source in self._takers:
            for first, number in self._slices(source):
                if self._group(number) == group:
                    kernel, bias = layer.get_weights()
                    kernel[..., first : first + len(factors), :] *= factors[:, None]
                    layer.set_weights([kernel, bias])

    def _slices(self, source: tuple[int, ...]) -> list[tuple[int, int]]:
        first, slices = 0, []
        for number in source:
            slices.append((first, number))
            first += self._channels[number]
        return slices
