"""The emotion expert: a small convolutional network over the cepstrum of one window.

    (188, n_mfcc) ─ 5x5 stride 2 ─ pool ─ 3x3 ─ all of the cepstrum ─ blocks ─┬ mean ┬─ dense ─ (8,)
                   └─── neighbouring coefficients and frames ───┘    └ time ┘ └ max ─┘
"""

from __future__ import annotations

from edge.labels import LABELS
from training.settings import NetworkSettings
from training.tensorflow_setup import keras


def build_network(settings: NetworkSettings, frames: int, n_mfcc: int) -> keras.Model:
    """An untrained expert: (batch, frames, n_mfcc, 1) float32 to (batch, 8) logits.

    Every operation has an int8 kernel in TFLite, and each batch normalisation follows a convolution
    that it can be folded into. The dilated blocks see the whole window (TC-ResNet, Choi et al.
    2019; TIM-Net, Ye et al. 2023). A network of kind "line" takes all coefficients of five frames
    at once, in place of the two-dimensional convolutions.
    """
    layers = keras.layers
    cepstrum = layers.Input((frames, n_mfcc, 1), name="cepstrum")
    if settings.kind == "line":
        x = layers.Reshape((frames, 1, n_mfcc))(cepstrum)
        x = _convolution(x, settings.width, (5, 1), strides=(2, 1))  # (frames / 2, 1, width)
    else:
        x = _plane(cepstrum, settings)  # (frames / 4, 1, width)
    for dilation in settings.dilations:
        y = _convolution(x, settings.bottleneck, 1)
        y = _convolution(y, settings.bottleneck, (5, 1), dilation_rate=(dilation, 1))
        y = _convolution(y, settings.width, 1, activated=False)
        y = layers.SpatialDropout2D(settings.spatial_dropout)(y)
        x = layers.ReLU()(layers.Add()([x, y]))
    mean, peak = layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)
    x = layers.Dropout(settings.dropout)(layers.Concatenate()([mean, peak]))
    return keras.Model(cepstrum, layers.Dense(len(LABELS), name="logits")(x))


def _plane(cepstrum, settings: NetworkSettings):
    """(frames, n_mfcc) to (frames / 4, 1, width): neighbouring coefficients first, then all."""
    layers = keras.layers
    x = _convolution(cepstrum, settings.stem_channels[0], 5, strides=2)
    x = layers.MaxPool2D(2)(x)
    for number, channels in enumerate(settings.stem_channels[1:]):
        x = _convolution(x, channels, 3)
        if number < settings.halvings:
            x = layers.MaxPool2D((1, 2))(x)
    x = layers.ZeroPadding2D(((1, 1), (0, 0)))(x)
    return _convolution(x, settings.width, (3, x.shape[2]), padding="valid")


def _convolution(x, channels: int, size, activated: bool = True, padding: str = "same", **options):
    layers = keras.layers
    x = layers.Conv2D(channels, size, padding=padding, use_bias=False, **options)(x)
    x = layers.BatchNormalization(momentum=0.98)(x)
    return layers.ReLU()(x) if activated else x
