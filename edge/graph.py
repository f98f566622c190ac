"""A TFLite file as tensors and operators, of which every number has been looked at.

Only what an int8 network is made of is read; anything else is refused by name. The fields are
those of TFLite's schema, version 3 (tensorflow/lite/schema/schema.fbs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.flat_buffer import FlatBufferError, Table

_IDENTIFIER = b"TFL3"
_VERSION = 3
_MOST = 4096
"""Of tensors, of operators, of buffers: far more than a network that runs on a phone has."""
_LARGEST = 1 << 24
"""Numbers in one tensor."""

_TYPES = {2: "int32", 9: "int8"}
_OTHER_TYPES = {
    0: "float32", 1: "float16", 3: "uint8", 4: "int64", 5: "string", 6: "bool", 7: "int16",
    10: "float64",
}  # fmt: skip
OPERATORS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D",
    9: "FULLY_CONNECTED", 14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL", 19: "RELU", 21: "RELU6",
    22: "RESHAPE", 34: "PAD", 37: "BATCH_TO_SPACE_ND", 38: "SPACE_TO_BATCH_ND", 39: "TRANSPOSE",
    40: "MEAN", 43: "SQUEEZE", 60: "PADV2", 70: "EXPAND_DIMS", 82: "REDUCE_MAX", 114: "QUANTIZE",
}  # fmt: skip
"""Those that can be run, by their numbers in the schema."""

_OPTIONS_TYPES = {
    "ADD": 11, "AVERAGE_POOL_2D": 5, "CONCATENATION": 10, "CONV_2D": 1, "DEPTHWISE_CONV_2D": 2,
    "FULLY_CONNECTED": 8, "MAX_POOL_2D": 5, "MUL": 21, "MEAN": 27, "REDUCE_MAX": 27,
}  # fmt: skip
_ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")
_PADDINGS = ("SAME", "VALID")


@dataclass(frozen=True)
class Tensor:
    """One array of a network.

    scales, zero_points: (1,), or one for each index of `quantized_dimension`; none if the tensor
        is not quantised.
    values: of a constant, in the tensor's shape; None for what is computed.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    quantized_dimension: int
    values: NDArray[Any] | None

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return f"tensor {self.index} ({self.name[:60]!r})"


@dataclass(frozen=True)
class Operator:
    """One operation; `inputs` are indices of tensors, -1 for one that is left out."""

    index: int
    kind: str
    inputs: tuple[int, ...]
    output: int
    options: Table | None

    def integer(self, field: int, kind: str = "i4", default: int = 0) -> int:
        """An integer among the options."""
        return default if self.options is None else self.options.scalar(field, kind, default)

    def activation(self, field: int) -> str:
        """NONE, RELU, RELU_N1_TO_1 or RELU6."""
        number = self.integer(field, "i1")
        if not 0 <= number < len(_ACTIVATIONS):
            raise FlatBufferError(f"{self} has the activation {number}, which is not known here")
        return _ACTIVATIONS[number]

    def padding(self, field: int) -> str:
        """SAME or VALID."""
        number = self.integer(field, "i1")
        if not 0 <= number < len(_PADDINGS):
            raise FlatBufferError(f"{self} has the padding {number}, which is not known here")
        return _PADDINGS[number]

    def __str__(self) -> str:
        return f"operator {self.index} ({self.kind})"


