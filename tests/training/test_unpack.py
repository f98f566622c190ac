"""A bundle's int8 experts as a run that a training can go on from."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge.bundle import Bundle
from edge.features import FrontEnd
from edge.labels import GENDERS
from training.__main__ import main
from training.emotion import Batches, Material, Teachers, train_experts
from training.run import STAGES, Run, RunError
from training.settings import SHIPPED, TrainingSettings
from training.unpack import unpack

SETTINGS = TrainingSettings().replaced([*SHIPPED, "batch_size=8", "bfloat16=false"])
OF = {"universal": "female", "second": "male", "female": "female", "male": "male"}


@pytest.fixture(scope="module")
def bundle():
    return Bundle.load()


@pytest.fixture(scope="module")
def run(bundle, material, tmp_path_factory):
    made = Run(tmp_path_factory.mktemp("runs") / "unpacked")
    assert unpack(bundle, made, material, SETTINGS) == list(STAGES)
    return made


def some_inputs(bundle, material):
    batches = Batches(material, SETTINGS, bundle.emotion_features, "universal")
    return next(batches.epoch(3))[0]


@pytest.mark.parametrize("stage", STAGES)
def test_the_networks_answer_as_the_bundles_experts(run, bundle, material, stage):
    inputs = some_inputs(bundle, material)
    expert = bundle.make_experts()[OF[stage]]
    int8 = np.stack([expert.logits(window[..., 0]) for window in inputs])
    given = run.expert(stage)(inputs, training=False).numpy()
    assert int8.std() > 0.5
    assert np.abs(given - int8).mean() < 0.1 * int8.std()


def test_the_experts_differ(run):
    female, male = (run.expert(gender).get_weights()[0] for gender in GENDERS)
    assert not np.array_equal(female, male)


def test_normalisations_hold_what_their_convolutions_give(run, bundle, material):
    keras = pytest.importorskip("training.tensorflow_setup").keras
    model = run.expert("male")
    convolutions = [
        layer for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.name != "columns"
    ]
    batches = Batches(material, SETTINGS, bundle.emotion_features, "universal")
    every = (inputs for epoch in itertools.count() for inputs, _, _ in batches.epoch(epoch))
    heard = np.concatenate(list(itertools.islice(every, 10)))  # the first, as `unpack` hears them
    given = keras.Model(model.inputs, [layer.output for layer in convolutions])
    for layer, rows in zip(convolutions, given.predict(heard, verbose=0)):
        rows = rows.reshape(-1, rows.shape[-1]).astype(np.float64)
        norm = layer.outbound_nodes[0].layer
        np.testing.assert_allclose(rows.mean(axis=0), norm.moving_mean.numpy(), atol=1e-3)
        np.testing.assert_allclose(
            rows.var(axis=0), norm.moving_variance.numpy() + norm.epsilon, atol=1e-3
        )


def test_gate_prosody_and_features_come_along(run, bundle):
    assert run.emotion_features() == bundle.emotion_features
    assert run.front_end() == bundle.front_end
    assert run.parent("male") == "second"
    assert run.gate_path.read_bytes() == (bundle.folder / "gender.npz").read_bytes()
    assert run.prosody_path.read_bytes() == (bundle.folder / "prosody.npz").read_bytes()


def test_a_training_goes_on_from_there_and_is_taught_by_both(run, material, tmp_path):
    settings = SETTINGS.replaced([
        "universal.epochs=1", "specialised.epochs=1", "universal.learning_rate=0.00001",
        "specialised.learning_rate=0.00001",
    ])
    assert len(Teachers([run])) == 2
    further = Run(tmp_path / "further")
    train_experts(
        further, material, None, settings, FrontEnd(), {}, ["universal", "second"],
        progress=False, teachers=[run], initial=[run],
    )
    for stage in ("universal", "second"):
        before, after = run.expert(stage).get_weights(), further.expert(stage).get_weights()
        assert any(not np.array_equal(a, b) for a, b in zip(before, after))
        for a, b in zip(before[:3], after[:3]):  # it began there: hardly moved
            assert np.abs(a - b).max() < 0.05 * max(1e-3, np.abs(a).max())
    assert further.emotion_features().scale == run.emotion_features().scale


def test_another_network_is_refused(bundle, material, tmp_path):
    settings = SETTINGS.replaced(["network.width=48"])
    with pytest.raises(RunError, match="another network"):
        unpack(bundle, Run(tmp_path / "other"), material, settings)


def test_a_folder_of_another_run_is_refused(run, bundle, material):
    with pytest.raises(RunError, match="another settings"):
        unpack(bundle, run, material, SETTINGS.replaced(["seed=5"]))


def test_too_few_clips_are_refused_before_anything_is_written(bundle, material, tmp_path):
    few = Material(material.clips[:7], material.log_mels[:7])
    with pytest.raises(RunError, match="7 training clips .* not a batch of 8"):
        unpack(bundle, Run(tmp_path / "few"), few, SETTINGS)
    assert not (tmp_path / "few").exists()


def test_the_command_makes_the_run(miniature_corpora, tmp_path, capsys):
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    arguments = ["unpack", "--corpora", str(miniature_corpora), "--run", str(tmp_path / "run"),
                 "--set", "batch_size=8", "bfloat16=false"]
    assert main(arguments) == 0
    assert "made universal, second, female, male" in capsys.readouterr().out
    assert (tmp_path / "run" / "universal.h5").exists()
