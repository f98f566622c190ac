from __future__ import annotations

import pickle
import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import edge.emotion
from edge.emotion import TFLiteExpert, dequantise, find_runtime, quantise, softmax
from edge.errors import BundleError, RuntimeMissingError, SettingsError

logit_vectors = arrays(np.float32, 8, elements=st.floats(-50, 50, width=32))


@given(logit_vectors, st.floats(0.1, 10))
def test_softmax_equals_scipys(logits, temperature):
    scipy_special = pytest.importorskip("scipy.special")
    expected = scipy_special.softmax(logits.astype(np.float64) / temperature)
    np.testing.assert_allclose(softmax(logits, temperature), expected, rtol=1e-12, atol=1e-300)


def test_softmax_of_huge_logits_does_not_overflow():
    probabilities = softmax(np.array([3e38, -3e38, 0, 0, 0, 0, 0, 0], np.float32))
    assert probabilities[0] == 1.0 and probabilities.sum() == 1.0


@given(
    st.floats(-200, 200, width=32),
    st.floats(2**-10, 4, width=32),
    st.integers(-128, 127),
)
def test_quantise_rounds_halves_away_from_zero_and_saturates(value, scale, zero_point):
    steps = Fraction(float(np.float32(value) / np.float32(scale)))
    magnitude = int(abs(steps) + Fraction(1, 2))  # truncates
    rounded = magnitude if steps >= 0 else -magnitude
    expected = max(-128, min(127, rounded + zero_point))
    assert quantise(np.array([value], np.float32), scale, zero_point)[0] == expected


@given(arrays(np.int8, 8), st.floats(2**-10, 4, width=32), st.integers(-128, 127))
def test_what_dequantise_gives_quantise_takes_back(values, scale, zero_point):
    reals = dequantise(values, scale, zero_point)
    assert reals.dtype == np.float32
    np.testing.assert_array_equal(quantise(reals, scale, zero_point), values)


def test_quantise_equals_the_interpreters(tiny_models):
    tensorflow = pytest.importorskip("tensorflow")
    interpreter = tensorflow.lite.Interpreter(
        model_content=tiny_models["female"].float_ends,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=tensorflow.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    (given_input,) = interpreter.get_input_details()
    features = np.random.default_rng(5).normal(size=given_input["shape"]).astype(np.float32) * 2
    interpreter.set_tensor(given_input["index"], features)
    interpreter.invoke()
    quantised = next(
        tensor
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] is np.int8 and tuple(tensor["shape"]) == features.shape
    )
    np.testing.assert_array_equal(
        quantise(features, *quantised["quantization"]),
        interpreter.get_tensor(quantised["index"]),
    )


def test_logits_equal_those_that_the_interpreter_quantises_itself(tiny_models):
    rng = np.random.default_rng(6)
    for model in tiny_models.values():
        interpreter = find_runtime().interpreter(model_content=model.float_ends)
        interpreter.allocate_tensors()
        (given_input,) = interpreter.get_input_details()
        (output,) = interpreter.get_output_details()
        expert = TFLiteExpert(model.int8)
        for _ in range(5):
            features = rng.normal(size=given_input["shape"][1:3]).astype(np.float32)
            interpreter.set_tensor(given_input["index"], features.reshape(given_input["shape"]))
            interpreter.invoke()
            expected = interpreter.get_tensor(output["index"])[0]
            np.testing.assert_allclose(expert.logits(features), expected, rtol=1e-6)


def test_logits_are_the_same_from_many_threads(tiny_models):
    expert = TFLiteExpert(tiny_models["female"].int8)
    inputs = _features(tiny_models, 16)
    expected = [TFLiteExpert(tiny_models["female"].int8).logits(one) for one in inputs]
    answers: dict[int, np.ndarray] = {}

    def ask(first: int) -> None:
        for index in range(first, len(inputs), 4):
            answers[index] = expert.logits(inputs[index])

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, logits in enumerate(expected):
        np.testing.assert_array_equal(answers[index], logits)


def test_a_pickled_expert_gives_the_same_logits(tiny_models):
    expert = TFLiteExpert(tiny_models["male"].int8)
    (features,) = _features(tiny_models, 1)
    again = pickle.loads(pickle.dumps(expert))
    np.testing.assert_array_equal(again.logits(features), expert.logits(features))


def test_features_that_do_not_fill_the_model_are_refused_by_name(tiny_models):
    expert = TFLiteExpert(tiny_models["male"].int8, name="male.tflite")
    (features,) = _features(tiny_models, 1)
    for wrong in (features[:, :-1], features.T, features[:-1]):
        with pytest.raises(BundleError, match="male.tflite takes .* feature settings"):
            expert.logits(wrong)


