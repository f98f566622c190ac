"""The emotion experts: a feature matrix in, one logit for each emotion out."""

from __future__ import annotations

import importlib
import platform
import sys
import threading
from dataclasses import dataclass
from typing import Any, Callable, Protocol

import numpy as np
from numpy.typing import NDArray

from edge._kernels import int8
from edge.errors import BundleError, RuntimeMissingError, SettingsError
from edge.labels import LABELS
from edge.network import Network

RUNTIMES = ("native", "tflite")
"""What runs an expert: the package's own kernels, or an interpreter of TFLite models."""


class Expert(Protocol):
    """Anything that scores the emotions of one window."""

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """features: (188, n) float32; returns (8,) float32 in the order of `edge.LABELS`."""
        ...


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities from logits: (n,) -> (n,) float64, positive, summing to 1.

    temperature: above 1 flattens the distribution, below 1 sharpens it (Guo et al. 2017,
        "On Calibration of Modern Neural Networks", section 4.2).

    >>> softmax(np.log([1.0, 3.0])).round(6).tolist()
    [0.25, 0.75]
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max())
    return np.asarray(exponentials / exponentials.sum(), dtype=np.float64)


def quantise(values: NDArray[np.float32], scale: float, zero_point: int) -> NDArray[np.int8]:
    """Reals to int8, of any shape: round(values / scale) + zero_point, saturated at -128 and 127.

    Divides in float32 and rounds halves away from zero, as TFLite's reference QUANTIZE kernel.

    >>> quantise(np.array([-1.0, 0.25, 99.0]), scale=0.5, zero_point=3).tolist()
    [1, 4, 127]
    """
    steps = np.asarray(values, dtype=np.float32) / np.float32(scale)
    # In float64 adding a half is exact, so that 0.49999997 does not become 1.
    rounded = np.copysign(np.floor(np.abs(steps, dtype=np.float64) + 0.5), steps)
    return np.clip(rounded + zero_point, -128, 127).astype(np.int8)


def dequantise(values: NDArray[np.int8], scale: float, zero_point: int) -> NDArray[np.float32]:
    """int8 to reals, of any shape: (values - zero_point) * scale, float32.

    >>> dequantise(np.array([1, 4, 127], np.int8), scale=0.5, zero_point=3).tolist()
    [-1.0, 0.5, 62.0]
    """
    steps = values.astype(np.int32) - zero_point
    return np.asarray(steps * np.float64(scale), dtype=np.float32)


@dataclass(frozen=True)
class Runtime:
    """One package that can run a TFLite model."""

    distribution: str
    """The name to give to pip."""
    version: str
    interpreter: Callable[..., Any]
    """The `Interpreter` class."""


def _load_tflite_runtime() -> Runtime:
    if int(np.__version__.split(".")[0]) >= 2:
        # Importing it would print numpy's page-long warning before it fails.
        raise ImportError(f"tflite-runtime needs numpy below 2, found {np.__version__}")
    module = importlib.import_module("tflite_runtime.interpreter")
    version = getattr(importlib.import_module("tflite_runtime"), "__version__", "unknown")
    return Runtime("tflite-runtime", str(version), module.Interpreter)


def _load_litert() -> Runtime:
    from importlib.metadata import version

    module = importlib.import_module("ai_edge_litert.interpreter")
    return Runtime("ai-edge-litert", version("ai-edge-litert"), module.Interpreter)


def _load_tensorflow() -> Runtime:
    module = importlib.import_module("tensorflow")
    return Runtime("tensorflow", str(module.__version__), module.lite.Interpreter)


_LOADERS: dict[str, Callable[[], Runtime]] = {
    "tflite_runtime": _load_tflite_runtime,
    "ai_edge_litert": _load_litert,
    "tensorflow": _load_tensorflow,
}


