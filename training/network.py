"""The emotion expert: a small convolutional network over the cepstrum of one window.

    (188, n_mfcc) ─ 5x5 stride 2 ─ pool ─ 3x3 ─ all of the cepstrum ─ blocks ─┬ mean ┬─ dense ─ (8,)
                   └─── neighbouring coefficients and frames ───┘    └ time ┘ └ max ─┘

It may go back to a spectrum first, and then sees neighbouring bands in place of coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.labels import LABELS
from training.settings import NetworkSettings
from training.tensorflow_setup import keras

COLUMNS = "columns"
"""Name of the layer that makes columns of the coefficients."""


def build_network(
    settings: NetworkSettings, frames: int, n_mfcc: int, scale: Sequence[float] = ()
) -> keras.Model:
    """An untrained expert: (batch, frames, n_mfcc, 1) float32 to (batch, 8) logits.

    scale: what the coefficients were multiplied by, 1 unless given

    Every operation has an int8 kernel in TFLite, and each batch normalisation follows a convolution
    that it can be folded into. The dilated blocks see the whole window (TC-ResNet, Choi et al.
    2019; TIM-Net, Ye et al. 2023). A network of kind "line" takes all coefficients of five frames
    at once, in place of the two-dimensional convolutions. With `columns` these see not all of the
    coefficients, but so many, or so many bands of a spectrum: the inverse cosine transform, which
    training leaves as it is, brings neighbouring frequencies together.
    """
    layers = keras.layers
    cepstrum = layers.Input((frames, n_mfcc, 1), name="cepstrum")
    x, columns = cepstrum, settings.columns or n_mfcc
    if settings.columns:
        x = layers.Reshape((frames, 1, n_mfcc))(x)
        x = layers.Conv2D(columns, 1, trainable=False, name=COLUMNS)(x)
        x = layers.Reshape((frames, columns, 1))(x)
    if settings.kind == "line":
        x = layers.Reshape((frames, 1, columns))(x)
        x = _convolution(x, settings.width, (5, 1), strides=(2, 1))  # (frames / 2, 1, width)
    else:
        x = _plane(x, settings)  # (frames / 4, 1, width)
    for dilation in settings.dilations:
        y = _convolution(x, settings.bottleneck, 1)
        y = _convolution(y, settings.bottleneck, (5, 1), dilation_rate=(dilation, 1))
        y = _convolution(y, settings.width, 1, activated=False)
        y = layers.SpatialDropout2D(settings.spatial_dropout)(y)
        x = layers.ReLU()(layers.Add()([x, y]))
    mean, peak = layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)
    x = layers.Dropout(settings.dropout)(layers.Concatenate()([mean, peak]))
    model = keras.Model(cepstrum, layers.Dense(len(LABELS), name="logits")(x))
    if settings.columns:
        matrix = np.eye(n_mfcc, columns)
        if settings.spectrum:
            matrix = _inverse_cosines(columns, np.array(scale or [1.0] * n_mfcc))
        model.get_layer(COLUMNS).set_weights([matrix[None, None], np.zeros(columns)])
    return model


def _plane(columns, settings: NetworkSettings):
    """(frames, columns) to (frames / 4, 1, width): neighbouring columns first, then all."""
    layers = keras.layers
    x = _convolution(columns, settings.stem_channels[0], 5, strides=2)
    x = layers.MaxPool2D(2)(x)
    for number, channels in enumerate(settings.stem_channels[1:]):
        x = _convolution(x, channels, 3)
        if number < settings.halvings:
            x = layers.MaxPool2D((1, 2))(x)
    x = layers.ZeroPadding2D(((1, 1), (0, 0)))(x)
    return _convolution(x, settings.width, (3, x.shape[2]), padding="valid")


def _inverse_cosines(bands: int, scale: np.ndarray) -> np.ndarray:
    """(n_mfcc, bands): from coefficients times scale to bands of about unit variance."""
    order, band = np.arange(len(scale))[:, None], np.arange(bands)
    cosines = np.cos(np.pi * order * (band + 0.5) / bands)
    cosines[0] /= np.sqrt(2.0)
    inverse = cosines / scale[:, None]
    return inverse / np.sqrt(np.square(inverse).sum(axis=0))


def _convolution(x, channels: int, size, activated: bool = True, padding: str = "same", **options):
    layers = keras.layers
    x = layers.Conv2D(channels, size, padding=padding, use_bias=False, **options)(x)
    x = layers.BatchNormalization(momentum=0.98)(x)
    return layers.ReLU()(x) if activated else x
