"""One emotion expert on one window: edge's own int8 kernels, beside interpreters and float32.

The float networks have random weights, since a checkout has no training run; the time of a
convolution does not depend on its weights. That it is the same network is checked.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from benchmarks.comparison import distance
from benchmarks.sound import voice
from edge._kernels import int8
from edge.emotion import NativeExpert, TFLiteExpert, dequantise, quantise
from edge.errors import RuntimeMissingError
from edge.features import LogMel, emotion_features, relative_db
from edge.graph import read_graph
from edge.labels import GENDERS
from edge.network import Network

RUNTIMES = ("tflite-runtime", "ai-edge-litert")
_STAGES = {"female": "universal", "male": "second"}  # whose networks the experts come from
RANDOM = "random weights, on which the time does not depend"


@pytest.fixture(scope="module")
def features(bundle):
    """(188, n) float32."""
    return emotion_features(relative_db(LogMel()(voice(16000))), bundle.emotion_features)


@pytest.fixture(scope="module", params=GENDERS)
def gender(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def group(gender) -> str:
    return f"The {gender} expert on one window of 3 s"


@pytest.fixture(scope="module")
def model(bundle, gender) -> bytes:
    """The expert's file."""
    return (bundle.folder / bundle.manifest["experts"][gender]["file"]).read_bytes()


class Interpreter:
    """A TFLite model in one thread, with its own numbers in and out."""

    def __init__(self, model: bytes, kind, **options) -> None:
        self._interpreter = kind(model_content=model, num_threads=1, **options)
        self._interpreter.allocate_tensors()
        (self.input,) = self._interpreter.get_input_details()
        (self.output,) = self._interpreter.get_output_details()

    def __call__(self, values: np.ndarray) -> np.ndarray:
        self._interpreter.set_tensor(self.input["index"], values)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self.output["index"]).reshape(-1)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """From float32 to float32."""
        values = quantise(features, *self.input["quantization"])
        outputs = self(values.reshape(self.input["shape"]))
        return dequantise(outputs, *self.output["quantization"])

    def kernels(self) -> str:
        """Whose kernels run."""
        operations = {each["op_name"] for each in self._interpreter._get_ops_details()}
        return "XNNPACK's kernels" if "DELEGATE" in operations else "TFLite's own kernels"


def weight_shapes(model: bytes) -> list[tuple[int, ...]]:
    """Of every tensor of weights, which are those quantised by channel."""
    return sorted(
        tensor.shape for tensor in read_graph(model).tensors
        if tensor.dtype == "int8" and len(tensor.scales) > 1
    )


@pytest.fixture(scope="module")
def network(bundle, features, gender, model):
    """The architecture of training, untrained, if the bundle's expert is of that architecture."""
    pytest.importorskip("tensorflow")
    from quantize.convert import to_int8
    from quantize.folding import folded
    from training.network import build_network
    from training.settings import SHIPPED, TrainingSettings
    from training.tensorflow_setup import seed_everything, tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    seed_everything(0)
    settings = TrainingSettings().replaced(SHIPPED).network_of(_STAGES[gender])
    network = folded(build_network(settings, *features.shape))
    # The file of the expert holds weights that are quantised by channel: their shapes tell.
    if weight_shapes(model) != weight_shapes(to_int8(network, features[None, ..., None])):
        pytest.skip("the bundle's experts are of another architecture than training.network's")
    return network


@pytest.fixture(scope="module")
def reference(model):
    """The first of the interpreters that is there, and its name."""
    for name in RUNTIMES:
        try:
            return Interpreter(model, interpreter_of(name)), name
        except ImportError:
            continue
    pytest.skip(f"no interpreter to compare with: none of {', '.join(RUNTIMES)} is installed")


def interpreter_of(distribution: str):
    """The `Interpreter` of a distribution; raises ImportError."""
    return importlib.import_module(distribution.replace("-", "_") + ".interpreter").Interpreter


def steps_apart(logits: np.ndarray, wanted: np.ndarray, scale: float, of: str) -> str:
    """How far logits are from others, in steps of int8; raises AssertionError beyond two."""
    assert logits.shape == (8,)
    assert np.ptp(logits) > 0, "the same logit for every emotion"
    steps = np.abs(logits - wanted).max() / scale
    assert steps < 2.5, f"{steps:.1f} steps of int8 from {of}"
    return f"equal to {of}" if steps == 0 else f"{steps:.0f} steps of int8 from {of}"


def beside(reference, features: np.ndarray, logits: np.ndarray) -> str:
    """How far logits are from an interpreter's."""
    interpreter, name = reference
    scale, _ = interpreter.output["quantization"]
    return steps_apart(logits, interpreter.logits(features), scale, f"{name}'s logits")


def bench_edge(compare, group, features, model, reference):
    expert = NativeExpert(model)

    def check(logits: np.ndarray) -> str:
        return f"{beside(reference, features, logits)}; {len(model)} bytes"

    compare(
        group, f"edge, by {int8.instruction_sets()[0]}", lambda: expert.logits(features), check,
        baseline=True, note="with float32 features in and float32 logits out",
    )


def bench_edge_by_an_interpreter(compare, group, features, model, reference):
    expert = TFLiteExpert(model, num_threads=1)
    try:
        expert.prepare()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    compare(
        group, 'edge, runtime="tflite"', lambda: expert.logits(features),
        lambda logits: beside(reference, features, logits),
        note="with float32 features in and float32 logits out",
    )


@pytest.mark.parametrize("instructions", int8.instruction_sets())
def bench_native(compare, group, features, model, reference, instructions):
    network = Network(model, instructions=instructions)
    values = quantise(features, *network.input_quantization).reshape(network.input.shape)

    def check(output: np.ndarray) -> str:
        logits = dequantise(output.reshape(-1), *network.output_quantization)
        return beside(reference, features, logits)

    compare(
        group, f"int8, edge's kernels alone, {instructions}", lambda: network.run(values), check,
        note="features quantised beforehand",
    )


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    """A runtime's name and its `Interpreter`."""
    try:
        return request.param, interpreter_of(request.param)
    except ImportError as error:
        pytest.skip(f"{request.param}: {error}")


def bench_int8(compare, group, features, model, runtime):
    name, kind = runtime
    interpreter = Interpreter(model, kind)
    values = quantise(features, *interpreter.input["quantization"])
    values = values.reshape(interpreter.input["shape"])
    scale, zero_point = interpreter.output["quantization"]
    wanted = NativeExpert(model).logits(features)

    def check(output: np.ndarray) -> str:
        apart = steps_apart(dequantise(output, scale, zero_point), wanted, scale, "edge's logits")
        return f"{apart}; {interpreter.kernels()}"

    compare(
        group, f"int8, {name} alone", lambda: interpreter(values), check,
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


def bench_float_tflite(compare, group, network, features, float_logits, runtime):
    from quantize.convert import to_float

    name, kind = runtime
    model = to_float(network)
    interpreter = Interpreter(model, kind)
    values = features.reshape(interpreter.input["shape"])
    compare(
        group, f"float32, {name} alone", lambda: interpreter(values),
        near(float_logits, f"; {interpreter.kernels()}; {len(model)} bytes"), note=RANDOM,
    )


def bench_float_keras(compare, group, network, features, float_logits):
    from training.keras_expert import KerasExpert

    expert = KerasExpert(network)
    compare(
        group, "float32, Keras", lambda: expert.logits(features), near(float_logits),
        note=f"as a compiled graph of TensorFlow; {RANDOM}",
    )
