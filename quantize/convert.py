"""Keras to TFLite: int8 from input to output, or float for comparison."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from quantize.errors import QuantizeError
from training.tensorflow_setup import tf


def to_int8(model: Any, representative: np.ndarray) -> bytes:
    """A TFLite model with int8 input, output, weights (by channel) and activations.

    representative: (n, frames, n_mfcc, 1) float32, on which the ranges of activations are measured.
    QuantizeError when an operation has no int8 kernel.
    """
    def one_by_one() -> Iterator[list[np.ndarray]]:
        for window in representative:
            yield [window[None].astype(np.float32)]

    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = one_by_one
    # Of a model trained with fake quantization the converter would ask for the data again.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return _int8(converter)


def trained_to_int8(model: Any) -> bytes:
    """The same of a model that was trained with fake quantization: the ranges are in it."""
    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return _int8(converter)


def to_float(model: Any) -> bytes:
    """A TFLite model in float32, with the same operations in the same order."""
    return _quietly(_converter(model))


def _converter(model: Any) -> Any:
    # A batch of one and known shapes, or dilated convolutions become three operations each.
    shape = (1, *model.input_shape[1:])
    run = tf.function(lambda cepstrum: model(cepstrum, training=False), autograph=False)
    concrete = run.get_concrete_function(tf.TensorSpec(shape, tf.float32, name="cepstrum"))
    with _silence():  # it would have the model beside, which takes it twenty times as long
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete])


def _int8(converter: Any) -> bytes:
    converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        return _quietly(converter)
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise QuantizeError(f"the network has an operation without int8 kernel: {error}") from error


def _quietly(converter: Any) -> bytes:
    """Converts without what native code and Python say about it meanwhile."""
    with _silence(), contextlib.redirect_stdout(io.StringIO()), _silenced_descriptor(2):
        return bytes(converter.convert())


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


@contextlib.contextmanager
def _silenced_descriptor(descriptor: int) -> Iterator[None]:
    kept = os.dup(descriptor)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, descriptor)
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)
        os.close(nowhere)
