from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

from edge.errors import MissingPackageError, SettingsError
from edge.labels import LABELS
from edge.plot import COLOURS, envelope, plot_recording, pool_frames
from tests.edge.test_formats import segment


def test_a_plot_is_a_picture_with_the_colours_of_its_emotions(speech):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("matplotlib.image")
    sound = speech("female", "angry", seconds=3.0)
    file = io.BytesIO()
    segments = [segment(0.2, 1.5, probability=1.0), segment(1.5, 2.9, "sad", probability=1.0)]
    plot_recording(file, sound, segments, title="a $b.wav", image_format="png")
    file.seek(0)
    picture = image.imread(file, format="png")[..., :3]  # (rows, columns, 3)
    assert picture.shape[0] > 300 and picture.shape[1] > 600
    for emotion in ("angry", "sad"):
        colour = np.array([int(COLOURS[emotion][i : i + 2], 16) for i in (1, 3, 5)]) / 255
        covered = (np.abs(picture - colour).max(axis=2) < 0.02).mean()
        assert covered > 0.02, emotion
    unused = np.array([int(COLOURS["calm"][i : i + 2], 16) for i in (1, 3, 5)]) / 255
    assert not (np.abs(picture - unused).max(axis=2) < 0.02).any()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_ending_names_the_format(ending, tmp_path, speech):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"plot.{ending}"
    plot_recording(path, speech("male", seconds=1.0), [])
    begin = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(begin)


def test_what_cannot_be_written_is_an_error_that_names_the_file(tmp_path, speech):
    pytest.importorskip("matplotlib")
    for path in (tmp_path / "plot.wav", tmp_path / "missing" / "plot.png"):
        with pytest.raises(SettingsError, match=path.name):
            plot_recording(path, speech("male", seconds=0.5), [])


def test_no_samples_are_refused():
    with pytest.raises(SettingsError, match="samples"):
        plot_recording(io.BytesIO(), np.zeros(0, np.float32), [])


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch, speech):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackageError, match="pip install matplotlib"):
        plot_recording(io.BytesIO(), speech("male", seconds=0.5), [])


def test_plotting_leaves_pyplot_alone():
    pytest.importorskip("matplotlib")
    program = (
        "import io, sys, numpy; from edge.plot import plot_recording;"
        "plot_recording(io.BytesIO(), numpy.ones(16000, 'f'), [], image_format='png');"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_emotion_has_a_colour_of_its_own():
    assert tuple(COLOURS) == LABELS
    assert len(set(COLOURS.values())) == len(LABELS)


@pytest.mark.parametrize(("samples", "columns"), [(1, 10), (10, 10), (1003, 10), (7, 5)])
def test_the_envelope_is_each_columns_least_and_greatest_sample(samples, columns):
    sound = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    low, high = envelope(sound, columns)
    pieces = [
        sound[i * samples // len(low) : (i + 1) * samples // len(low)] for i in range(len(low))
    ]
    assert len(low) == min(samples, columns)
    np.testing.assert_array_equal(low, [piece.min() for piece in pieces])
    np.testing.assert_array_equal(high, [piece.max() for piece in pieces])


def test_pooling_keeps_the_loudest_cell():
    log_mel = np.random.default_rng(0).standard_normal((1000, 128)).astype(np.float32)
    pooled = pool_frames(log_mel, 40)
    assert pooled.shape == (40, 128)
    np.testing.assert_array_equal(pooled.max(axis=0), log_mel.max(axis=0))
