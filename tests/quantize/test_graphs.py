"""Folding, balancing and converting a network, and reading what came of it."""

from __future__ import annotations

import numpy as np
import pytest

from quantize.errors import QuantizeError
from training.settings import NetworkSettings

SMALL = NetworkSettings(stem_channels=(6, 8), width=12, bottleneck=6, dilations=(1, 2))
FRAMES, COEFFICIENTS = 40, 13


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(3).normal(size=(24, FRAMES, COEFFICIENTS, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    """Untrained, but with normalisations that are not idle and channels of unlike ranges."""
    from training.network import build_network
    from training.tensorflow_setup import seed_everything

    seed_everything(5)
    model = build_network(SMALL, FRAMES, COEFFICIENTS)
    rng = np.random.default_rng(4)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([
                gamma * np.exp(rng.normal(0, 1.0, gamma.shape)), rng.normal(0, 0.3, beta.shape),
                rng.normal(0, 0.3, mean.shape), variance * rng.uniform(0.3, 2.0, variance.shape),
            ])
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel, rng.normal(0, 0.3, bias.shape)])
    return model


@pytest.fixture(scope="module")
def plain(network):
    from quantize.folding import folded

    return folded(network)


def logits(model, windows):
    return model(windows, training=False).numpy()


def test_folding_keeps_the_logits_and_drops_what_only_training_needs(network, plain, windows):
    assert np.allclose(logits(plain, windows), logits(network, windows), rtol=1e-4, atol=1e-4)
    kinds = {type(layer).__name__ for layer in plain.layers}
    assert not {"BatchNormalization", "Dropout", "SpatialDropout2D"} & kinds


def test_folded_layers_have_the_same_names_however_often_it_is_done(network, plain):
    from quantize.folding import folded

    again = folded(network)
    assert [layer.name for layer in again.layers] == [layer.name for layer in plain.layers]


def test_folding_leaves_alone_what_several_layers_read(windows):
    from quantize.folding import folded
    from training.tensorflow_setup import keras

    layers = keras.layers
    x = layers.Input((FRAMES, COEFFICIENTS, 1))
    y = layers.Conv2D(4, 3, padding="same")(x)
    z = layers.Add()([layers.ReLU()(y), y])  # the rectifier may not go into the convolution
    model = keras.Model(x, layers.Dense(8)(layers.GlobalAveragePooling2D()(z)))
    assert np.allclose(logits(folded(model), windows), logits(model, windows), atol=1e-5)


def test_a_normalisation_without_its_convolution_is_named():
    from quantize.folding import folded
    from training.tensorflow_setup import keras

    x = keras.layers.Input((4, 4, 1))
    y = keras.layers.BatchNormalization(name="lonely")(x)
    with pytest.raises(QuantizeError, match="lonely follows no convolution"):
        folded(keras.Model(x, y))


@pytest.mark.parametrize("strength", [0.0, 0.7, 1.0])
def test_balancing_keeps_the_logits(network, windows, strength):
    from quantize.balancing import balance
    from quantize.folding import folded

    model = folded(network)
    before = logits(model, windows)
    balance(model, windows, strength)
    assert np.allclose(logits(model, windows), before, rtol=1e-3, atol=1e-4)


def test_balancing_evens_out_the_channels(network, windows):
    from quantize.balancing import balance
    from quantize.folding import folded
    from training.tensorflow_setup import keras

    def unevenness(model):
        """Mean ratio of the strongest channel's peak to a typical one's, over the convolutions."""
        outputs = [layer.output for layer in model.layers if layer.name.startswith("conv2d")]
        ratios = []
        for output in keras.Model(model.inputs, outputs)(windows):
            peaks = np.abs(output.numpy()).max(axis=(0, 1, 2))
            ratios.append(peaks.max() / np.median(peaks[peaks > 0]))
        return np.mean(ratios)

    model = folded(network)
    before = unevenness(model)
    balance(model, windows, 1.0)
    assert unevenness(model) < 0.6 * before


def test_balancing_helps_int8(network, plain, windows):
    from edge.emotion import TFLiteExpert
    from quantize.balancing import balance
    from quantize.convert import to_int8
    from quantize.folding import folded

    def error(model):
        expert = TFLiteExpert(to_int8(model, windows))
        answers = np.stack([expert.logits(window[..., 0]) for window in windows])
        return np.square(answers - logits(network, windows)).mean()

    model = folded(network)
    balance(model, windows, 0.7)
    assert error(model) < error(plain)


