"""Reads a TFLite flat buffer: which operations it runs on which tensors, and what they cost."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantize.errors import QuantizeError

_FLOATS = ("FLOAT32", "FLOAT16", "FLOAT64", "BFLOAT16", "COMPLEX64", "COMPLEX128")
_BYTES = {"INT8": 1, "UINT8": 1, "BOOL": 1, "INT16": 2, "FLOAT16": 2, "INT32": 4, "FLOAT32": 4,
          "INT64": 8, "FLOAT64": 8}


@dataclass(frozen=True)
class Tensor:
    """One tensor; `constant` holds its bytes when the model brings them along."""

    name: str
    kind: str
    shape: tuple[int, ...]
    scales: np.ndarray       # (channels,) float32, (1,) or empty when it is not quantized
    zero_points: np.ndarray
    constant: bytes | None

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def bytes(self) -> int:
        return self.elements * _BYTES.get(self.kind, 4)


@dataclass(frozen=True)
class Operation:
    """One operation, with the numbers of its tensors; absent optional inputs are left out."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Graph:
    """The graph of a TFLite model with one subgraph."""

    def __init__(self, model: bytes) -> None:
        from tensorflow.lite.python import schema_py_generated as schema

        self._bytes = model
        parsed = schema.ModelT.InitFromPackedBuf(model, 0)
        if len(parsed.subgraphs) != 1:
            raise QuantizeError(f"the model has {len(parsed.subgraphs)} subgraphs instead of 1")
        subgraph = parsed.subgraphs[0]
        kinds = _names(schema.TensorType)
        operators = _names(schema.BuiltinOperator)
        self.tensors = [_tensor(tensor, kinds, parsed.buffers) for tensor in subgraph.tensors]
        self.operations = [
            Operation(
                _operator(parsed.operatorCodes[operation.opcodeIndex], operators),
                tuple(int(i) for i in operation.inputs if i >= 0),
                tuple(int(i) for i in operation.outputs),
            )
            for operation in subgraph.operators
        ]
        self.inputs = [int(i) for i in subgraph.inputs]
        self.outputs = [int(i) for i in subgraph.outputs]

    def require_int8(self) -> None:
        """QuantizeError naming the first tensor that is float, or an end that is not int8."""
        for operation in self.operations:
            for number in (*operation.inputs, *operation.outputs):
                tensor = self.tensors[number]
                if tensor.kind in _FLOATS:
                    raise QuantizeError(
                        f"{operation.kind} computes with {tensor.name or number} in {tensor.kind}: "
                        "it has no int8 kernel, take another operation"
                    )
            if operation.kind in ("CUSTOM", "FLEX", "DEQUANTIZE"):
                raise QuantizeError(f"{operation.kind} is no int8 operation of TFLite's own")
        for side, numbers in (("input", self.inputs), ("output", self.outputs)):
            for number in numbers:
                if self.tensors[number].kind != "INT8":
                    raise QuantizeError(f"the {side} is {self.tensors[number].kind}, not INT8")

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self._bytes)

    @cached_property
    def compressed_size(self) -> int:
        """Bytes of the file deflated, as a wheel or an app carries it."""
        return len(zlib.compress(self._bytes, 9))

    @cached_property
    def parameters(self) -> int:
        """Elements of the constant tensors with weights and biases."""
        return sum(self.tensors[i].elements for i in self._parameter_tensors())

    @cached_property
    def zero_share(self) -> float:
        """Share of the int8 weights that are 0."""
        weights = [
            np.frombuffer(self.tensors[i].constant or b"", np.int8)
            for i in self._parameter_tensors() if self.tensors[i].kind == "INT8"
        ]
        everything = np.concatenate(weights) if weights else np.empty(0, np.int8)
        return float((everything == 0).mean()) if everything.size else 0.0

    def _parameter_tensors(self) -> list[int]:
        used = {i for operation in self.operations for i in operation.inputs}
        return sorted(
            i for i in used
            if self.tensors[i].constant is not None
            and (self.tensors[i].scales.size or self.tensors[i].kind in _FLOATS)
        )

    @cached_property
    def multiply_accumulates(self) -> int:
        """Multiplications whose products are summed, of convolutions and dense layers."""
        total = 0
        for operation in self.operations:
            if operation.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
                continue
            weights = self.tensors[operation.inputs[1]]
            out = self.tensors[operation.outputs[0]]
            if operation.kind == "CONV_2D":          # (out channels, height, width, channels)
                total += out.elements * int(np.prod(weights.shape[1:]))
            elif operation.kind == "DEPTHWISE_CONV_2D":  # (1, height, width, out channels)
                total += out.elements * int(np.prod(weights.shape[1:3]))
            else:                                    # (units, inputs)
                total += out.elements * weights.shape[1]
        return total

    @cached_property
    def peak_activation_bytes(self) -> int:
        """The most bytes of activations that are alive at once, whatever an allocator adds."""
        last_use = {number: len(self.operations) for number in self.outputs}
        for step, operation in enumerate(self.operations):
            for number in operation.inputs:
                last_use[number] = max(last_use.get(number, step), step)
        alive = {i: self.tensors[i].bytes for i in self.inputs}
        peak = sum(alive.values())
        for step, operation in enumerate(self.operations):
            alive.update({i: self.tensors[i].bytes for i in operation.outputs})
            peak = max(peak, sum(alive.values()))
            alive = {i: size for i, size in alive.items() if last_use.get(i, step) > step}
        return peak


def with_every_output(model: bytes) -> bytes:
    """The same model with the outputs of all its operations as outputs of its own.

    An interpreter may otherwise compute one tensor in the place of another.
    """
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    subgraph = parsed.subgraphs[0]
    subgraph.outputs = [int(i) for operation in subgraph.operators for i in operation.outputs]
    # The signature names outputs that are no longer where it says.
    parsed.signatureDefs = []
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _names(enumeration: type) -> dict[int, str]:
    return {
        value: name for name, value in vars(enumeration).items()
        if isinstance(value, int) and not name.startswith("_")
    }


def _operator(code: object, names: dict[int, str]) -> str:
    # The older field holds codes up to 127, the newer one all of them.
    return names[max(code.builtinCode, code.deprecatedBuiltinCode)]


def _tensor(tensor: object, kinds: dict[int, str], buffers: list) -> Tensor:
    quantization = tensor.quantization
    scales = None if quantization is None else quantization.scale
    zero_points = None if quantization is None else quantization.zeroPoint
    data = buffers[tensor.buffer].data
    return Tensor(
        name=tensor.name.decode(errors="replace"),
        kind=kinds[tensor.type],
        shape=() if tensor.shape is None else tuple(int(n) for n in tensor.shape),
        scales=np.asarray([] if scales is None else scales, np.float32),
        zero_points=np.asarray([] if zero_points is None else zero_points, np.int64),
        constant=None if data is None else bytes(np.asarray(data, np.uint8)),
    )
