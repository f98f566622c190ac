"""The expert on the package's own kernels beside the one on an interpreter."""

from __future__ import annotations

import copy
import os
import pickle
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge._kernels import int8
from edge.arena import Need, plan_arena
from edge.audio import read_audio, to_mono_16k
from edge.bundle import Bundle
from edge.emotion import NativeExpert, TFLiteExpert, make_expert, quantise
from edge.errors import BundleError, SettingsError
from edge.features import LogMel, emotion_features, relative_db
from edge.labels import GENDERS
from edge.network import Network
from edge.windows import cut_windows
from tests.edge.tflite_files import tflite_runtime

CLIPS = sorted((Path(__file__).resolve().parents[2] / "examples" / "clips").glob("*.wav"))
RANDOM_INPUTS = 150


@pytest.fixture(scope="module")
def shipped() -> dict[str, bytes]:
    """The experts' files by gender."""
    bundle = Bundle.load()
    files = {gender: bundle.manifest["experts"][gender]["file"] for gender in GENDERS}
    return {gender: (bundle.folder / file).read_bytes() for gender, file in files.items()}


def features_of(log_mel: np.ndarray) -> list[np.ndarray]:
    """Of each window of a recording."""
    bundle = Bundle.load()
    length, hop = bundle.front_end.window_frames, bundle.blend.window_hop_frames
    return [
        emotion_features(relative_db(log_mel[first:end]), bundle.emotion_features)
        for first, end in cut_windows(0, len(log_mel), length, hop)
    ]


@pytest.fixture(scope="module")
def real_features() -> list[np.ndarray]:
    """Of the sample clips."""
    log_mels = [LogMel()(to_mono_16k(*read_audio(clip))) for clip in CLIPS]
    return [features for log_mel in log_mels for features in features_of(log_mel)]


@pytest.mark.parametrize("gender", GENDERS)
@pytest.mark.parametrize("instructions", int8.instruction_sets())
def test_the_shipped_experts_numbers_are_tflites_to_the_last_bit(shipped, gender, instructions):
    expected = tflite_runtime(shipped[gender])
    network = Network(shipped[gender], gender, instructions)
    rng = np.random.default_rng(1)
    for number in range(RANDOM_INPUTS if instructions != "portable" else 20):
        if number % 2:
            values = rng.integers(-128, 128, network.input.shape)
        else:
            values = np.clip(rng.normal(rng.uniform(-60, 60), 40, network.input.shape), -128, 127)
        values = values.astype(np.int8)
        np.testing.assert_array_equal(network.run(values), expected(values))


@pytest.mark.parametrize("gender", GENDERS)
def test_the_shipped_experts_logits_of_real_sound_are_tflites(shipped, gender, real_features):
    expected = tflite_runtime(shipped[gender])
    expert = NativeExpert(shipped[gender])
    network = Network(shipped[gender])
    scale, zero_point = network.output_quantization
    assert len(real_features) >= len(CLIPS) >= 4
    for features in real_features:
        values = quantise(features, *network.input_quantization).reshape(network.input.shape)
        wanted = (expected(values).astype(np.float64).reshape(-1) - zero_point) * scale
        np.testing.assert_array_equal(expert.logits(features), wanted.astype(np.float32))


