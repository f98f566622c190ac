"""An int8 network run by the package's own kernels: TFLite's operators as steps of a program.

Every number comes out as from tflite-runtime 2.14 on x86-64 with its default kernels. What is
computed here, once, are the factors by which an operator brings sums to the scale of its output;
they are rounded as TFLite's preparation of each operator rounds them, in single precision where it
does (tensorflow/lite/kernels/kernel_util.cc, internal/quantization_util.cc).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from edge._kernels import int8
from edge.arena import Need, plan_arena
from edge.errors import BundleError
from edge.flat_buffer import FlatBufferError
from edge.graph import Graph, Operator, Tensor, read_graph

_LARGEST_SUM = 1 << 30
"""Beyond which a 32-bit sum could overflow where it is rounded."""
_LARGEST_ARENA = 1 << 26
_LARGEST_MOVE = 1 << 22
"""Numbers that one operator may rearrange."""

_Scaling = tuple[int, int]


class Network:
    """A network that is ready to run: its buffers are made once, and used again by every call.

    content: the bytes of a TFLite file; name: what messages call it.
    instructions: of the processor, for convolutions and sums; one of `int8.instruction_sets()`, the
        quickest when None. The numbers are the same by all of them.

    input, output: the two ends, as `Tensor`; `input_quantization` and `output_quantization` are
        their scales and zero points.

    Raises BundleError when the file is damaged, has an operator that is not known here, or is not
    int8 throughout. Calls are not for several threads at once.
    """

    def __init__(
        self, content: bytes, name: str = "the model", instructions: str | None = None
    ) -> None:
        try:
            graph = read_graph(content)
            given, asked = _Quantization.of(graph.input), _Quantization.of(graph.output)
            with np.errstate(all="ignore"):  # scales may be absurd; their factors are then refused
                self._program = _Planner(graph, instructions).program()
        except (FlatBufferError, ValueError, OverflowError) as error:
            raise BundleError(f"{name} is not a model that can be run here: {error}") from error
        self.input = graph.input
        self.output = graph.output
        self.input_quantization = float(given.scale), given.zero_point
        self.output_quantization = float(asked.scale), asked.zero_point

    def run(self, values: NDArray[np.int8]) -> NDArray[np.int8]:
        """values: of the input's shape, int8; returns an array of the output's shape, int8."""
        if values.shape != self.input.shape or values.dtype != np.int8:
            raise ValueError(
                f"takes int8 of {self.input.shape}, got {values.dtype} of {values.shape}"
            )
        out = np.empty(self.output.size, np.int8)
        self._program.run(np.ascontiguousarray(values).reshape(-1), out)
        return out.reshape(self.output.shape)

    @property
    def buffer_bytes(self) -> int:
        """Size of the buffers that it works in, besides its weights."""
        return self._program.arena_bytes + self._program.scratch_bytes


class _Quantization:
    """scale (float32) and zero point of an int8 tensor; real = (q - zero_point) * scale."""

    def __init__(self, scale: np.float32, zero_point: int) -> None:
        self.scale = scale
        self.zero_point = zero_point

    @classmethod
    def of(cls, tensor: Tensor) -> _Quantization:
        if tensor.dtype != "int8" or len(tensor.scales) != 1:
            raise FlatBufferError(
                f"{tensor} is {tensor.dtype} with {len(tensor.scales)} scales instead of int8 "
                "with one; export the model with full integer quantization, int8 at both ends"
            )
        zero_point = int(tensor.zero_points[0])
        if not -128 <= zero_point <= 127:
            raise FlatBufferError(f"{tensor} has the zero point {zero_point}, outside int8")
        return cls(np.float32(tensor.scales[0]), zero_point)

    def quantise(self, value: float) -> int:
        """The nearest step, halves away from zero, in single precision as TFLite has it."""
        steps = float(np.float32(value) / self.scale)
        return int(math.copysign(math.floor(abs(steps) + 0.5), steps)) + self.zero_point

    def limits(self, activation: str) -> tuple[int, int]:
        """The least and the largest value that an activation lets through."""
        low, high = -128, 127
        if activation in ("RELU", "RELU6"):
            low = max(low, self.quantise(0.0))
        if activation == "RELU6":
            high = min(high, self.quantise(6.0))
        if activation == "RELU_N1_TO_1":
            low, high = max(low, self.quantise(-1.0)), min(high, self.quantise(1.0))
        return low, high


def _scaling(factor: float) -> _Scaling:
    """factor = multiplier * 2 ** (shift - 31), the multiplier of 31 bits (QuantizeMultiplier)."""
    fraction, shift = math.frexp(factor)
    multiplier = math.floor(fraction * 2.0**31 + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    if shift < -31:
        return 0, 0
    if shift > 7:
        raise FlatBufferError(f"numbers are scaled by {factor:.3g}, and 128 is the most")
    return multiplier, shift


def _rescale_twice(values: NDArray[np.int64], scaling: _Scaling) -> NDArray[np.int64]:
    """As the kernels do: halves go up after the product, and away from zero after the shift."""
    multiplier, shift = scaling
    high = (values * (1 << max(shift, 0)) * multiplier + (1 << 30)) >> 31
    right = max(-shift, 0)
    return (high + ((1 << right) >> 1) - ((high < 0) & (right > 0))) >> right


class _Planner:
    """Turns a graph into a program: where its tensors stand, and what its operators do."""

    def __init__(self, graph: Graph, instructions: str | None) -> None:
        self._graph = graph
        self._instructions = instructions
        self._same_place: dict[int, int] = {}  # of a reshaped tensor, whose numbers it shares
        self._places, self._size = self._plan()

    def program(self) -> int8.Program:
        steps = [
            STEPS[operator.kind](self, operator)
            for operator in self._graph.operators
            if operator.kind not in RESHAPES
        ]
        constants = [
            (place, np.array(self._graph.tensors[index].values, np.int8).reshape(-1))
            for index, place in self._places.items()
            if self._graph.tensors[index].values is not None
        ]
        given, asked = self._graph.input, self._graph.output
        return int8.Program(
            steps, self.place(given), given.size, self.place(asked), asked.size, constants
        )

    def _plan(self) -> tuple[dict[int, int], int]:
        graph = self._graph
        last = len(graph.operators)
        spans: dict[int, list[int]] = {graph.input.index: [-1, -1]}
        for operator in graph.operators:
            for index in operator.inputs[: _COMPUTED.get(operator.kind, 1)]:
                if index >= 0:
                    span = spans.setdefault(self._owner(index), [-1, last])
                    span[1] = max(span[1], operator.index)
            if operator.kind in RESHAPES:
                _check_reshape(self, operator)
                self._same_place[operator.output] = self._owner(operator.inputs[0])
            else:
                spans[operator.output] = [operator.index, operator.index]
        spans.setdefault(self._owner(graph.output.index), [-1, last])[1] = last
        for index in spans:
            _Quantization.of(graph.tensors[index])
            if graph.tensors[index].values is not None:  # it stays, for the next call
                spans[index] = [-1, last]
        places, size = plan_arena(
            {index: Need(graph.tensors[index].size, *span) for index, span in spans.items()}
        )
        if size > _LARGEST_ARENA:
            raise FlatBufferError(f"its tensors need {size} bytes, and {_LARGEST_ARENA} is most")
        return places, size

    def _owner(self, index: int) -> int:
        return self._same_place.get(index, index)

    def place(self, tensor: Tensor) -> int:
        """Where in the arena its numbers stand."""
        return self._places[self._owner(tensor.index)]

    def input(self, operator: Operator, number: int = 0) -> Tensor:
        """A tensor that the operator takes."""
        if number >= len(operator.inputs) or operator.inputs[number] < 0:
            raise FlatBufferError(f"{operator} lacks its input {number}")
        return self._graph.tensors[operator.inputs[number]]

    def output(self, operator: Operator) -> Tensor:
        """The tensor that the operator makes."""
        return self._graph.tensors[operator.output]

    def constant(self, operator: Operator, number: int, dtype: str) -> NDArray[Any]:
        """The numbers of an input that must be in the file."""
        tensor = self.input(operator, number)
        if tensor.values is None or tensor.dtype != dtype:
            raise FlatBufferError(
                f"{operator} needs its input {number}, {tensor}, as a constant of {dtype}"
            )
        return tensor.values

    def images(self, tensor: Tensor) -> tuple[int, int, int, int]:
        """The four dimensions of a tensor of images."""
        if len(tensor.shape) != 4:
            raise FlatBufferError(f"{tensor} has the shape {tensor.shape} instead of four sizes")
        images, height, width, channels = tensor.shape
        return images, height, width, channels

    def require_shape(self, operator: Operator, shape: Sequence[int]) -> None:
        """That the output is of the shape that the inputs make it."""
        output = self.output(operator)
        if output.shape != tuple(shape):
            raise FlatBufferError(
                f"{operator} makes {tuple(shape)}, but {output} has the shape {output.shape}"
            )

    def require_same_scale(self, operator: Operator, *tensors: Tensor) -> None:
        """That an operator that does not scale has no need to."""
        output = _Quantization.of(self.output(operator))
        for tensor in tensors:
            one = _Quantization.of(tensor)
            if (one.scale, one.zero_point) != (output.scale, output.zero_point):
                raise FlatBufferError(
                    f"{operator} has input and output of different scale or zero point"
                )

    def window(
        self,
        operator: Operator,
        kernel: tuple[int, int],
        padding: str,
        strides: tuple[int, int],
        dilations: tuple[int, int] = (1, 1),
    ) -> tuple[int, ...]:
        """How a window moves over the images of input 0, as the kernels take it."""
        images, height, width, channels = self.images(self.input(operator))
        _, out_height, out_width, _ = self.images(self.output(operator))
        if min(*kernel, *strides, *dilations) < 1:
            raise FlatBufferError(
                f"{operator} has a kernel of {kernel}, strides of {strides} and dilations of "
                f"{dilations}"
            )
        borders = []
        for size, out, taps, stride, dilation in zip(
            (height, width), (out_height, out_width), kernel, strides, dilations
        ):
            reach = (taps - 1) * dilation + 1
            wanted = -(-size // stride) if padding == "SAME" else -(-(size - reach + 1) // stride)
            if out != wanted or wanted < 1:
                raise FlatBufferError(
                    f"{operator} makes {wanted} of {size}, but its output has {out}"
                )
            borders.append(max(0, (out - 1) * stride + reach - size) // 2)
        return (
            images, height, width, channels, out_height, out_width,
            *kernel, *strides, *dilations, *borders,
        )  # fmt: skip

    def biases(self, operator: Operator, filters: int) -> NDArray[np.int32]:
        """(filters,) int32, zeros when they are left out."""
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return np.zeros(filters, np.int32)
        biases = self.constant(operator, 2, "int32")
        if biases.shape != (filters,):
            raise FlatBufferError(f"{operator} has biases of {biases.shape} for {filters} filters")
        return np.array(biases, np.int32)

    def scales(self, operator: Operator, filters: int, dimension: int) -> NDArray[np.float32]:
        """(filters,) float32 of the weights, which are input 1, symmetric about 0."""
        weights = self.input(operator, 1)
        if not len(weights.scales) or (weights.zero_points != 0).any():
            raise FlatBufferError(f"{operator} has weights that are not quantised about 0")
        if len(weights.scales) == 1:
            return np.repeat(weights.scales, filters)
        if weights.quantized_dimension != dimension or len(weights.scales) != filters:
            raise FlatBufferError(f"{operator} has {len(weights.scales)} scales of its weights")
        return weights.scales

    @property
    def instructions(self) -> str | None:
        return self._instructions


def _convolution(planner: _Planner, operator: Operator) -> int8.Operator:
    weights = planner.constant(operator, 1, "int8")  # (filters, height, width, channels)
    images, _, _, channels = planner.images(planner.input(operator))
    if weights.ndim != 4 or weights.shape[3] != channels:
        raise FlatBufferError(
            f"{operator} has filters of {weights.shape} for {channels} channels; convolutions in "
            "groups are not known here"
        )
    window = planner.window(
        operator,
        (weights.shape[1], weights.shape[2]),
        operator.padding(0),
        (operator.integer(2), operator.integer(1)),
        (operator.integer(5, default=1), operator.integer(4, default=1)),
    )
    planner.require_shape(operator, (images, *window[4:6], len(weights)))
    scales = planner.scales(operator, len(weights), 0).astype(np.float64)
    return int8.Convolution(
        planner.place(planner.input(operator)),
        planner.place(planner.output(operator)),
        window,
        np.array(weights).reshape(-1),
        planner.biases(operator, len(weights)),
        *_scale_filters(planner, operator, scales, weights.reshape(len(weights), -1)),
        *_limits(planner, operator, operator.activation(3)),
        planner.instructions,
    )


def _depthwise_convolution(planner: _Planner, operator: Operator) -> int8.Operator:
    weights = planner.constant(operator, 1, "int8")  # (1, height, width, filters)
    images, _, _, channels = planner.images(planner.input(operator))
    if weights.ndim != 4 or weights.shape[0] != 1 or weights.shape[3] % channels:
        raise FlatBufferError(f"{operator} has filters of {weights.shape} for {channels} channels")
    window = planner.window(
        operator,
        (weights.shape[1], weights.shape[2]),
        operator.padding(0),
        (operator.integer(2), operator.integer(1)),
        (operator.integer(6, default=1), operator.integer(5, default=1)),
    )
    filters = weights.shape[3]
    planner.require_shape(operator, (images, *window[4:6], filters))
    scales = planner.scales(operator, filters, 3).astype(np.float64)
    return int8.DepthwiseConvolution(
        planner.place(planner.input(operator)),
        planner.place(planner.output(operator)),
        window,
        np.array(weights).reshape(-1),
        planner.biases(operator, filters),
        *_scale_filters(planner, operator, scales, weights.reshape(-1, filters).T),
        *_limits(planner, operator, operator.activation(4)),
    )


def _fully_connected(planner: _Planner, operator: Operator) -> int8.Operator:
    weights = planner.constant(operator, 1, "int8")  # (units, length)
    given, output = planner.input(operator), planner.output(operator)
    if weights.ndim != 2 or given.size % weights.shape[1] or operator.integer(1, "i1"):
        raise FlatBufferError(
            f"{operator} has weights of {weights.shape} for an input of {given.shape}"
        )
    units, length = weights.shape
    rows = given.size // length
    if output.size != rows * units:
        raise FlatBufferError(f"{operator} makes {rows * units} numbers of {output.size}")
    scales = planner.scales(operator, units, 0)
    if len(planner.input(operator, 1).scales) == 1:  # TFLite then multiplies in single precision
        quantization = _Quantization.of(given)
        factors = (quantization.scale * scales).astype(np.float64) / float(quantization.scale)
    else:
        factors = scales.astype(np.float64)
    return int8.Convolution(
        planner.place(given),
        planner.place(output),
        (rows, 1, 1, length, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0),
        np.array(weights).reshape(-1),
        planner.biases(operator, units),
        *_scale_filters(planner, operator, factors, weights),
        *_limits(planner, operator, operator.activation(0)),
        planner.instructions,
    )


def _scale_filters(
    planner: _Planner,
    operator: Operator,
    scales: NDArray[np.float64],
    weights: NDArray[np.int8],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Multipliers and shifts, (filters,) each, from the scales of the filters' weights.

    weights: (filters, n), whose sums must not overflow
    """
    filters = len(weights)
    largest = np.abs(weights.astype(np.int32)).sum(axis=1, dtype=np.int64) * 255
    largest += np.abs(planner.biases(operator, filters).astype(np.int64))
    if largest.max() >= _LARGEST_SUM:
        raise FlatBufferError(f"{operator} has sums that can overflow 32 bits")
    given = float(_Quantization.of(planner.input(operator)).scale)
    made = float(_Quantization.of(planner.output(operator)).scale)
    scalings = [_scaling(given * float(scale) / made) for scale in scales]
    multipliers, shifts = np.array(scalings, np.int64).reshape(filters, 2).T
    if (largest << np.maximum(shifts, 0)).max() >= 2 * _LARGEST_SUM:
        raise FlatBufferError(f"{operator} has sums that overflow 32 bits when they are scaled")
    return multipliers.astype(np.int32), shifts.astype(np.int32)


