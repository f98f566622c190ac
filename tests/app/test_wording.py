"""Sentences made of a result."""

from __future__ import annotations

import pytest

from app.strings import Catalogue
from app.wording import advice


@pytest.mark.parametrize("language", ["en", "de"])
def test_advice_is_of_the_first_flag_about_which_something_can_be_done(language):
    words = Catalogue(language)
    assert advice(words, ()) == advice(words, ("unfamiliar",)) == ""
    assert advice(words, ("clipped", "noisy")) == words("flag.clipped")
    assert advice(words, ("noisy", "unfamiliar")) == words("flag.noisy")