def find_runtime() -> Runtime:
    """The first TFLite interpreter that works: tflite-runtime, then LiteRT, then TensorFlow.

    Raises RuntimeMissingError, which says what to install for this Python and platform, and why
    each candidate that is installed could not be used.
    """
    failures = []
    for package, load in _LOADERS.items():
        try:
            return load()
        except ModuleNotFoundError as error:
            if error.name != package:
                failures.append(f"{package}: {error}")
        except Exception as error:  # noqa: BLE001 - a broken native module can raise anything
            failures.append(f"{package}: {error}")
    reasons = f" (installed but unusable: {'; '.join(failures)})" if failures else ""
    raise RuntimeMissingError(f"no TFLite interpreter was found{reasons}; {_remedy()}")


def _remedy() -> str:
    python = sys.version_info[:2]
    system, machine = platform.system(), platform.machine().lower()
    here = f"for Python {python[0]}.{python[1]} on {system} {machine}"
    numpy_1 = int(np.__version__.split(".")[0]) < 2
    if system == "Linux" and python <= (3, 11) and numpy_1:
        return f"{here} run: pip install tflite-runtime"
    if system == "Darwin" and machine != "arm64":
        return f"{here} run: pip install tensorflow"
    if system == "Windows" and python < (3, 10):
        return f"{here} run: pip install tensorflow"
    if system in ("Linux", "Darwin", "Windows"):
        return f"{here} run: pip install ai-edge-litert"
    return f"{here} install whichever of tflite-runtime, ai-edge-litert or tensorflow exists"


def make_expert(
    model: bytes, name: str = "the model", runtime: str = "native", num_threads: int = 1
) -> NativeExpert | TFLiteExpert:
    """The expert of a TFLite file, run by one of `RUNTIMES`; raises SettingsError.

    num_threads: of an interpreter; the package's own kernels use one.
    """
    if runtime not in RUNTIMES:
        raise SettingsError(f"runtime must be one of {RUNTIMES}, got {runtime!r}")
    if runtime == "tflite":
        return TFLiteExpert(model, num_threads, name)
    if num_threads != 1:
        raise SettingsError(
            f"num_threads must be 1 for the native runtime, got {num_threads}; "
            "give runtime='tflite' for an interpreter with more"
        )
    return NativeExpert(model, name)


class NativeExpert:
    """An expert stored as a fully int8 TFLite model, run by the package's own kernels.

    model: the flat buffer's bytes. Its input is int8 of 188 x n values in any arrangement of
        single axes ((1, 188, n, 1), (1, 188, n), (1, 1, 188, n)); its output 8 int8 logits.
    name: what messages call the model, such as its file name.

    The logits are those of tflite-runtime 2.14 to the last bit, on every processor. Buffers are
    made at the first use (or by `prepare`), and used again by each call. Calls from several
    threads are safe and take turns. Pickles as its arguments.
    """

    def __init__(self, model: bytes, name: str = "the model") -> None:
        self._model = model
        self._name = name
        self._lock = threading.Lock()
        self._network: Network | None = None
        self._values = np.empty(0, np.int8)

    def __reduce__(self) -> tuple[type[NativeExpert], tuple[bytes, str]]:
        return NativeExpert, (self._model, self._name)

    def __repr__(self) -> str:
        return f"NativeExpert({self._name!r}, {len(self._model)} bytes)"

    def prepare(self) -> None:
        """Makes the buffers now, so that the first call is as quick as the others.

        Raises BundleError when the model is not one that can be run here.
        """
        with self._lock:
            self._ready()

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """features: (188, n) float32; returns (8,) float32 in the order of `edge.LABELS`.

        Raises BundleError when the model is not one that can be run here, or does not take that
        many values.
        """
        flat = np.ascontiguousarray(features, dtype=np.float32).reshape(-1)
        with self._lock:
            network = self._ready()
            _check_fit(self._name, network.input.shape, features.shape)
            int8.quantise(flat, *network.input_quantization, self._values)
            outputs = network.run(self._values.reshape(network.input.shape))
        return dequantise(outputs.reshape(-1), *network.output_quantization)

    def _ready(self) -> Network:
        if self._network is None:
            network = Network(self._model, self._name)
            _check_logits(self._name, network.output.shape)
            self._values = np.empty(network.input.size, np.int8)
            self._network = network
        return self._network


