"""tensorflow-model-optimization, imported so that it and the models share one Keras.

It looks for a class inside the package `keras`, and the mere import of that package makes it the
owner of every layer's registered name: layers restored from their settings would then be of another
Keras than TensorFlow's, and be refused.
"""

from __future__ import annotations

import sys

from training.tensorflow_setup import keras

_hides_keras = keras.layers.Layer.__module__.startswith("tf_keras") and "keras" not in sys.modules
if _hides_keras:
    sys.modules["keras"] = None  # type: ignore[assignment]  # an import of it fails
try:
    import tensorflow_model_optimization
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve.default_8bit_prune_preserve_quantize_scheme import (  # noqa: E501
        Default8BitPrunePreserveQuantizeScheme as PrunePreserveScheme,
    )
finally:
    if _hides_keras:
        del sys.modules["keras"]

__all__ = ["PrunePreserveScheme", "clustering", "quantization", "sparsity", "version"]

clustering = tensorflow_model_optimization.clustering.keras
quantization = tensorflow_model_optimization.quantization.keras
sparsity = tensorflow_model_optimization.sparsity.keras
version: str = tensorflow_model_optimization.__version__
