"""One emotion expert on one window: int8 in TFLite, beside the same network in float32.

The float networks have random weights, since a checkout has no training run; the time of a
convolution does not depend on its weights. That it is the same network is checked.
"""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

from benchmarks.comparison import distance
from benchmarks.sound import voice
from edge.emotion import TFLiteExpert, dequantise, find_runtime, quantise
from edge.features import LogMel, emotion_features, relative_db

GROUP = "One emotion expert on one window of 3 s"
RANDOM = "random weights, on which the time does not depend"


@pytest.fixture(scope="module")
def features(bundle):
    """(188, n) float32."""
    return emotion_features(relative_db(LogMel()(voice(16000))), bundle.emotion_features)


@pytest.fixture(scope="module")
def model(bundle) -> bytes:
    """The female expert's file."""
    return (bundle.folder / bundle.manifest["experts"]["female"]["file"]).read_bytes()


class Interpreter:
    """A TFLite model in one thread, with its own numbers in and out."""

    def __init__(self, model: bytes, kind=None, **options) -> None:
        kind = kind or find_runtime().interpreter
        self._interpreter = kind(model_content=model, num_threads=1, **options)
        self._interpreter.allocate_tensors()
        (self.input,) = self._interpreter.get_input_details()
        (self.output,) = self._interpreter.get_output_details()

    def __call__(self, values: np.ndarray) -> np.ndarray:
        self._interpreter.set_tensor(self.input["index"], values)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self.output["index"]).reshape(-1)

    def kernels(self) -> str:
        """Whose kernels run."""
        operations = {each["op_name"] for each in self._interpreter._get_ops_details()}
        return "XNNPACK's kernels" if "DELEGATE" in operations else "TFLite's own kernels"

    def weight_shapes(self) -> list[tuple[int, ...]]:
        """Of every tensor of weights, which are those quantised by channel."""
        return sorted(
            tuple(int(n) for n in tensor["shape"])
            for tensor in self._interpreter.get_tensor_details()
            if tensor["dtype"] is np.int8
            if len(tensor["quantization_parameters"]["scales"]) > 1
        )


@pytest.fixture(scope="module")
def network(bundle, features, model):
    """The architecture of training, untrained, if the bundle's expert is of that architecture."""
    pytest.importorskip("tensorflow")
    from quantize.convert import to_int8
    from quantize.folding import folded
    from training.network import build_network
    from training.settings import NetworkSettings
    from training.tensorflow_setup import seed_everything, tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    seed_everything(0)
    network = folded(build_network(NetworkSettings(), *features.shape))
    # The file of the expert holds weights that are quantised by channel: their shapes tell.
    same = Interpreter(to_int8(network, features[None, ..., None])).weight_shapes()
    if Interpreter(model).weight_shapes() != same:
        pytest.skip("the bundle's experts are of another architecture than training.network's")
    return network


def bench_edge(compare, features, model):
    # An interpreter of its own, without the optimised kernels and without the delegate.
    resolvers = sys.modules[find_runtime().interpreter.__module__].OpResolverType
    reference = Interpreter(model, experimental_op_resolver_type=resolvers.BUILTIN_REF)
    scale, _ = reference.output["quantization"]
    quantised = quantise(features, *reference.input["quantization"])
    wanted = dequantise(
        reference(quantised.reshape(reference.input["shape"])), *reference.output["quantization"]
    )

    def check(logits: np.ndarray) -> str:
        assert logits.shape == (8,)
        assert np.ptp(logits) > 0, "the same logit for every emotion"
        steps = np.abs(logits - wanted).max() / scale
        assert steps < 2.5, f"{steps:.1f} steps of int8 from TFLite's reference kernels"
        return f"{steps:.0f} steps of int8 from TFLite's reference kernels; {len(model)} bytes"

    expert = TFLiteExpert(model, num_threads=1)
    entry = f"edge, int8 by {find_runtime().distribution}"
    compare(
        GROUP, entry, lambda: expert.logits(features), check, baseline=True,
        note="with float32 features in and float32 logits out",
    )


@pytest.fixture(params=("tflite-runtime", "ai-edge-litert"))
def runtime(request):
    """A runtime's name and its `Interpreter`."""
    module = request.param.replace("-", "_") + ".interpreter"
    try:
        return request.param, importlib.import_module(module).Interpreter
    except ImportError as error:
        pytest.skip(f"{request.param}: {error}")


def bench_int8(compare, features, model, runtime):
    name, kind = runtime
    interpreter = Interpreter(model, kind)
    values = quantise(features, *interpreter.input["quantization"])
    values = values.reshape(interpreter.input["shape"])
    scale, zero_point = interpreter.output["quantization"]
    wanted = TFLiteExpert(model).logits(features)

    def check(output: np.ndarray) -> str:
        assert len(set(output.tolist())) > 1, "the same logit for every emotion"
        steps = np.abs(dequantise(output, scale, zero_point) - wanted).max() / scale
        assert steps < 2.5, f"{steps:.1f} steps of int8 from edge's logits"
        return f"{steps:.0f} steps of int8 from edge's logits; {interpreter.kernels()}"

    compare(
        GROUP, f"int8, {name} alone", lambda: interpreter(values), check,
        note="features quantised beforehand",
    )


@pytest.fixture(scope="module")
def float_logits(network, features):
    """Of the random network, by Keras: (8,)."""
    return network(features[None, ..., None], training=False).numpy()[0]


def near(wanted: np.ndarray, more: str = ""):

    def check(output: np.ndarray) -> str:
        assert output.shape == (8,)
        assert np.ptp(output) > 0, "the same logit for every emotion"
        difference = np.abs(output - wanted).max() / np.abs(wanted).max()
        finding = distance(difference, "Keras, relative")
        assert difference < 1e-3, finding
        return finding + more

    return check


def bench_float_tflite(compare, network, features, float_logits, runtime):
    from quantize.convert import to_float

    name, kind = runtime
    model = to_float(network)
    interpreter = Interpreter(model, kind)
    values = features.reshape(interpreter.input["shape"])
    compare(
        GROUP, f"float32, {name} alone", lambda: interpreter(values),
        near(float_logits, f"; {interpreter.kernels()}; {len(model)} bytes"), note=RANDOM,
    )


def bench_float_keras(compare, network, features, float_logits):
    from training.keras_expert import KerasExpert

    expert = KerasExpert(network)
    compare(
        GROUP, "float32, Keras", lambda: expert.logits(features), near(float_logits),
        note=f"as a compiled graph of TensorFlow; {RANDOM}",
    )
