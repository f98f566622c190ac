"""An expert as it runs: no dropouts; batch normalisations and rectifiers folded into convolutions.

Post-training quantization, quantization-aware training, pruning and clustering all begin with this
graph, so that what they see is what TFLite executes, operation by operation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from quantize.errors import QuantizeError
from training.tensorflow_setup import keras

_DROPPED = (keras.layers.Dropout, keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D)
_ABSORBING = (keras.layers.Conv2D, keras.layers.Dense)


def folded(model: Any) -> Any:
    """A functional model that gives the same logits, with layers named by kind and number.

    The names depend on the graph alone, so that the same run gives the same bytes. QuantizeError
    when a batch normalisation does not follow a convolution or a dense layer of its own.
    """
    return _Folding(model).result


class _Folding:
    def __init__(self, model: Any) -> None:
        self._consumers: dict[int, list[Any]] = {}
        for layer in model.layers:
            for node in layer.inbound_nodes:
                if node in _nodes(model):
                    for tensor in node.keras_inputs:
                        self._consumers.setdefault(id(tensor), []).append(layer)
        self._outputs = {id(tensor) for tensor in model.outputs}
        self._counts: dict[str, int] = {}
        self._made: dict[int, Any] = {}
        self._absorbed: set[int] = set()
        inputs = []
        for tensor in model.inputs:
            made = keras.Input(tensor.shape[1:], name=self._name("input"))
            self._made[id(tensor)] = made
            inputs.append(made)
        for node in _ordered(model):
            self._rebuild(node)
        outputs = [self._made[id(tensor)] for tensor in model.outputs]
        self.result = keras.Model(inputs, outputs[0], name="expert")

    def _name(self, kind: str) -> str:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}_{self._counts[kind]}"

    def _rebuild(self, node: Any) -> None:
        layer, output = node.layer, node.outputs
        if id(layer) in self._absorbed:
            return
        inputs = [self._made[id(tensor)] for tensor in node.keras_inputs]
        if isinstance(layer, _DROPPED):
            self._made[id(output)] = inputs[0]
        elif isinstance(layer, _ABSORBING):
            self._absorb(layer, output, inputs[0])
        elif isinstance(layer, keras.layers.BatchNormalization):
            raise QuantizeError(
                f"{layer.name} follows no convolution of its own that it could be folded into"
            )
        else:
            config = {**layer.get_config(), "name": self._name(_kind(layer))}
            copy = layer.__class__.from_config(config)
            self._made[id(output)] = copy(inputs[0] if len(inputs) == 1 else inputs)
            copy.set_weights(layer.get_weights())

    def _absorb(self, layer: Any, output: Any, tensor: Any) -> None:
        """A convolution or dense layer with the normalisation and the rectifier that follow it."""
        kernel = layer.kernel.numpy().astype(np.float64)
        bias = np.zeros(kernel.shape[-1])
        if layer.bias is not None:
            bias = layer.bias.numpy().astype(float)
        activation = layer.get_config()["activation"]
        following = self._only_consumer(output)
        if activation == "linear" and isinstance(following, keras.layers.BatchNormalization):
            gain, offset = _affine(following)
            kernel, bias = kernel * gain, bias * gain + offset
            self._absorbed.add(id(following))
            output = following.output
            following = self._only_consumer(output)
        if activation == "linear" and _is_plain_rectifier(following):
            activation = "relu"
            self._absorbed.add(id(following))
            output = following.output
        config = {
            **layer.get_config(), "name": self._name(_kind(layer)), "use_bias": True,
            "activation": activation,
        }
        copy = layer.__class__.from_config(config)
        self._made[id(output)] = copy(tensor)
        copy.set_weights([kernel.astype(np.float32), bias.astype(np.float32)])

    def _only_consumer(self, tensor: Any) -> Any:
        consumers = self._consumers.get(id(tensor), [])
        alone = len(consumers) == 1 and id(tensor) not in self._outputs
        return consumers[0] if alone else None


def _nodes(model: Any) -> set[Any]:
    return {node for nodes in model._nodes_by_depth.values() for node in nodes}


def _ordered(model: Any) -> list[Any]:
    """The calls of layers, producers before consumers, without the inputs."""
    depths = sorted(model._nodes_by_depth, reverse=True)
    nodes = [node for depth in depths for node in model._nodes_by_depth[depth]]
    return [node for node in nodes if not node.is_input]


def _kind(layer: Any) -> str:
    return type(layer).__name__.lower()


def _affine(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """The gain and offset of a batch normalisation at rest, (channels,) float64 each."""
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    gain = 1.0 / np.sqrt(variance.astype(np.float64) + layer.epsilon)
    if layer.scale:
        gain = gain * layer.gamma.numpy()
    offset = -mean * gain + (layer.beta.numpy() if layer.center else 0.0)
    return gain, offset


def _is_plain_rectifier(layer: Any) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return layer.max_value is None and not layer.threshold and not layer.negative_slope
    return isinstance(layer, keras.layers.Activation) and layer.get_config()["activation"] == "relu"
