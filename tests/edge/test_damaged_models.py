"""Models that are damaged, foreign or absurd: refused by name, or run; never a crash."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge._kernels import int8
from edge.emotion import NativeExpert
from edge.errors import BundleError
from edge.flat_buffer import FlatBufferError, Table
from edge.network import Network
from tests.edge.tflite_files import INT32, Quantized, TFLiteFile

HALF = Quantized(0.5, 3)


def small_network() -> TFLiteFile:
    """Most kinds of operators in one graph of a thousand numbers, from (1, 8, 6, 2) to (1, 8)."""
    rng = np.random.default_rng(3)
    file = TFLiteFile()
    file.given = file.tensor((1, 8, 6, 2), HALF)

    def weights(*shape: int) -> int:
        return file.tensor(shape, Quantized(0.01), rng.integers(-127, 128, shape).astype(np.int8))

    def biases(n: int) -> int:
        return file.tensor((n,), Quantized(0.005), np.arange(n, dtype=np.int32), INT32)

    def step(kind: str, inputs: list[int], shape: tuple[int, ...], *options, **fields) -> int:
        made = file.tensor(shape, HALF)
        file.operator(kind, inputs, made, *options, version=2, **fields)
        return made

    strides = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    x = step("CONV_2D", [file.given, weights(5, 3, 3, 2), biases(5)], (1, 8, 6, 5),
             "Conv2DOptions", **strides)  # fmt: skip
    x = step("DEPTHWISE_CONV_2D", [x, weights(1, 3, 1, 5), biases(5)], (1, 8, 6, 5),
             "DepthwiseConv2DOptions", depthMultiplier=1, **strides)  # fmt: skip
    x = step("MAX_POOL_2D", [x], (1, 4, 3, 5), "Pool2DOptions", strideH=2, strideW=2,
             filterHeight=2, filterWidth=2)  # fmt: skip
    x = step("PAD", [x, file.integers([[0, 0], [1, 0], [0, 0], [0, 0]])], (1, 5, 3, 5))
    x = step("ADD", [x, x], (1, 5, 3, 5), "AddOptions")
    y = step("MEAN", [x, file.integers([1, 2])], (1, 5), "ReducerOptions")
    z = step("REDUCE_MAX", [x, file.integers([1, 2])], (1, 5), "ReducerOptions")
    x = step("CONCATENATION", [y, z], (1, 10), "ConcatenationOptions", axis=1)
    x = step("RELU", [x], (1, 10))
    x = step("RESHAPE", [x], (10, 1))
    x = step("TRANSPOSE", [x, file.integers([1, 0])], (1, 10))
    file.asked = step("FULLY_CONNECTED", [x, weights(8, 10), biases(8)], (1, 8),
                      "FullyConnectedOptions")  # fmt: skip
    return file


@pytest.fixture(scope="module")
def content() -> bytes:
    file = small_network()
    return file.content(file.given, file.asked)


def run_or_refuse(content: bytes, instructions: str | None = None) -> str:
    """Runs it once; returns the message when it is refused. Any other outcome is a failure."""
    try:
        network = Network(content, "male.tflite", instructions)
    except BundleError as error:
        message = str(error)
        assert message.startswith("male.tflite is not a model that can be run here: ")
        return message
    out = network.run(np.full(network.input.shape, -100, np.int8))
    assert out.shape == network.output.shape
    return ""


def test_the_undamaged_network_runs(content):
    assert run_or_refuse(content) == ""


def test_every_truncation_is_refused_by_name(content):
    for length in range(0, len(content), 7):
        assert run_or_refuse(content[:length])


flips = st.lists(
    st.tuples(
        st.integers(0, 2**20), st.sampled_from([0, 1, 2, 127, 128, 255]) | st.integers(0, 255)
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(flips, st.sampled_from(int8.instruction_sets()))
def test_a_network_with_any_bytes_changed_is_refused_by_name_or_runs(content, flips, instructions):
    damaged = bytearray(content)
    for at, value in flips:
        damaged[at % len(damaged)] = value
    run_or_refuse(bytes(damaged), instructions)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**18), st.integers(-4, 2**31 - 1)), max_size=3))
def test_a_network_with_any_words_changed_is_refused_by_name_or_runs(content, words):
    damaged = bytearray(content)
    for at, value in words:
        struct.pack_into("<i", damaged, at * 4 % (len(damaged) - 3), value)
    run_or_refuse(bytes(damaged))


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_mark_are_refused(tail):
    assert run_or_refuse(b"\x08\x00\x00\x00TFL3" + tail)


@given(st.binary(max_size=120), st.integers(0, 119), st.integers(0, 12))
def test_a_table_of_any_bytes_never_reads_outside_of_them(content, at, field):
    readings = ("scalar", "table", "tables", "numbers", "text", "has")
    arguments = {"scalar": ("i4",), "tables": (10,), "numbers": ("i8",)}
    try:
        table = Table(content, at)
    except FlatBufferError:
        return
    for reading in readings:
        try:
            getattr(table, reading)(field, *arguments.get(reading, ()))
        except FlatBufferError:
            continue


def one_operator(kind="RELU", shape=(1, 8), source=HALF, target=HALF, out=None, **more):
    file = TFLiteFile()
    given_ = file.tensor(shape, source)
    asked = file.tensor(out or shape, target)
    file.operator(kind, [given_], asked, **more)
    return file, given_, asked


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("SOFTMAX", "operator 25 of the schema, which is not known here"),
        ("DEQUANTIZE", "operator 6 of the schema"),
        ("CONV_2D", r"operator 0 \(CONV_2D\) has the options of another kind"),
        ("TRANSPOSE", r"operator 0 \(TRANSPOSE\) lacks its input 1"),
    ],
)
def test_an_operator_that_cannot_be_run_is_named(kind, reason):
    with pytest.raises(BundleError, match=reason):
        Network(one_operator(kind)[0].content(0, 1))


def test_float_numbers_are_refused_with_the_remedy():
    file, given_, asked = one_operator()
    file.graph.tensors[given_].type = 0
    with pytest.raises(BundleError, match=r"tensor_0.* is float32; .*full integer quantization"):
        Network(file.content(given_, asked))


@pytest.mark.parametrize(
    ("scale", "zero_point", "reason"),
    [
        (0.0, 0, "scale that is not a positive number"),
        (float("nan"), 0, "scale that is not a positive number"),
        (float("inf"), 0, "scale that is not a positive number"),
        (0.5, 128, "zero point 128, outside int8"),
        ([], 0, "0 scales instead of int8 with one"),
        ([0.1, 0.2], 0, "2 scales for dimension 0"),
        (1e-30, 0, "numbers are scaled by"),
    ],
)
def test_a_quantization_that_cannot_be_is_refused(scale, zero_point, reason):
    file, given_, asked = one_operator(target=Quantized(scale, zero_point))
    with pytest.raises(BundleError, match=reason):
        Network(file.content(given_, asked))


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1, 0), "has the shape"),
        ((1, -3), "has the shape"),
        ((1 << 30, 1 << 30), "has the shape"),
        ((1,) * 9, "has the shape"),
        ((1, 9), "makes .1, 8., but"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(shape, reason):
    file, given_, asked = one_operator(out=shape)
    with pytest.raises(BundleError, match=reason):
        Network(file.content(given_, asked))


def test_a_network_that_needs_too_much_memory_is_refused():
    file = TFLiteFile()
    shape = (1, 1 << 24)
    tensors = [file.tensor(shape, HALF) for _ in range(6)]
    for n in range(5):
        file.operator("ADD", [tensors[0], tensors[n]], tensors[n + 1], "AddOptions")
    file.operator("CONCATENATION", tensors[1:], file.tensor((5, 1 << 24), HALF),
                  "ConcatenationOptions", axis=0)  # fmt: skip
    with pytest.raises(BundleError, match="bytes, and .* is most|has the shape"):
        Network(file.content(tensors[0], tensors[-1]))


def test_tensors_that_nobody_made_or_two_made_are_refused():
    file, given_, asked = one_operator()
    lost = file.tensor((1, 8), HALF)
    with pytest.raises(BundleError, match="is not made by any operator"):
        Network(file.content(given_, lost))
    file.operator("RELU", [given_], asked)
    with pytest.raises(BundleError, match=r"operator 1 \(RELU\) makes .* once more"):
        Network(file.content(given_, asked))
    file, given_, asked = one_operator()
    file.graph.operators[0].inputs = [asked]
    with pytest.raises(BundleError, match="before it is made"):
        Network(file.content(given_, asked))


def test_weights_that_are_not_in_the_file_whole_are_refused():
    file = small_network()
    file.model.buffers[1].data = file.model.buffers[1].data[:-1]
    with pytest.raises(BundleError, match="has 89 bytes of numbers instead of 90"):
        Network(file.content(file.given, file.asked))


def test_sums_that_could_overflow_are_refused():
    file = TFLiteFile()
    length = 1 << 16
    given_ = file.tensor((1, length), HALF)
    weights = file.tensor((1, length), Quantized(0.01), np.full((1, length), 127, np.int8))
    asked = file.tensor((1, 1), HALF)
    file.operator("FULLY_CONNECTED", [given_, weights], asked, "FullyConnectedOptions")
    with pytest.raises(BundleError, match="sums that can overflow 32 bits"):
        Network(file.content(given_, asked))


def test_grouped_convolutions_are_refused():
    file = TFLiteFile()
    given_ = file.tensor((1, 4, 4, 4), HALF)
    weights = file.tensor((8, 1, 1, 2), Quantized(0.01), np.ones((8, 1, 1, 2), np.int8))
    asked = file.tensor((1, 4, 4, 8), HALF)
    file.operator("CONV_2D", [given_, weights], asked, "Conv2DOptions", strideH=1, strideW=1)
    with pytest.raises(BundleError, match="convolutions in groups"):
        Network(file.content(given_, asked))


def test_an_expert_of_a_damaged_model_is_refused_at_the_first_use(content):
    expert = NativeExpert(content[:-40], "female.tflite")
    for use in (expert.prepare, lambda: expert.logits(np.zeros((188, 40), np.float32))):
        with pytest.raises(BundleError, match=r"female\.tflite"):
            use()


def test_the_kernels_check_their_sizes_themselves():
    window = (1, 4, 4, 2, 4, 4, 3, 3, 1, 1, 1, 1, 1, 1)
    ones = np.ones(1, np.int32)
    right = (0, 64, window, np.ones(18, np.int8), ones, ones, ones, 0, 0, -128, 127)
    int8.Convolution(*right)
    for place, wrong in (
        (0, -1), (1, 1 << 40), (2, (1, 0, *window[2:])), (2, (*window[:12], -1, 1)),
        (3, np.ones(17, np.int8)), (4, np.ones(0, np.int32)), (5, np.ones(2, np.int32)),
        (6, ones * 8), (5, -ones), (7, 128), (9, 3), (10, 128),
    ):  # fmt: skip
        arguments = [*right[:place], wrong, *right[place + 1 :]]
        if place == 9:
            arguments[10] = 2
        with pytest.raises((ValueError, OverflowError)):
            int8.Convolution(*arguments)
    with pytest.raises(ValueError, match="no instructions 'mmx' here"):
        int8.Convolution(*right, "mmx")
    with pytest.raises(ValueError, match="to the output"):
        int8.Rearrangement(64, 4, np.array([0, 66, 4], np.int32))
    with pytest.raises(ValueError, match="no place"):
        int8.Rearrangement(64, 4, np.array([-1, 64, 4], np.int32))
    with pytest.raises(ValueError, match="takes 4 values"):
        int8.Program([], 0, 4, 0, 4).run(np.zeros(3, np.int8), np.zeros(4, np.int8))
    with pytest.raises(ValueError, match="does nothing"):
        int8.Program([int8.Operator()], 0, 4, 0, 4)
