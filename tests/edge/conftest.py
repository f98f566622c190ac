from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_bundle(tiny_models, tmp_path_factory) -> Path:
    """A whole bundle of random models that run. Not to be written to."""
    from tests.edge.bundles import make_bundle, random_gate

    models = {gender: model.int8 for gender, model in tiny_models.items()}
    return make_bundle(tmp_path_factory.mktemp("tiny"), random_gate(), models)


@pytest.fixture(scope="session")
def _placeholder_bundle(tmp_path_factory) -> Path:
    from tests.edge.bundles import PLACEHOLDER_MODEL, make_bundle, random_gate

    models = {"female": PLACEHOLDER_MODEL, "male": PLACEHOLDER_MODEL + b"other"}
    return make_bundle(tmp_path_factory.mktemp("placeholder"), random_gate(), models)


@pytest.fixture
def bundle_copy(_placeholder_bundle, tmp_path) -> Path:
    """A bundle that loads, but whose experts cannot run; to be damaged at will."""
    return Path(shutil.copytree(_placeholder_bundle, tmp_path / "bundle"))
