"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.synthetic_speech import synthesise

pytest_plugins = ["tests.side_by_side"]

# Nothing is said about how long an example takes: the machine may be busy.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def speech():
    """The function `synthesise(gender, emotion, ...)`: float32 samples."""
    return synthesise


@pytest.fixture(scope="session")
def miniature_corpora(tmp_path_factory) -> Path:
    """A folder with small copies of the five corpora, of synthetic speech. Not to be written to."""
    from tests.miniature_corpora import write_corpora

    return write_corpora(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of the real corpora: $EDGE_CORPORA, or ../shared/corpora beside the checkout."""
    named = os.environ.get("EDGE_CORPORA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip(f"the corpora are not here: no folder {folder} (set EDGE_CORPORA to theirs)")
    return folder


@pytest.fixture(scope="session")
def tiny_models():
    """The random `TinyModel` of each gender."""
    for package in ("tensorflow", "tf_keras"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed, so that no TFLite model can be made")
    from tests.edge.bundles import feature_shape, make_tiny_model

    features = feature_shape()[1]
    return {"female": make_tiny_model(1, features), "male": make_tiny_model(2, features)}