@pytest.fixture(scope="module")
def int8(plain, windows):
    from quantize.convert import to_int8

    return to_int8(plain, windows)


@pytest.fixture(scope="module")
def exact(plain):
    from quantize.convert import to_float

    return to_float(plain)


def test_work_and_size_agree_with_keras(int8, exact, plain):
    from quantize.graph import Graph

    work = 0
    for layer in plain.layers:
        if layer.name.startswith("conv2d"):
            work += int(np.prod(layer.output_shape[1:])) * int(np.prod(layer.kernel.shape[:3]))
        if layer.name.startswith("dense"):
            work += int(np.prod(layer.kernel.shape))
    for model in (int8, exact):
        graph = Graph(model)
        assert graph.multiply_accumulates == work
        assert graph.parameters == plain.count_params()
        assert graph.size == len(model)
    assert Graph(exact).peak_activation_bytes == 4 * Graph(int8).peak_activation_bytes


def test_peak_memory_counts_what_is_alive_together(int8):
    from quantize.graph import Graph

    # The first convolution's input and output; nothing later is as large.
    frames, bands = -(-FRAMES // 2), -(-COEFFICIENTS // 2)
    largest = FRAMES * COEFFICIENTS + frames * bands * SMALL.stem_channels[0]
    pooled = (frames // 2) * (bands // 2) * SMALL.stem_channels[0]
    expected = max(largest, frames * bands * SMALL.stem_channels[0] + pooled)
    assert Graph(int8).peak_activation_bytes == expected


def test_a_float_graph_is_not_taken_for_int8(int8, exact):
    from quantize.graph import Graph

    Graph(int8).require_int8()
    with pytest.raises(QuantizeError, match="CONV_2D computes with .* in FLOAT32"):
        Graph(exact).require_int8()


def test_an_int8_graph_with_float_ends_is_refused(tiny_float_ends):
    from quantize.graph import Graph

    with pytest.raises(QuantizeError, match="FLOAT32"):
        Graph(tiny_float_ends).require_int8()


@pytest.fixture(scope="module")
def tiny_float_ends():
    from tests.edge.bundles import make_tiny_model

    return make_tiny_model(1, 13).float_ends


def test_conversion_gives_the_same_bytes_again(network, windows, int8):
    from quantize.convert import to_int8
    from quantize.folding import folded

    assert to_int8(folded(network), windows) == int8


def test_the_noise_of_each_layer_is_that_of_the_interpreter_and_keras(int8, exact, plain, windows):
    from quantize.diagnosis import layer_noise
    from training.tensorflow_setup import keras

    noise = layer_noise(int8, exact, windows)
    convolutions = [layer for layer in plain.layers if layer.name.startswith("conv2d")]
    found = [row for row in noise if row.kind == "CONV_2D"]
    assert len(found) == len(convolutions)
    for row, layer in zip(found, convolutions):
        values = keras.Model(plain.inputs, layer.output)(windows).numpy()
        assert row.float_low == pytest.approx(values.min(), abs=1e-3)
        assert row.float_high == pytest.approx(values.max(), abs=1e-3)
        assert row.noise_db <= row.own_noise_db + 0.5
        assert row.noise_db > 10


def test_a_spoilt_layer_stands_out(plain, windows, exact):
    from quantize.convert import to_int8
    from quantize.diagnosis import layer_noise
    from quantize.methods import rounded

    good = layer_noise(to_int8(plain, windows), exact, windows)
    ruined = layer_noise(to_int8(rounded(plain, 3), windows), exact, windows)
    assert ruined[-1].noise_db < good[-1].noise_db - 10
    assert [row.kind for row in ruined] == [row.kind for row in good]


def test_narrow_ranges_show_as_clipping(plain, windows, exact):
    from quantize.convert import to_int8
    from quantize.diagnosis import layer_noise

    noise = layer_noise(to_int8(plain, windows * 0.2), exact, windows)
    assert noise[0].clipped > 0.01
    assert layer_noise(to_int8(plain, windows), exact, windows)[0].clipped == 0.0


def test_rounding_to_few_bits_leaves_few_values(plain):
    from quantize.methods import rounded

    before = plain.get_weights()
    ruined = rounded(plain, 3)
    for layer in ruined.layers:
        if layer.name.startswith("conv2d"):
            kernel = layer.get_weights()[0]
            for channel in range(kernel.shape[-1]):
                assert len(np.unique(kernel[..., channel])) <= 7
    assert all(np.array_equal(a, b) for a, b in zip(before, plain.get_weights()))
