"""Writes small TFLite files with TensorFlow's own schema, and runs them by tflite-runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

INT32 = 2
INT8 = 9


class Quantized:
    """Scale(s) and zero point of a tensor."""

    def __init__(self, scales: Any, zero_point: int = 0, dimension: int = 0) -> None:
        self.scales = np.atleast_1d(np.asarray(scales, np.float32))
        self.zero_point = zero_point
        self.dimension = dimension


class TFLiteFile:
    """A graph that is put together operator by operator."""

    def __init__(self) -> None:
        self.schema = pytest.importorskip("tensorflow.lite.python.schema_py_generated")
        self.model = self.schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes = []
        self.model.buffers = [self.schema.BufferT()]
        self.graph = self.schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(
        self, shape: tuple[int, ...], quantized: Quantized | None = None, values: Any = None,
        kind: int = INT8,
    ) -> int:  # fmt: skip
        """Adds a tensor and returns its index; a constant, when there are values."""
        tensor = self.schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(shape), kind, 0
        tensor.name = f"tensor_{len(self.graph.tensors)}".encode()
        if quantized is not None:
            tensor.quantization = self.schema.QuantizationParametersT()
            tensor.quantization.scale = quantized.scales
            tensor.quantization.zeroPoint = np.full(len(quantized.scales), quantized.zero_point)
            tensor.quantization.quantizedDimension = quantized.dimension
        if values is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def integers(self, values: Any) -> int:
        """Adds a constant of int32."""
        values = np.asarray(values, np.int32)
        return self.tensor(values.shape, None, values, INT32)

    def operator(
        self, kind: str, inputs: list[int], output: int, options: str = "", version: int = 1,
        **fields: Any,
    ) -> None:  # fmt: skip
        """Adds an operator. options: such as Conv2DOptions, with its fields."""
        code = self.schema.OperatorCodeT()
        code.builtinCode = getattr(self.schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        self.model.operatorCodes.append(code)
        operator = self.schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, [output]
        if options:
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(self.schema, options + "T")()
            for field, value in fields.items():
                assert hasattr(operator.builtinOptions, field), field
                setattr(operator.builtinOptions, field, value)
        self.graph.operators.append(operator)

    def content(self, given: int, asked: int) -> bytes:
        """The file, with its input and its output."""
        flatbuffers = pytest.importorskip("flatbuffers")
        self.graph.inputs, self.graph.outputs = [given], [asked]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def tflite_runtime(content: bytes):
    """A function from the values of the input to those of the output."""
    interpreters = pytest.importorskip("tflite_runtime.interpreter", exc_type=ImportError)
    interpreter = interpreters.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (given,), (asked,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(values: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(given["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(asked["index"])

    return run
