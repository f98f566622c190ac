from __future__ import annotations

from pathlib import Path

import pytest

import edge.bundle
from tests.edge.conftest import tiny_bundle  # noqa: F401 - fixtures

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def models(request, monkeypatch) -> Path:
    """The folder of the models that ship; random ones stand in for them where there are none."""
    if not edge.bundle.DEFAULT_BUNDLE.is_dir():
        folder = request.getfixturevalue("tiny_bundle")
        monkeypatch.setattr(edge.bundle, "DEFAULT_BUNDLE", folder)
    return edge.bundle.DEFAULT_BUNDLE


@pytest.fixture
def clip() -> Path:
    return EXAMPLES / "clips" / "female_plain.wav"
