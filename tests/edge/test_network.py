"""The int8 network against tflite-runtime's kernels: every number the same, operator by operator.

The files are random: shapes, strides, dilations, paddings, activations, scales and zero points.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge._kernels import int8
from edge.network import Network
from tests.edge.tflite_files import INT32, Quantized, TFLiteFile, tflite_runtime

examples = settings(max_examples=40, deadline=None)
sizes = st.integers(1, 9)
seeds = st.integers(0, 2**31)
activations = st.sampled_from([0, 0, 1, 2, 3])
paddings = st.sampled_from([0, 1])


def quantized(rng: np.random.Generator, least: float = 0.002, most: float = 0.2) -> Quantized:
    scale = np.exp(rng.uniform(np.log(least), np.log(most)))
    return Quantized(scale, int(rng.integers(-128, 128)))


def assert_equal_numbers(content: bytes, rng: np.random.Generator, calls: int = 3) -> None:
    """Whatever the instructions, and in every call."""
    expected = tflite_runtime(content)
    networks = {name: Network(content, name, name) for name in int8.instruction_sets()}
    for call in range(calls):
        shape = next(iter(networks.values())).input.shape
        values = rng.integers(-128, 128, shape).astype(np.int8)
        if call:
            values = np.clip(rng.normal(rng.uniform(-90, 90), 30, shape), -128, 127)
            values = values.astype(np.int8)
        wanted = expected(values)
        for name, network in networks.items():
            found = network.run(values)
            assert found.shape == wanted.shape
            wrong = np.argwhere(found != wanted)
            assert not len(wrong), (
                f"{name}: {len(wrong)} of {wanted.size} differ, the first at {wrong[0]}: "
                f"{found[tuple(wrong[0])]} instead of {wanted[tuple(wrong[0])]}"
            )


def out_size(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    reach = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == 0 else (size - reach) // stride + 1


def weights_of(rng, shape, fan_in: int, filters: int, dimension: int, per_filter: bool):
    weights = rng.integers(-127, 128, shape).astype(np.int8)
    scales = rng.uniform(0.2, 1, filters if per_filter else 1) / (74 * np.sqrt(fan_in))
    return weights, Quantized(scales, 0, dimension)


def convolution(
    rng, depthwise: bool, images: int, height: int, width: int, channels: int, filters: int,
    kernel, stride, dilation, padding: int, activation: int, per_filter: bool,
) -> bytes:  # fmt: skip
    file = TFLiteFile()
    source, target = quantized(rng), quantized(rng)
    fan_in = kernel[0] * kernel[1] * (1 if depthwise else channels)
    if depthwise:
        shape, dimension = (1, *kernel, filters), 3
    else:
        shape, dimension = (filters, *kernel, channels), 0
    weights, scales = weights_of(rng, shape, fan_in, filters, dimension, per_filter)
    scales.scales *= target.scales / source.scales
    given = file.tensor((images, height, width, channels), source)
    limit = int(30 * target.scales.min() / (source.scales * scales.scales).max()) + 1
    biases = rng.integers(-limit, limit, filters).astype(np.int32)
    bias_scales = Quantized(source.scales * scales.scales)
    inputs = [given, file.tensor(shape, scales, weights)]
    inputs.append(file.tensor((filters,), bias_scales, biases, INT32))
    rows = out_size(height, kernel[0], stride[0], dilation[0], padding)
    columns = out_size(width, kernel[1], stride[1], dilation[1], padding)
    asked = file.tensor((images, rows, columns, filters), target)
    more = {"depthMultiplier": filters // channels} if depthwise else {}
    file.operator(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", inputs, asked,
        "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions", version=3,
        padding=padding, strideH=stride[0], strideW=stride[1], dilationHFactor=dilation[0],
        dilationWFactor=dilation[1], fusedActivationFunction=activation, **more,
    )  # fmt: skip
    return file.content(given, asked)


@st.composite
def kernels_that_fit(draw, dilated: bool = True):
    """(height, width), kernel, stride, dilation, padding: of a window that fits the image."""
    padding = draw(paddings)
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = (1, 1)
    if dilated:
        dilation = draw(st.sampled_from([(1, 1), (1, 1), (2, 1), (1, 2), (3, 2), (4, 1)]))
    if dilation != (1, 1):
        stride = (1, 1)
    kernel = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    image = tuple(
        draw(st.integers((taps - 1) * step + 1 if padding else 1, (taps - 1) * step + 9))
        for taps, step in zip(kernel, dilation)
    )
    return image, kernel, stride, dilation, padding


@examples
@given(kernels_that_fit(), st.integers(1, 2), st.integers(1, 40), st.integers(1, 40), activations,
       st.booleans(), seeds)  # fmt: skip
def test_convolutions(fit, images, channels, filters, activation, per_filter, seed):
    rng = np.random.default_rng(seed)
    (height, width), kernel, stride, dilation, padding = fit
    content = convolution(
        rng, False, images, height, width, channels, filters, kernel, stride, dilation, padding,
        activation, per_filter,
    )  # fmt: skip
    assert_equal_numbers(content, rng)


@examples
@given(kernels_that_fit(), st.integers(1, 2), st.integers(1, 40), st.sampled_from([1, 1, 2, 3]),
       activations, st.booleans(), seeds)  # fmt: skip
def test_depthwise_convolutions(fit, images, channels, repeats, activation, per_filter, seed):
    rng = np.random.default_rng(seed)
    (height, width), kernel, stride, dilation, padding = fit
    content = convolution(
        rng, True, images, height, width, channels, channels * repeats, kernel, stride, dilation,
        padding, activation, per_filter,
    )  # fmt: skip
    assert_equal_numbers(content, rng)


@examples
@given(st.integers(1, 3), st.integers(1, 400), st.integers(1, 40), activations, st.booleans(),
       st.booleans(), seeds)  # fmt: skip
def test_dense_layers(rows, length, units, activation, per_unit, biased, seed):
    rng = np.random.default_rng(seed)
    file = TFLiteFile()
    source, target = quantized(rng), quantized(rng)
    weights, scales = weights_of(rng, (units, length), length, units, 0, per_unit)
    scales.scales *= target.scales / source.scales
    given_ = file.tensor((rows, length), source)
    inputs = [given_, file.tensor((units, length), scales, weights)]
    if biased:
        biases = rng.integers(-3000, 3000, units).astype(np.int32)
        of_biases = Quantized(source.scales * scales.scales)
        inputs.append(file.tensor((units,), of_biases, biases, INT32))
    else:
        inputs.append(-1)
    asked = file.tensor((rows, units), target)
    file.operator(
        "FULLY_CONNECTED", inputs, asked, "FullyConnectedOptions", version=5,
        fusedActivationFunction=activation,
    )  # fmt: skip
    assert_equal_numbers(file.content(given_, asked), rng)


@examples
@given(kernels_that_fit(dilated=False), st.integers(1, 2), st.integers(1, 80), activations,
       st.sampled_from(["MAX_POOL_2D", "AVERAGE_POOL_2D"]), seeds)  # fmt: skip
def test_pooling(fit, images, channels, activation, kind, seed):
    rng = np.random.default_rng(seed)
    (height, width), kernel, stride, _, padding = fit
    file = TFLiteFile()
    both = quantized(rng)
    given_ = file.tensor((images, height, width, channels), both)
    rows = out_size(height, kernel[0], stride[0], 1, padding)
    columns = out_size(width, kernel[1], stride[1], 1, padding)
    asked = file.tensor((images, rows, columns, channels), both)
    file.operator(
        kind, [given_], asked, "Pool2DOptions", version=2, padding=padding, strideH=stride[0],
        strideW=stride[1], filterHeight=kernel[0], filterWidth=kernel[1],
        fusedActivationFunction=activation,
    )  # fmt: skip
    assert_equal_numbers(file.content(given_, asked), rng)


@st.composite
def shapes_that_broadcast(draw):
    shape = tuple(draw(st.lists(sizes, min_size=1, max_size=4)))
    other = tuple(size if draw(st.booleans()) else 1 for size in shape)
    other = other[draw(st.integers(0, len(other) - 1)) :]
    if draw(st.booleans()):
        other = shape
    return shape, other


@examples
@given(shapes_that_broadcast(), st.sampled_from(["ADD", "MUL"]), activations, st.booleans(),
       st.booleans(), seeds)  # fmt: skip
def test_sums_and_products_with_a_constant_that_may_repeat(
    shapes, kind, activation, first, alike, seed
):
    rng = np.random.default_rng(seed)
    file = TFLiteFile()
    one, other = quantized(rng), quantized(rng)
    target = quantized(rng)
    if kind == "MUL":
        target.scales = one.scales * other.scales * rng.uniform(5, 100)
    if alike:
        other = target = one
    given_ = file.tensor(shapes[0], one)
    constant = file.tensor(
        shapes[1], other, rng.integers(-128, 128, shapes[1]).astype(np.int8)
    )
    asked = file.tensor(shapes[0], target)
    inputs = [given_, constant] if first else [constant, given_]
    options = "AddOptions" if kind == "ADD" else "MulOptions"
    file.operator(kind, inputs, asked, options, version=2, fusedActivationFunction=activation)
    assert_equal_numbers(file.content(given_, asked), rng)


AXES = [[1, 2], [2, 1], [1], [2], [-1], [3], [1, 2, 3], [-3, -2], [0, 1, 2, 3]]


@examples
@given(st.integers(1, 2), st.integers(1, 60), sizes, st.integers(1, 80), st.sampled_from(AXES),
       st.booleans(), st.booleans(), st.sampled_from(["MEAN", "REDUCE_MAX"]), seeds)  # fmt: skip
def test_reductions(images, height, width, channels, axes, keep, alike, kind, seed):
    rng = np.random.default_rng(seed)
    file = TFLiteFile()
    source, target = quantized(rng), quantized(rng)
    if alike or kind == "REDUCE_MAX":
        target = source
    shape = (images, height, width, channels)
    given_ = file.tensor(shape, source)
    reduced = {axis % 4 for axis in axes}
    left = [1 if n in reduced else shape[n] for n in range(4) if keep or n not in reduced]
    asked = file.tensor(tuple(left), target)
    file.operator(
        kind, [given_, file.integers(axes)], asked, "ReducerOptions", version=2, keepDims=keep
    )
    assert_equal_numbers(file.content(given_, asked), rng)


@examples
@given(st.sampled_from(["QUANTIZE", "RELU", "RELU6", "LOGISTIC"]), st.integers(1, 300), seeds)
def test_functions_of_one_number(kind, n, seed):
    rng = np.random.default_rng(seed)
    file = TFLiteFile()
    source = quantized(rng)
    target = Quantized(1 / 256, -128) if kind == "LOGISTIC" else quantized(rng)
    given_, asked = file.tensor((1, n), source), file.tensor((1, n), target)
    file.operator(kind, [given_], asked, version={"QUANTIZE": 2}.get(kind, 2))
    assert_equal_numbers(file.content(given_, asked), rng)


@examples
@given(st.lists(sizes, min_size=1, max_size=4), seeds)
def test_padding(shape, seed):
    rng = np.random.default_rng(seed)
    file = TFLiteFile()
    both = quantized(rng)
    margins = rng.integers(0, 4, (len(shape), 2))
    given_ = file.tensor(tuple(shape), both)
    asked = file.tensor(tuple(int(n) for n in np.array(shape) + margins.sum(axis=1)), both)
    file.operator("PAD", [given_, file.integers(margins)], asked, "PadOptions", version=2)
    assert_equal_numbers(file.content(given_, asked), rng)


@examples
@given(st.lists(sizes, min_size=2, max_size=4), st.integers(0, 3), st.integers(2, 4), seeds)
def test_concatenation_of_the_input_and_constants(shape, axis, count, seed):
    rng = np.random.default_rng(seed)
    file = TFLiteFile()
    both = quantized(rng)
    axis %= len(shape)
    given_ = file.tensor(tuple(shape), both)
    inputs, total = [given_], shape[axis]
    for _ in range(count - 1):
        size = int(rng.integers(1, 6))
        other = (*shape[:axis], size, *shape[axis + 1 :])
        values = rng.integers(-128, 128, other).astype(np.int8)
        inputs.insert(int(rng.integers(0, 2)), file.tensor(other, both, values))
        total += size
    asked = file.tensor((*shape[:axis], total, *shape[axis + 1 :]), both)
    file.operator(
        "CONCATENATION", inputs, asked, "ConcatenationOptions", version=2,
        axis=axis if seed % 2 else axis - len(shape),
    )  # fmt: skip
    assert_equal_numbers(file.content(given_, asked), rng)


@examples
@given(st.lists(sizes, min_size=1, max_size=4), seeds)
def test_transposition(shape, seed):
    rng = np.random.default_rng(seed)
    file = TFLiteFile()
    both = quantized(rng)
    order = rng.permutation(len(shape))
    given_ = file.tensor(tuple(shape), both)
    asked = file.tensor(tuple(shape[axis] for axis in order), both)
    file.operator("TRANSPOSE", [given_, file.integers(order)], asked, "TransposeOptions", version=2)
    assert_equal_numbers(file.content(given_, asked), rng)


@examples
@given(st.integers(1, 2), sizes, sizes, st.integers(1, 8), st.integers(1, 3), st.integers(1, 3),
       seeds)  # fmt: skip
def test_space_to_batch_and_back(images, height, width, channels, rows, columns, seed):
    rng = np.random.default_rng(seed)
    both = quantized(rng)
    file = TFLiteFile()
    low, high = int(rng.integers(0, 3)), int(rng.integers(0, 3))
    margins = [[low, -(height + low) % rows], [high, -(width + high) % columns]]
    long, wide = height + sum(margins[0]), width + sum(margins[1])
    given_ = file.tensor((images, height, width, channels), both)
    between = file.tensor(
        (images * rows * columns, long // rows, wide // columns, channels), both
    )
    block = file.integers([rows, columns])
    file.operator(
        "SPACE_TO_BATCH_ND", [given_, block, file.integers(margins)], between,
        "SpaceToBatchNDOptions", version=2,
    )  # fmt: skip
    assert_equal_numbers(file.content(given_, between), rng)

    crops = [[int(rng.integers(0, long)), 0], [0, int(rng.integers(0, wide))]]
    asked = file.tensor((images, long - crops[0][0], wide - crops[1][1], channels), both)
    file.operator(
        "BATCH_TO_SPACE_ND", [between, block, file.integers(crops)], asked,
        "BatchToSpaceNDOptions", version=2,
    )  # fmt: skip
    assert_equal_numbers(file.content(given_, asked), rng)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"]), st.booleans(), seeds)
def test_sums_next_to_a_half_go_to_the_side_that_tflites_factors_send_them(kind, per_filter, seed):
    """The sums are biases alone, large, so that a factor's last bit decides."""
    rng = np.random.default_rng(seed)
    filters = 200
    source, target = quantized(rng), quantized(rng)
    scales = rng.uniform(0.2, 1, filters if per_filter else 1)
    scales = np.asarray(scales * target.scales / source.scales * 127 / 2**29, np.float32)
    factors = source.scales.astype(float) * scales.astype(float) / target.scales
    steps = np.clip(rng.integers(-126, 126, filters) - target.zero_point, -126, 126)
    near = np.rint((steps + 0.5) / factors) + rng.integers(-60, 61, filters)
    biases = np.clip(near, -(2**29), 2**29).astype(np.int32)

    file = TFLiteFile()
    dense, depthwise = kind == "FULLY_CONNECTED", kind == "DEPTHWISE_CONV_2D"
    shape = (1, filters if depthwise else 1)
    of_weights = (filters, 1)
    if not dense:
        shape = (1, 1, *shape)
        of_weights = (1, 1, 1, filters) if depthwise else (filters, 1, 1, 1)
    given_ = file.tensor(shape, source)
    weights = file.tensor(
        of_weights, Quantized(scales, 0, 3 if depthwise else 0), np.zeros(of_weights, np.int8)
    )
    of_biases = Quantized(source.scales * scales)
    bias = file.tensor((filters,), of_biases, biases, INT32)
    asked = file.tensor((1, filters) if dense else (1, 1, 1, filters), target)
    one = {} if dense else {"strideH": 1, "strideW": 1}
    if depthwise:
        one["depthMultiplier"] = 1
    options = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}
    file.operator(
        kind, [given_, weights, bias], asked, options.get(kind, "FullyConnectedOptions"),
        version=5 if dense else 3, **one,
    )  # fmt: skip
    assert_equal_numbers(file.content(given_, asked), rng, calls=1)
