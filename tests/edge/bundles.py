"""Makes tiny bundles: random models in the release's formats, for tests of everything but skill."""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.bundle import write_manifest
from edge.features import EmotionFeatures, FrontEnd, emotion_features
from edge.labels import GENDERS
from edge.prosody import FORMAT, FORMAT_WITH_SURROUNDINGS, FORMAT_WITH_USUAL, MOVING, SIZE

PLACEHOLDER_MODEL = b"\x00\x00\x00\x00TFL3" + bytes(range(256))
"""Passes for a TFLite model until an interpreter looks at it."""


@dataclass(frozen=True)
class TinyModel:
    """One random network, exported twice."""

    int8: bytes
    """int8 in and out, as a bundle holds it."""
    float_ends: bytes
    """The same int8 network, with the interpreter's own quantise and dequantise at its ends."""


def feature_shape() -> tuple[int, int]:
    """(frames, n) of the features that the default settings give."""
    silence = np.zeros((FrontEnd().window_frames, FrontEnd().mel_bands), np.float32)
    return emotion_features(silence, EmotionFeatures()).shape


def make_tiny_model(seed: int, features: int) -> TinyModel:
    """Trains nothing: a random convolution and a dense layer over (188, features)."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's, about itself
        import tensorflow as tf
        import tf_keras

        tf_keras.utils.set_random_seed(seed)
        network = tf_keras.Sequential(
            [
                tf_keras.layers.Input((188, features, 1), batch_size=1),
                tf_keras.layers.Conv2D(4, 5, strides=4, activation="relu"),
                tf_keras.layers.Flatten(),
                tf_keras.layers.Dense(8),
            ]
        )

        def representative_dataset():
            rng = np.random.default_rng(seed)
            for _ in range(8):
                yield [rng.normal(size=(1, 188, features, 1)).astype(np.float32)]

        def export(ends):
            converter = tf.lite.TFLiteConverter.from_keras_model(network)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = representative_dataset
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = ends
            return converter.convert()

        return TinyModel(export(tf.int8), export(tf.float32))


def random_gate() -> bytes:
    """A `gender.npz` of random layers and mixtures."""
    rng = np.random.default_rng(11)
    bands, projected, hidden, n, components = 128, 6, 8, 3, 2
    context = (-2, 0, 2)
    arrays = {
        "format": 1,
        "band_hz": np.linspace(23.0, 7800.0, bands),
        "loudness_bands": (1, 120),
        "pitch_hz": (65.0, 470.0),
        "context": context,
        "floor_db": -60.0,
        "range_db": 25.0,
        "steps_per_octave": 24,
        "highest_harmonic_hz": 1000.0,
        "harmonicity": 0.1,
        "ratio_limit": 10.0,
        "calibration_slope": 0.5,
        "calibration_bias": 0.0,
        "calibration_saturation": 10.0,
        "projection_weights": rng.normal(size=(bands, projected)) / 10,
        "projection_biases": np.zeros(projected),
        "hidden_weights": rng.normal(size=(projected * len(context), hidden)),
        "hidden_biases": np.zeros(hidden),
        "bottleneck_weights": rng.normal(size=(hidden, n)),
        "bottleneck_biases": np.zeros(n),
        "discriminant_weights": np.eye(n),
        "discriminant_biases": np.zeros(n),
    }
    for gender in GENDERS:
        arrays[f"{gender}_weights"] = np.full(components, 1 / components)
        arrays[f"{gender}_means"] = rng.normal(size=(components, n))
        arrays[f"{gender}_precisions_cholesky"] = np.ones((components, n))
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    return archive.getvalue()


def prosody_arrays(weight: float = 0.5, temperature: float = 1.0) -> dict[str, np.ndarray]:
    """The content of a `prosody.npz`: random discriminants of ten classes."""
    rng = np.random.default_rng(0)
    return {
        "format": np.array(FORMAT),
        "spread": np.ones(MOVING + 1),
        "centre": np.zeros(SIZE),
        "scale": np.ones(SIZE),
        "weights": rng.normal(0, 0.02, (SIZE, 10)),
        "offsets": rng.normal(size=10),
        "emotions": np.array([*range(8), 0, 3]),
        "weight": np.array(weight),
        "temperature": np.array(temperature),
    }


def learning_prosody_arrays(weight: float = 0.5, temperature: float = 1.0) -> dict[str, np.ndarray]:
    """The same of eight classes, and of somebody who was heard before."""
    arrays, rng = prosody_arrays(weight, temperature), np.random.default_rng(1)
    return {
        **arrays,
        "format": np.array(FORMAT_WITH_USUAL),
        "weights": arrays["weights"][:, :8],
        "offsets": arrays["offsets"][:8],
        "emotions": np.arange(8)[::-1],
        "usual_weights": rng.normal(0, 0.02, (SIZE, 8)),
        "usual_offsets": rng.normal(size=8),
        "usual_places": rng.normal(size=(8, 8)),
    }


def wary_prosody_arrays(
    near: float = 1.0, far: float = 2.0, weight: float = 0.5, temperature: float = 1.0
) -> dict[str, np.ndarray]:
    """The same, which learnt from two corpora, about statistics of 0 and of 1."""
    return {
        **learning_prosody_arrays(weight, temperature),
        "format": np.array(FORMAT_WITH_SURROUNDINGS),
        "surroundings_middles": np.stack([np.zeros(SIZE), np.ones(SIZE)]),
        "surroundings_scale": np.full(SIZE, 1.0 / np.sqrt(SIZE)),
        "surroundings_axes": np.full((SIZE, 1), np.sqrt(0.75 / SIZE)),
        "surroundings_edges": np.array([near, far]),
    }


def manifest() -> dict[str, object]:
    """A valid manifest, but for what `write_manifest` fills in."""
    return {
        "name": "tiny",
        "version": "0.0.1",
        "front_end": FrontEnd().to_dict(),
        "emotion_features": EmotionFeatures().to_dict(),
        "gender": {"file": "gender.npz"},
        "experts": {
            gender: {"file": f"{gender}.tflite", "temperature": temperature}
            for gender, temperature in zip(GENDERS, (1.5, 0.8))
        },
        "blend": {"certain": 0.98, "window_hop_frames": 94, "active_span_db": -50.0},
        "metrics": {"protocol": "none", "unweighted_average_recall": 0.125},
        "licence": {"weights": "none: random numbers"},
    }


def make_bundle(folder: Path, gate: bytes, models: dict[str, bytes]) -> Path:
    """Writes a bundle and returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gender.npz").write_bytes(gate)
    (folder / "CARD.md").write_text("# Random models for tests\n", encoding="utf-8")
    for gender, model in models.items():
        (folder / f"{gender}.tflite").write_bytes(model)
    write_manifest(folder, manifest())
    return folder