def _limits(planner: _Planner, operator: Operator, activation: str) -> tuple[int, int, int, int]:
    """The zero points of input and output, and the limits of the output."""
    output = _Quantization.of(planner.output(operator))
    given = _Quantization.of(planner.input(operator))
    return given.zero_point, output.zero_point, *output.limits(activation)


def _pool(planner: _Planner, operator: Operator) -> int8.Operator:
    given, output = planner.input(operator), planner.output(operator)
    window = planner.window(
        operator,
        (operator.integer(4), operator.integer(3)),
        operator.padding(0),
        (operator.integer(2), operator.integer(1)),
    )
    planner.require_shape(operator, (window[0], *window[4:6], window[3]))
    planner.require_same_scale(operator, given)
    kind = int8.MaxPool if operator.kind == "MAX_POOL_2D" else int8.AveragePool
    low, high = _Quantization.of(output).limits(operator.activation(5))
    return kind(planner.place(given), planner.place(output), window, low, high)


def _mean(planner: _Planner, operator: Operator) -> int8.Operator:
    """TFLite has two ways: one where height and width are averaged and kept, and one for others."""
    given, output = planner.input(operator), planner.output(operator)
    sizes, axes = _reduction(planner, operator)
    count = sizes[1]
    if count * 255 >= _LARGEST_SUM:
        raise FlatBufferError(f"{operator} averages {count} numbers, whose sum can overflow")
    source, target = _Quantization.of(given), _Quantization.of(output)
    if operator.integer(0, "u1") and len(given.shape) == 4 and sorted(axes) == [1, 2]:
        zero = np.float32(source.zero_point) * source.scale / target.scale
        half = np.float32(0.5) if zero > 0 else np.float32(-0.5)
        before, after = 0, target.zero_point - int(zero + half)
        scaling = _scaling(float(source.scale / (np.float32(count) * target.scale)))
    else:
        before, after = -count * source.zero_point, target.zero_point
        multiplier, shift = _scaling(float(source.scale) / float(target.scale))
        bits = min(count.bit_length() - 1, 32, 31 + shift)
        scaling = (multiplier << bits) // count, shift - bits
    if count * 255 << max(scaling[1], 0) >= 2 * _LARGEST_SUM:
        raise FlatBufferError(f"{operator} has sums that overflow 32 bits when they are scaled")
    return int8.Mean(
        planner.place(given), planner.place(output), sizes, before, *scaling, after
    )


