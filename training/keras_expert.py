"""A float Keras model behind the interface of `edge.emotion.Expert`."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.tensorflow_setup import tf


class KerasExpert:
    """Scores one window at a time, in float32."""

    def __init__(self, model: Any) -> None:
        signature = [tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)]
        self._run = tf.function(
            lambda window: model(window, training=False), signature, autograph=False
        )

    def logits(self, features: np.ndarray) -> np.ndarray:
        """features: (frames, n_mfcc) float32; returns (8,) float32."""
        return self._run(features[None, ..., None]).numpy()[0]
