"""The representative set is of training speakers and balanced."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantize.errors import QuantizeError
from quantize.representative import representative_clips
from training.corpora import Clip


def clips(counts):
    """counts: by (gender, emotion, corpus)"""
    return [
        Clip(corpus, f"{corpus}{gender}{emotion}{k}", Path("none"), "1", gender, emotion)
        for (gender, emotion, corpus), count in counts.items() for k in range(count)
    ]


def drawn(material, count, seed=0):
    return [material[k] for k in representative_clips(material, count, seed)]


def test_genders_emotions_and_corpora_have_like_shares():
    material = clips({
        (gender, emotion, corpus): count
        for gender in ("female", "male") for emotion in ("sad", "angry")
        for corpus, count in (("tess", 400), ("ravdess", 60))
    })
    chosen = drawn(material, 80)
    assert Counter(clip.gender for clip in chosen) == {"female": 40, "male": 40}
    assert set(Counter((c.gender, c.emotion, c.corpus) for c in chosen).values()) == {10}


def test_what_a_small_group_lacks_the_others_make_up_for():
    material = clips({
        ("female", "sad", "tess"): 100, ("female", "calm", "ravdess"): 3,
        ("male", "sad", "savee"): 100,
    })
    shares = Counter((clip.gender, clip.emotion) for clip in drawn(material, 40))
    assert shares == {("female", "calm"): 3, ("female", "sad"): 17, ("male", "sad"): 20}


def test_a_missing_gender_is_named():
    with pytest.raises(QuantizeError, match="no female speaker"):
        representative_clips(clips({("male", "sad", "savee"): 9}), 4, 0)
    with pytest.raises(QuantizeError, match="no female and no male speaker"):
        representative_clips([], 4, 0)


groups = st.dictionaries(
    st.tuples(st.sampled_from(["female", "male"]), st.sampled_from(["sad", "calm", None]),
              st.sampled_from(["tess", "savee"])),
    st.integers(1, 30), min_size=1,
)


@given(groups, st.integers(1, 60), st.integers(0, 3))
def test_no_clip_twice_and_as_many_as_there_are(counts, count, seed):
    material = clips(counts)
    if {gender for gender, _, _ in counts} != {"female", "male"}:
        return
    chosen = representative_clips(material, count, seed)
    assert len(set(chosen)) == len(chosen) == min(count, len(material))
    assert chosen == representative_clips(material, count, seed)