def _reduce_max(planner: _Planner, operator: Operator) -> int8.Operator:
    given = planner.input(operator)
    sizes, _ = _reduction(planner, operator)
    planner.require_same_scale(operator, given)
    return int8.Maximum(planner.place(given), planner.place(planner.output(operator)), sizes)


def _reduction(
    planner: _Planner, operator: Operator
) -> tuple[tuple[int, int, int], list[int]]:
    """(outer, reduced, inner) sizes of the input, and the axes as they are in the file."""
    shape = planner.input(operator).shape
    axes = [int(axis) for axis in planner.constant(operator, 1, "int32").reshape(-1)]
    if not axes or not all(-len(shape) <= axis < len(shape) for axis in axes):
        raise FlatBufferError(f"{operator} reduces the axes {axes} of {shape}")
    reduced = {axis % len(shape) for axis in axes}
    keep = bool(operator.integer(0, "u1"))
    planner.require_shape(
        operator,
        [
            1 if axis in reduced else size
            for axis, size in enumerate(shape)
            if keep or axis not in reduced
        ],
    )
    long = sorted(axis for axis in reduced if shape[axis] > 1) or [min(reduced)]
    first, last = long[0], long[-1] + 1
    if any(shape[axis] > 1 and axis not in reduced for axis in range(first, last)):
        raise FlatBufferError(f"{operator} reduces axes of {shape} that are not adjacent: {axes}")
    return (math.prod(shape[:first]), math.prod(shape[first:last]), math.prod(shape[last:])), axes