def test_the_shipped_experts_numbers_on_the_corpora_are_tflites(shipped, corpora):
    pytest.importorskip("tflite_runtime")
    training = pytest.importorskip("training.corpora")
    clips = training.read_corpora(corpora)
    assert clips
    experts = {gender: NativeExpert(model) for gender, model in shipped.items()}
    interpreters = {gender: TFLiteExpert(model) for gender, model in shipped.items()}
    for clip in clips[:: max(1, len(clips) // 40)]:
        if clip.sound:
            log_mel = LogMel()(to_mono_16k(*read_audio(clip.path)))
        else:
            log_mel = training.load_log_mel(clip)
        for features in features_of(log_mel):
            for gender, expert in experts.items():
                np.testing.assert_array_equal(
                    expert.logits(features), interpreters[gender].logits(features)
                )


@pytest.fixture
def expert(tiny_models) -> NativeExpert:
    return NativeExpert(tiny_models["male"].int8, "male.tflite")


def random_features(expert: NativeExpert, count: int) -> list[np.ndarray]:
    expert.prepare()
    shape = [n for n in expert._network.input.shape if n > 1]
    return list(np.random.default_rng(7).normal(size=(count, *shape)).astype(np.float32))


def test_buffers_that_are_used_again_leave_no_trace(expert, shipped):
    first, second = random_features(expert, 2)
    alone = NativeExpert(*expert.__reduce__()[1]).logits(first)
    np.testing.assert_array_equal(expert.logits(first), alone)
    expert.logits(second)
    np.testing.assert_array_equal(expert.logits(first), alone)

    network = Network(shipped["female"])
    values = np.random.default_rng(2).integers(-128, 128, network.input.shape).astype(np.int8)
    wanted = network.run(values)
    for filling in (-128, 0, 127):
        network.run(np.full(network.input.shape, filling, np.int8))
        np.testing.assert_array_equal(network.run(values), wanted)


def test_logits_are_the_same_from_many_threads(shipped):
    expert = NativeExpert(shipped["female"])
    inputs = random_features(expert, 16)
    expected = [NativeExpert(shipped["female"]).logits(one) for one in inputs]
    answers: dict[int, list[np.ndarray]] = {}

    def ask(thread: int) -> None:
        answers[thread] = [expert.logits(one) for _ in range(10) for one in inputs]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for thread in range(4):
        np.testing.assert_array_equal(np.array(answers[thread]), np.array(expected * 10))


@pytest.mark.parametrize("again", [lambda it: pickle.loads(pickle.dumps(it)), copy.copy])
def test_a_copy_gives_the_same_logits_from_buffers_of_its_own(expert, again):
    (features,) = random_features(expert, 1)
    wanted = expert.logits(features)
    other = again(expert)
    np.testing.assert_array_equal(other.logits(features), wanted)
    assert other._network is not expert._network
    assert repr(other) == repr(expert) and "male.tflite" in repr(other)


def test_logits_equal_those_of_the_interpreter(tiny_models):
    pytest.importorskip("tflite_runtime")
    for model in tiny_models.values():
        native, tflite = NativeExpert(model.int8), TFLiteExpert(model.int8)
        for features in random_features(native, 10):
            np.testing.assert_array_equal(native.logits(features), tflite.logits(features))
            slanted = np.asfortranarray(features)
            np.testing.assert_array_equal(native.logits(slanted), tflite.logits(features))


def test_features_that_do_not_fill_the_model_are_refused_by_name(expert):
    (features,) = random_features(expert, 1)
    for wrong in (features[:, :-1], features.T, features[:-1]):
        with pytest.raises(BundleError, match="male.tflite takes .* feature settings"):
            expert.logits(wrong)


def test_a_model_of_other_labels_is_refused_by_name():
    from tests.edge.tflite_files import Quantized, TFLiteFile

    file = TFLiteFile()
    given_, asked = (file.tensor((1, 7), Quantized(0.5)) for _ in range(2))
    file.operator("RELU", [given_], asked)
    with pytest.raises(BundleError, match=r"six\.tflite gives \(1, 7\) logits instead of 8"):
        NativeExpert(file.content(given_, asked), "six.tflite").prepare()


def test_a_model_with_float_ends_is_refused(tiny_models):
    expert = NativeExpert(tiny_models["female"].float_ends, "female.tflite")
    with pytest.raises(BundleError, match=r"female\.tflite .* float32; .*full integer"):
        expert.prepare()


def test_an_expert_is_made_for_the_runtime_that_is_asked_for():
    assert isinstance(make_expert(b"", "a"), NativeExpert)
    assert isinstance(make_expert(b"", "a", "tflite", 2), TFLiteExpert)
    with pytest.raises(SettingsError, match=r"runtime must be one of .*, got 'xnnpack'"):
        make_expert(b"", "a", "xnnpack")


scales = st.floats(2**-20, 2**20, width=32)
reals = st.floats(-(2.0**100), 2.0**100, width=32)


@given(st.lists(st.tuples(reals, scales, st.integers(-128, 127)), min_size=1, max_size=40))
def test_the_kernel_quantises_as_numpy_does(cases):
    for value, scale, zero_point in cases:
        values = np.array([value, scale / 2, -scale / 2, scale * 1.5, 0], np.float32)
        out = np.empty(5, np.int8)
        int8.quantise(values, scale, zero_point, out)
        with np.errstate(over="ignore"):
            wanted = quantise(values, scale, zero_point)
        np.testing.assert_array_equal(out, wanted)


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 9), st.integers(0, 9)),
                min_size=1, max_size=12))  # fmt: skip