def _check_fit(name: str, shape: tuple[int, ...], features: tuple[int, ...]) -> None:
    if [n for n in shape if n > 1] != [n for n in features if n > 1]:
        raise BundleError(
            f"{name} takes {shape}, which features of {features} do not fill; "
            "the bundle's feature settings are not those of its models"
        )


def _check_logits(name: str, shape: tuple[int, ...]) -> None:
    if np.prod(shape) != len(LABELS):
        raise BundleError(
            f"{name} gives {shape} logits instead of {len(LABELS)}; export it for the labels "
            f"{', '.join(LABELS)}"
        )


class TFLiteExpert:
    """An expert stored as a fully int8 TFLite model, run by whichever interpreter is installed.

    model: the flat buffer's bytes. Its input is int8 of 188 x n values in any arrangement of
        single axes ((1, 188, n, 1), (1, 188, n), (1, 1, 188, n)); its output 8 int8 logits.
    num_threads: threads of the interpreter.
    name: what messages call the model, such as its file name.

    The interpreter is looked for and made at the first use (or by `prepare`). Calls from several
    threads are safe and take turns. Pickles as its arguments.
    """

    def __init__(self, model: bytes, num_threads: int = 1, name: str = "the model") -> None:
        if num_threads < 1:
            raise SettingsError(f"num_threads must be at least 1, got {num_threads}")
        self._model = model
        self._num_threads = num_threads
        self._name = name
        self._lock = threading.Lock()
        self._interpreter: Any = None
        self._input: dict[str, Any] = {}
        self._output: dict[str, Any] = {}

    def __reduce__(self) -> tuple[type[TFLiteExpert], tuple[bytes, int, str]]:
        return TFLiteExpert, (self._model, self._num_threads, self._name)

    def __repr__(self) -> str:
        size = len(self._model)
        return f"TFLiteExpert({self._name!r}, {size} bytes, num_threads={self._num_threads})"

    def prepare(self) -> None:
        """Makes the interpreter now, so that the first call is as quick as the others."""
        with self._lock:
            self._make_interpreter()

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """features: (188, n) float32; returns (8,) float32 in the order of `edge.LABELS`.

        Raises BundleError when the model does not take that many values, RuntimeMissingError
        when there is no interpreter.
        """
        with self._lock:
            self._make_interpreter()
            shape = tuple(self._input["shape"])
            _check_fit(self._name, shape, features.shape)
            quantised = quantise(features, *self._input["quantization"]).reshape(shape)
            self._interpreter.set_tensor(self._input["index"], quantised)
            self._interpreter.invoke()
            outputs = self._interpreter.get_tensor(self._output["index"])
        return dequantise(outputs.reshape(-1), *self._output["quantization"])

    def _make_interpreter(self) -> None:
        if self._interpreter is not None:
            return
        runtime = find_runtime()
        try:
            interpreter = runtime.interpreter(
                model_content=self._model, num_threads=self._num_threads
            )
            interpreter.allocate_tensors()
            (self._input,) = interpreter.get_input_details()
            (self._output,) = interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:
            raise BundleError(
                f"{self._name} is not a model that {runtime.distribution} {runtime.version} "
                f"can run: {error}"
            ) from error
        self._check(self._input, "input")
        self._check(self._output, "output")
        _check_logits(self._name, tuple(self._output["shape"]))
        self._interpreter = interpreter

    def _check(self, tensor: dict[str, Any], side: str) -> None:
        scale, _ = tensor["quantization"]
        if tensor["dtype"] is not np.int8 or not scale > 0.0:
            raise BundleError(
                f"{self._name} has {np.dtype(tensor['dtype']).name} {side} instead of quantised "
                "int8; export it with full integer quantization"
            )