def _add(planner: _Planner, operator: Operator) -> int8.Operator:
    """Both inputs are brought to twice the larger of their scales, with 20 bits more."""
    first, second, output = _pair(planner, operator)
    twice = 2.0 * float(max(first.scale, second.scale))
    return int8.Addition(
        *_pair_places(planner, operator),
        *_pair_shapes(planner, operator),
        (first.zero_point, second.zero_point, output.zero_point),
        (
            _scaling(float(first.scale) / twice),
            _scaling(float(second.scale) / twice),
            _scaling(twice / ((1 << 20) * float(output.scale))),
        ),
        *output.limits(operator.activation(0)),
        planner.instructions,
    )


def _multiply(planner: _Planner, operator: Operator) -> int8.Operator:
    first, second, output = _pair(planner, operator)
    return int8.Multiplication(
        *_pair_places(planner, operator),
        *_pair_shapes(planner, operator),
        (first.zero_point, second.zero_point, output.zero_point),
        _scaling(float(first.scale * second.scale / output.scale)),
        *output.limits(operator.activation(0)),
    )


def _pair(
    planner: _Planner, operator: Operator
) -> tuple[_Quantization, _Quantization, _Quantization]:
    return (
        _Quantization.of(planner.input(operator, 0)),
        _Quantization.of(planner.input(operator, 1)),
        _Quantization.of(planner.output(operator)),
    )