def test_a_model_that_is_none_is_refused_by_name():
    try:
        find_runtime()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    expert = TFLiteExpert(b"\x00\x00\x00\x00TFL3 and then nothing", name="male.tflite")
    with pytest.raises(BundleError, match="male.tflite is not a model that"):
        expert.logits(np.zeros((188, 40), np.float32))


def test_a_model_with_float_ends_is_refused(tiny_models):
    expert = TFLiteExpert(tiny_models["female"].float_ends, name="female.tflite")
    with pytest.raises(BundleError, match="female.tflite has float32 input .* full integer"):
        expert.prepare()


def test_threads_below_one_are_refused():
    with pytest.raises(SettingsError, match="num_threads"):
        TFLiteExpert(b"", num_threads=0)


def test_interpreters_are_tried_in_order_until_one_works(monkeypatch):
    tried = _without_interpreters(monkeypatch)
    monkeypatch.setattr(edge.emotion.np, "__version__", "1.26.4")
    stand_in = type("Module", (), {"Interpreter": object})
    monkeypatch.setitem(
        edge.emotion._LOADERS, "ai_edge_litert", lambda: tried.append("litert") or stand_in
    )
    assert find_runtime() is stand_in
    assert tried == ["tflite_runtime.interpreter", "litert"]


@pytest.mark.parametrize(
    ("system", "machine", "python", "numpy_version", "remedy"),
    [
        ("Linux", "x86_64", (3, 11), "1.26.4", "on Linux x86_64 run: pip install tflite-runtime"),
        ("Linux", "aarch64", (3, 12), "1.26.4", "pip install ai-edge-litert"),
        ("Linux", "x86_64", (3, 11), "2.1.0", "pip install ai-edge-litert"),
        ("Darwin", "arm64", (3, 11), "1.26.4", "on Darwin arm64 run: pip install ai-edge-litert"),
        ("Darwin", "x86_64", (3, 11), "1.26.4", "pip install tensorflow"),
        ("Windows", "AMD64", (3, 11), "1.26.4", "pip install ai-edge-litert"),
        ("Windows", "AMD64", (3, 9), "1.26.4", "pip install tensorflow"),
        ("Plan9", "mips", (3, 11), "1.26.4", "whichever of"),
    ],
)
def test_without_interpreter_the_error_names_what_to_install_here(
    monkeypatch, system, machine, python, numpy_version, remedy
):
    _without_interpreters(monkeypatch)
    monkeypatch.setattr(edge.emotion.platform, "system", lambda: system)
    monkeypatch.setattr(edge.emotion.platform, "machine", lambda: machine)
    monkeypatch.setattr(edge.emotion.sys, "version_info", (*python, 1, "final", 0))
    monkeypatch.setattr(edge.emotion.np, "__version__", numpy_version)
    with pytest.raises(RuntimeMissingError, match="no TFLite interpreter") as caught:
        find_runtime()
    assert remedy in str(caught.value)


def test_an_interpreter_that_is_installed_but_broken_is_named_with_its_failure(monkeypatch):
    _without_interpreters(monkeypatch)

    def break_down():
        raise OSError("libstdc++.so.6: version GLIBCXX_9 not found")

    monkeypatch.setitem(edge.emotion._LOADERS, "tflite_runtime", break_down)
    with pytest.raises(RuntimeMissingError, match="tflite_runtime: libstdc.*GLIBCXX_9"):
        find_runtime()


def test_tflite_runtime_is_not_tried_under_numpy_2(monkeypatch):
    tried = _without_interpreters(monkeypatch)
    monkeypatch.setattr(edge.emotion.np, "__version__", "2.0.1")
    with pytest.raises(RuntimeMissingError, match="tflite-runtime needs numpy below 2"):
        find_runtime()
    assert tried == ["ai_edge_litert.interpreter", "tensorflow"]


def _without_interpreters(monkeypatch) -> list[str]:
    """Makes every interpreter look not installed; returns the list of those then tried."""
    tried: list[str] = []

    def refuse(name: str):
        tried.append(name)
        raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])

    monkeypatch.setattr(edge.emotion, "importlib", type("Blocked", (), {"import_module": refuse}))
    return tried


def _features(tiny_models, count: int) -> list[np.ndarray]:
    interpreter = find_runtime().interpreter(model_content=tiny_models["female"].int8)
    shape = interpreter.get_input_details()[0]["shape"][1:3]
    return list(np.random.default_rng(7).normal(size=(count, *shape)).astype(np.float32))
