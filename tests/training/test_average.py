"""The mean of runs' weights."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features import FrontEnd
from training.__main__ import main
from training.average import average
from training.emotion import train_experts
from training.run import STAGES, Run, RunError
from training.settings import TrainingSettings

SMALL = [
    "batch_size=8", "universal.epochs=1", "specialised.epochs=1", "n_mfcc=13", "bfloat16=false",
    "network.stem_channels=[4,4]", "network.width=8", "network.bottleneck=4",
    "network.dilations=[1]",
]


def trained(folder, material, *assignments, stages=STAGES, initial=()):
    run = Run(folder)
    settings = TrainingSettings().replaced([*SMALL, *assignments])
    train_experts(
        run, material, None, settings, FrontEnd(), {}, stages, progress=False, initial=initial
    )
    return run


@pytest.fixture(scope="module")
def members(material, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    first = trained(folder / "first", material)
    return first, trained(folder / "second", material, "seed=1", initial=[first])


def test_every_weight_is_the_mean_of_the_members(members, tmp_path):
    run = Run(tmp_path / "mean")
    assert average(run, members) == list(STAGES)
    for stage in STAGES:
        one, other = (member.expert(stage).get_weights() for member in members)
        assert any(not np.array_equal(a, b) for a, b in zip(one, other))
        for a, b, mean in zip(one, other, run.expert(stage).get_weights()):
            np.testing.assert_allclose(mean, (a.astype(float) + b) / 2, rtol=1e-6, atol=1e-8)
    assert run.emotion_features() == members[0].emotion_features()
    assert run.parent("male") == "second"


def test_what_a_member_lacks_is_left_out(members, material, tmp_path):
    alone = trained(
        tmp_path / "alone", material, "seed=2", stages=["universal"], initial=[members[0]]
    )
    run = Run(tmp_path / "mean")
    assert average(run, [members[0], alone]) == ["universal"]
    with pytest.raises(RunError, match=r"female\.h5"):
        run.expert("female")


def test_the_folder_of_another_mean_is_refused(members, tmp_path):
    run = Run(tmp_path / "mean")
    average(run, members)
    average(run, members)
    with pytest.raises(RunError, match="average_of"):
        average(run, members[::-1])


def test_runs_without_a_mean_are_refused(members, material, tmp_path):
    with pytest.raises(RunError, match="two runs"):
        average(Run(tmp_path / "mean"), members[:1])
    wider = trained(tmp_path / "wider", material, "network.width=12", stages=["universal"])
    # It has no scale in common with the others, unless it was begun with one of them.
    wider.write("features.json", members[0].read("features.json"))
    with pytest.raises(RunError, match="another universal network"):
        average(Run(tmp_path / "mean"), [members[0], wider])
    fewer = trained(tmp_path / "fewer", material, "n_mfcc=12", stages=["universal"])
    with pytest.raises(RunError, match="other features"):
        average(Run(tmp_path / "other"), [members[0], fewer])


def test_the_command_scores_what_it_made(members, miniature_corpora, tmp_path, capsys):
    status = main([
        "average", "--corpora", str(miniature_corpora), "--run", str(tmp_path / "mean"),
        "--of", *(str(member.folder) for member in members),
        "--cache", str(tmp_path / "cache"),
    ])
    assert status == 0
    metrics = Run(tmp_path / "mean").read("metrics.json")
    assert set(metrics) == set(STAGES)
    assert all(0.0 <= scores["ravdess all"] <= 100.0 for scores in metrics.values())
    assert "female parameters" in capsys.readouterr().out