def _pair_places(planner: _Planner, operator: Operator) -> tuple[int, int, int]:
    first, second = planner.input(operator, 0), planner.input(operator, 1)
    return planner.place(first), planner.place(second), planner.place(planner.output(operator))


def _pair_shapes(
    planner: _Planner, operator: Operator
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Sizes of the output in four dimensions, and each input's strides, 0 where it repeats."""
    shapes = [planner.input(operator, number).shape for number in (0, 1)]
    if max(map(len, shapes)) > 4:
        raise FlatBufferError(f"{operator} has inputs of {shapes}, and four dimensions are most")
    rank = max(map(len, shapes))
    try:
        together = np.broadcast_shapes(*shapes)
    except ValueError:
        raise FlatBufferError(f"{operator} has inputs of {shapes}, which do not match") from None
    planner.require_shape(operator, together)
    if shapes[0] == shapes[1]:
        return (1, 1, 1, math.prod(together)), (0, 0, 0, 1), (0, 0, 0, 1)
    sizes = (1,) * (4 - rank) + tuple(together)
    strides = []
    for shape in shapes:
        shape = (1,) * (4 - len(shape)) + shape
        strides.append(
            tuple(0 if shape[n] == 1 else math.prod(shape[n + 1 :]) for n in range(4))
        )
    return sizes, strides[0], strides[1]


def _requantise(planner: _Planner, operator: Operator) -> int8.Operator:
    """QUANTIZE of int8 to another scale, RELU and RELU6."""
    source = _Quantization.of(planner.input(operator))
    target = _Quantization.of(planner.output(operator))
    activation = "NONE" if operator.kind == "QUANTIZE" else operator.kind
    scaling = _scaling(float(source.scale) / float(target.scale))
    values = np.arange(-128, 128, dtype=np.int64) - source.zero_point
    table = _rescale_twice(values, scaling) + target.zero_point
    return _lookup(planner, operator, np.clip(table, *target.limits(activation)))


def _logistic(planner: _Planner, operator: Operator) -> int8.Operator:
    source = _Quantization.of(planner.input(operator))
    target = _Quantization.of(planner.output(operator))
    values = (np.arange(-128, 128) - source.zero_point).astype(np.float32) * source.scale
    logistic = np.float32(1) / (np.float32(1) + np.exp(-values))
    steps = (logistic * (np.float32(1) / target.scale)).astype(np.float64)
    table = np.floor(np.minimum(steps, 1024) + 0.5) + target.zero_point
    return _lookup(planner, operator, np.clip(table, -128, 127))


def _lookup(planner: _Planner, operator: Operator, table: NDArray[Any]) -> int8.Operator:
    given, output = planner.input(operator), planner.output(operator)
    planner.require_shape(operator, given.shape)
    return int8.Lookup(
        planner.place(given), planner.place(output), given.size, table.astype(np.int8)
    )


def _concatenate(planner: _Planner, operator: Operator) -> int8.Operator:
    tensors = [planner.input(operator, number) for number in range(len(operator.inputs))]
    planner.require_same_scale(operator, *tensors)
    if operator.activation(1) != "NONE" or not tensors:
        raise FlatBufferError(f"{operator} has an activation, or nothing to join")
    rank, axis = len(tensors[0].shape), operator.integer(0)
    shapes = [list(tensor.shape) for tensor in tensors]
    if not -rank <= axis < rank or any(len(shape) != rank for shape in shapes):
        raise FlatBufferError(f"{operator} joins {shapes} along the axis {axis}")
    joined = list(shapes[0])
    joined[axis] = sum(shape[axis] for shape in shapes)
    for shape in shapes:
        if shape[:axis] + shape[axis:][1:] != shapes[0][:axis] + shapes[0][axis:][1:]:
            raise FlatBufferError(f"{operator} joins {shapes} along the axis {axis}")
    planner.require_shape(operator, joined)
    _require_movable(operator, joined)
    return _rearranged(
        planner, operator, np.concatenate([_origins(planner, tensor) for tensor in tensors], axis)
    )


def _pad(planner: _Planner, operator: Operator) -> int8.Operator:
    given = planner.input(operator)
    fill = _Quantization.of(planner.output(operator)).zero_point
    if operator.kind == "PADV2":
        values = planner.constant(operator, 2, "int8")
        planner.require_same_scale(operator, planner.input(operator, 2))
        if values.size != 1:
            raise FlatBufferError(f"{operator} fills with {values.size} numbers")
        fill = int(values.reshape(-1)[0])
    planner.require_same_scale(operator, given)
    margins = _pairs(planner, operator, 1, len(given.shape))
    padded = [size + sum(margin) for size, margin in zip(given.shape, margins)]
    planner.require_shape(operator, padded)
    _require_movable(operator, padded)
    origins = np.pad(_origins(planner, given), margins, constant_values=-1)
    return _rearranged(planner, operator, origins, fill)


def _transpose(planner: _Planner, operator: Operator) -> int8.Operator:
    given = planner.input(operator)
    order = [int(axis) for axis in planner.constant(operator, 1, "int32").reshape(-1)]
    if sorted(order) != list(range(len(given.shape))):
        raise FlatBufferError(f"{operator} orders the axes of {given.shape} as {order}")
    planner.require_same_scale(operator, given)
    planner.require_shape(operator, [given.shape[axis] for axis in order])
    _require_movable(operator, given.shape)
    return _rearranged(planner, operator, _origins(planner, given).transpose(order))


def _space_to_batch(planner: _Planner, operator: Operator) -> int8.Operator:
    """The pixels of each phase of a grid become an image: (phases * images, rows, columns, ...)."""
    given = planner.input(operator)
    images, *_, channels = planner.images(given)
    planner.require_same_scale(operator, given)
    rows, columns = _block(planner, operator)
    (top, bottom), (left, right) = _pairs(planner, operator, 2, 2)
    height, width = given.shape[1] + top + bottom, given.shape[2] + left + right
    if height % rows or width % columns:
        raise FlatBufferError(f"{operator} cuts {height} x {width} by {rows} x {columns}")
    shape = (images * rows * columns, height // rows, width // columns, channels)
    planner.require_shape(operator, shape)
    _require_movable(operator, shape)
    origins = np.pad(
        _origins(planner, given), ((0, 0), (top, bottom), (left, right), (0, 0)),
        constant_values=-1,
    )  # fmt: skip
    origins = origins.reshape(images, height // rows, rows, width // columns, columns, channels)
    origins = origins.transpose(2, 4, 0, 1, 3, 5).reshape(shape)
    return _rearranged(
        planner, operator, origins, _Quantization.of(planner.output(operator)).zero_point
    )


def _batch_to_space(planner: _Planner, operator: Operator) -> int8.Operator:
    given = planner.input(operator)
    images, height, width, channels = planner.images(given)
    planner.require_same_scale(operator, given)
    rows, columns = _block(planner, operator)
    (top, bottom), (left, right) = _pairs(planner, operator, 2, 2)
    if images % (rows * columns):
        raise FlatBufferError(f"{operator} joins {images} images by {rows} x {columns}")
    images //= rows * columns
    out_height, out_width = height * rows - top - bottom, width * columns - left - right
    planner.require_shape(operator, (images, out_height, out_width, channels))
    _require_movable(operator, given.shape)
    origins = _origins(planner, given).reshape(rows, columns, images, height, width, channels)
    origins = origins.transpose(2, 3, 0, 4, 1, 5)
    origins = origins.reshape(images, height * rows, width * columns, channels)
    return _rearranged(
        planner, operator, origins[:, top : top + out_height, left : left + out_width]
    )


def _block(planner: _Planner, operator: Operator) -> tuple[int, int]:
    block = planner.constant(operator, 1, "int32").reshape(-1)
    if len(block) != 2 or block.min() < 1:
        raise FlatBufferError(f"{operator} has blocks of {block.tolist()}")
    return int(block[0]), int(block[1])


def _pairs(
    planner: _Planner, operator: Operator, number: int, rank: int
) -> list[tuple[int, int]]:
    """(rank, 2) numbers from 0 of a constant."""
    values = planner.constant(operator, number, "int32")
    if values.shape != (rank, 2) or values.min() < 0:
        raise FlatBufferError(f"{operator} has margins of {values.tolist()}")
    return [(int(before), int(after)) for before, after in values]


def _require_movable(operator: Operator, shape: Sequence[int]) -> None:
    if math.prod(shape) > _LARGEST_MOVE:
        raise FlatBufferError(f"{operator} moves more than {_LARGEST_MOVE} numbers")


def _origins(planner: _Planner, tensor: Tensor) -> NDArray[np.int64]:
    """For each number of a tensor, where in the arena it stands."""
    return np.arange(tensor.size, dtype=np.int64).reshape(tensor.shape) + planner.place(tensor)


def _rearranged(
    planner: _Planner, operator: Operator, origins: NDArray[np.int64], fill: int | None = None
) -> int8.Operator:
    """origins: for each number of the output, where it comes from; -1 for the fill."""
    place = planner.place(planner.output(operator))
    origins = origins.reshape(-1)
    moved = origins >= 0
    follows = np.zeros(len(origins), bool)
    follows[1:] = moved[1:] & (origins[1:] == origins[:-1] + 1)
    begins = np.flatnonzero(moved & ~follows)
    ends = np.flatnonzero(moved & ~np.append(follows[1:], False)) + 1
    moves = np.stack([origins[begins], begins + place, ends - begins], axis=1)
    return int8.Rearrangement(
        place, len(origins), moves.reshape(-1).astype(np.int32), None if moved.all() else fill
    )


def _check_reshape(planner: _Planner, operator: Operator) -> None:
    given, output = planner.input(operator), planner.output(operator)
    if given.size != output.size:
        raise FlatBufferError(f"{operator} makes {output.shape} of {given.shape}")
    planner.require_same_scale(operator, given)


RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
"""They leave every number where it is."""

_COMPUTED = {"ADD": 2, "MUL": 2, "CONCATENATION": None}
"""How many of the inputs are numbers that others compute; one, where nothing is said."""

STEPS: dict[str, Callable[[_Planner, Operator], int8.Operator]] = {
    "ADD": _add,
    "AVERAGE_POOL_2D": _pool,
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "CONCATENATION": _concatenate,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise_convolution,
    "FULLY_CONNECTED": _fully_connected,
    "LOGISTIC": _logistic,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "MUL": _multiply,
    "PAD": _pad,
    "PADV2": _pad,
    "QUANTIZE": _requantise,
    "REDUCE_MAX": _reduce_max,
    "RELU": _requantise,
    "RELU6": _requantise,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "TRANSPOSE": _transpose,
}
"""What makes a step of the program of an operator, by its kind."""
