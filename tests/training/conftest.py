"""What several tests of the training share."""

from __future__ import annotations

import pytest

from training.cache import FeatureCache
from training.corpora import read_corpora
from training.emotion import Material


@pytest.fixture(scope="module")
def material(miniature_corpora, tmp_path_factory):
    """Every clip of the miniature corpora that has an emotion."""
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    clips = read_corpora(miniature_corpora)
    cache = FeatureCache(tmp_path_factory.mktemp("cache"), progress=False)
    return Material(clips, cache.log_mels(clips))
