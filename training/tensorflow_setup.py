"""TensorFlow with Keras 2, as the model-optimization toolkit needs, without start-up chatter."""

from __future__ import annotations

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf  # the environment has to be set first

keras = tf.keras

# Each dropout layer draws from a generator of its own, whose state can be set.
keras.backend.experimental.enable_tf_random_generator()


def seed_everything(seed: int) -> None:
    """The same seed gives the same weights on the same machine."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def compute_in_bfloat16(wanted: bool) -> None:
    """Whether convolutions run in bfloat16 where the processor can; sums stay float32."""
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": wanted})


def reseed_dropout(model: keras.Model, seed: int) -> None:
    """Puts every dropout layer where this seed begins, whatever was drawn before."""
    for number, layer in enumerate(model.layers):
        generator = getattr(layer, "_random_generator", None)
        if generator is not None:
            generator._maybe_init()
            generator._generator.reset_from_seed(1000 * seed + number)