@dataclass(frozen=True)
class Graph:
    """A network of one input and one output; its operators stand in the order of their work."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: Tensor
    output: Tensor


def read_graph(content: bytes) -> Graph:
    """Reads a TFLite file.

    Raises FlatBufferError for whatever is damaged, is not of int8, or has an operator that is not
    known here.
    """
    if content[4:8] != _IDENTIFIER:
        raise FlatBufferError("no TFL3 mark at byte 4, so it is no TFLite file")
    model = Table.root(content)
    version = model.scalar(0, "u4")
    if version != _VERSION:
        raise FlatBufferError(f"version {version} of the format instead of {_VERSION}")
    subgraphs = model.tables(2, _MOST)
    if len(subgraphs) != 1:
        raise FlatBufferError(f"{len(subgraphs)} graphs instead of one")
    (subgraph,) = subgraphs
    buffers = model.tables(4, _MOST)
    tensors = tuple(
        _tensor(index, table, buffers) for index, table in enumerate(subgraph.tables(0, _MOST))
    )
    kinds = [_operator_code(table) for table in model.tables(1, _MOST)]
    operators = tuple(
        _operator(index, table, kinds, len(tensors))
        for index, table in enumerate(subgraph.tables(3, _MOST))
    )
    (given,) = _ends(subgraph, 1, "input", tensors)
    (asked,) = _ends(subgraph, 2, "output", tensors)
    _check_order(operators, tensors, given, asked)
    return Graph(tensors, operators, given, asked)


def _ends(
    subgraph: Table, field: int, side: str, tensors: tuple[Tensor, ...]
) -> tuple[Tensor]:
    indices = subgraph.numbers(field, "i4")
    if len(indices) != 1:
        raise FlatBufferError(f"{len(indices)} {side}s instead of one")
    (index,) = indices
    if not 0 <= index < len(tensors):
        raise FlatBufferError(f"{side}: tensor {index} of {len(tensors)}")
    return (tensors[index],)


def _tensor(index: int, table: Table, buffers: list[Table]) -> Tensor:
    name = table.text(3)
    here = f"tensor {index} ({name[:60]!r})"
    number = table.scalar(1, "i1")
    dtype = _TYPES.get(number)
    if dtype is None:
        found = _OTHER_TYPES.get(number, f"of type {number}")
        raise FlatBufferError(
            f"{here} is {found}; export the model with full integer quantization, int8 at both ends"
        )
    shape = tuple(int(size) for size in table.numbers(0, "i4"))
    if not all(size > 0 for size in shape) or len(shape) > 8 or math.prod(shape) > _LARGEST:
        raise FlatBufferError(f"{here} has the shape {shape}")
    if table.scalar(5, "u1"):
        raise FlatBufferError(f"{here} is a variable; a network without state is expected")
    if table.has(6):
        raise FlatBufferError(f"{here} is stored sparsely; export the model with dense weights")
    scales, zero_points, dimension = _quantization(table.table(4), shape, here)
    values = _constant(table.scalar(2, "u4"), buffers, shape, dtype, here)
    return Tensor(index, name, shape, dtype, scales, zero_points, dimension, values)


def _quantization(
    table: Table | None, shape: tuple[int, ...], here: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    if table is None:
        return np.empty(0, np.float32), np.empty(0, np.int64), 0
    scales = table.numbers(2, "f4").astype(np.float32)
    zero_points = table.numbers(3, "i8").astype(np.int64)
    dimension = table.scalar(6, "i4")
    if table.scalar(4, "u1"):
        raise FlatBufferError(f"{here} is quantised in a way of its own")
    if not len(scales):
        return scales, zero_points[:0], 0
    if len(zero_points) != len(scales):
        raise FlatBufferError(f"{here} has {len(scales)} scales, {len(zero_points)} zero points")
    if not (np.isfinite(scales) & (scales > 0)).all():
        raise FlatBufferError(f"{here} has a scale that is not a positive number")
    if len(scales) > 1 and not (
        0 <= dimension < len(shape) and shape[dimension] == len(scales)
    ):
        raise FlatBufferError(
            f"{here} has {len(scales)} scales for dimension {dimension} of {shape}"
        )
    return scales, zero_points, dimension


def _constant(
    number: int, buffers: list[Table], shape: tuple[int, ...], dtype: str, here: str
) -> NDArray[Any] | None:
    if number >= len(buffers):
        raise FlatBufferError(f"{here} is in buffer {number} of {len(buffers)}")
    if buffers[number].scalar(1, "u4") > 1:
        raise FlatBufferError(f"{here} has its numbers outside of the flat buffer")
    data = buffers[number].numbers(0, "u1")
    if not len(data):
        return None
    wanted = math.prod(shape) * np.dtype(dtype).itemsize
    if len(data) != wanted:
        raise FlatBufferError(f"{here} has {len(data)} bytes of numbers instead of {wanted}")
    little_endian = np.dtype(dtype).newbyteorder("<")
    return data.view(little_endian).astype(dtype, copy=False).reshape(shape)


def _operator_code(table: Table) -> str:
    number = max(table.scalar(0, "i1"), table.scalar(3, "i4"))
    custom = table.text(1)
    if custom:
        raise FlatBufferError(f"the operator {custom[:60]!r}, which is not one of TFLite's own")
    return OPERATORS.get(number, f"operator {number} of the schema")


def _operator(index: int, table: Table, kinds: list[str], tensors: int) -> Operator:
    code = table.scalar(0, "u4")
    if code >= len(kinds):
        raise FlatBufferError(f"operator {index} is of kind {code} of {len(kinds)}")
    kind = kinds[code]
    if kind not in OPERATORS.values():
        raise FlatBufferError(f"{kind}, which is not known here, is what operator {index} needs")
    inputs = tuple(int(number) for number in table.numbers(1, "i4"))
    outputs = tuple(int(number) for number in table.numbers(2, "i4"))
    if len(outputs) != 1:
        raise FlatBufferError(f"operator {index} ({kind}) has {len(outputs)} outputs")
    if not all(-1 <= number < tensors for number in inputs) or not 0 <= outputs[0] < tensors:
        raise FlatBufferError(
            f"operator {index} ({kind}) uses the tensors {inputs} and {outputs} of {tensors}"
        )
    options = None
    if table.scalar(3, "u1") == _OPTIONS_TYPES.get(kind, -1):
        options = table.table(4)
    elif kind in _OPTIONS_TYPES:
        raise FlatBufferError(f"operator {index} ({kind}) has the options of another kind")
    return Operator(index, kind, inputs, outputs[0], options)


def _check_order(
    operators: tuple[Operator, ...], tensors: tuple[Tensor, ...], given: Tensor, asked: Tensor
) -> None:
    """Each tensor is made once, before it is used."""
    there = {tensor.index for tensor in tensors if tensor.values is not None}
    if given.index in there:
        raise FlatBufferError(f"the input, {given}, is a constant")
    there.add(given.index)
    for operator in operators:
        missing = set(operator.inputs) - there - {-1}
        if missing:
            raise FlatBufferError(f"{operator} uses {tensors[min(missing)]} before it is made")
        if operator.output in there:
            raise FlatBufferError(f"{operator} makes {tensors[operator.output]} once more")
        there.add(operator.output)
    if asked.index not in there or asked.values is not None:
        raise FlatBufferError(f"the output, {asked}, is not made by any operator")