def test_tensors_that_live_at_one_time_never_share_a_place(spans):
    needs = {
        number: Need(size, min(ends), max(ends)) for number, (size, *ends) in enumerate(spans)
    }
    places, total = plan_arena(needs)
    for one, need in needs.items():
        assert 0 <= places[one] <= total - need.size and places[one] % 64 == 0
        for other in needs:
            apart = (
                one == other
                or need.last < needs[other].first
                or needs[other].last < need.first
                or places[one] + need.size <= places[other]
                or places[other] + needs[other].size <= places[one]
            )
            assert apart


def test_the_shipped_experts_work_in_less_than_a_hundred_kilobytes(shipped):
    for model in shipped.values():
        assert Network(model).buffer_bytes < 100_000


def converted(build) -> bytes:
    """A random Keras network of that body, in int8: (1, 24, 16, 1) to (1, 8)."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("tf_keras")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        import tf_keras

        tf_keras.utils.set_random_seed(4)
        given_ = tf_keras.layers.Input((24, 16, 1), batch_size=1)
        network = tf_keras.Model(given_, build(tf_keras.layers, given_))

        def representative_dataset():
            rng = np.random.default_rng(5)
            for _ in range(6):
                yield [rng.normal(size=(1, 24, 16, 1)).astype(np.float32)]

        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative_dataset
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        return converter.convert()


def plain(layers, x):
    x = layers.Conv2D(12, 5, strides=2, padding="same", activation="relu")(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(20, 3, activation="relu6")(x)
    return layers.Dense(8)(layers.Flatten()(x))


def separable(layers, x):
    x = layers.Conv2D(8, 3, strides=(2, 1), padding="same")(x)
    for dilation in (1, 2, 4):
        y = layers.DepthwiseConv2D(3, padding="same", dilation_rate=dilation, activation="relu")(x)
        x = layers.Add()([x, layers.Conv2D(8, 1)(y)])
    x = layers.SeparableConv2D(16, 3, strides=2, depth_multiplier=2, activation="relu")(x)
    return layers.Dense(8)(layers.GlobalAveragePooling2D()(x))


def squeezed(layers, x):
    x = layers.Conv2D(16, 3, padding="same", dilation_rate=(3, 1), activation="relu")(x)
    for keep in (True, False):
        squeeze = layers.GlobalAveragePooling2D(keepdims=keep)(x)
        if not keep:
            squeeze = layers.Reshape((1, 1, 16))(squeeze)
        squeeze = layers.Conv2D(4, 1, activation="relu")(squeeze)
        x = layers.Multiply()([x, layers.Conv2D(16, 1, activation="sigmoid")(squeeze)])
    x = layers.Permute((2, 1, 3))(layers.MaxPooling2D((3, 2), padding="same")(x))
    pooled = [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    return layers.Dense(8)(layers.ReLU()(layers.Concatenate()(pooled)))


def in_one_dimension(layers, x):
    x = layers.Reshape((24, 16))(x)
    x = layers.Conv1D(12, 5, padding="same", activation="relu")(x)
    x = layers.Conv1D(12, 5, padding="causal", dilation_rate=2, activation="relu")(x)
    x = layers.ZeroPadding1D((2, 1))(layers.MaxPooling1D(2)(x))
    return layers.Dense(8)(layers.GlobalAveragePooling1D()(x))


@pytest.mark.parametrize("build", [plain, separable, squeezed, in_one_dimension])
def test_what_the_converter_makes_of_a_network_runs_as_in_tflite(build):
    model = converted(build)
    expected = tflite_runtime(model)
    rng = np.random.default_rng(6)
    for instructions in int8.instruction_sets():
        network = Network(model, build.__name__, instructions)
        for _ in range(20):
            values = rng.integers(-128, 128, network.input.shape).astype(np.int8)
            np.testing.assert_array_equal(network.run(values), expected(values))
