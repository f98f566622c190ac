from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from edge.features import FrontEnd
from tests import miniature_corpora as mini
from training import cache as cache_module
from training.cache import FeatureCache
from training.corpora import CorpusError, load_log_mel, read_corpora, read_slr45


@pytest.fixture
def made(monkeypatch):
    """The names of the clips whose log-mel is made, one entry each time."""
    names = []

    def load(clip, log_mel):
        names.append(clip.name)
        return load_log_mel(clip, log_mel)

    monkeypatch.setattr(cache_module, "load_log_mel", load)
    return names


@pytest.fixture
def clips(tmp_path):
    mini.write_slr45(tmp_path / "slr45", ["f0001", "m0001"], takes=2)
    return read_slr45(tmp_path / "slr45")


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "cache", progress=False)


def assert_hold(log_mels, clips):
    assert len(log_mels) == len(clips)
    for log_mel, clip in zip(log_mels, clips):
        assert log_mel.dtype == np.float16
        np.testing.assert_array_equal(log_mel, load_log_mel(clip).astype(np.float16), clip.name)


def test_holds_what_the_loader_gives_for_sound_and_pictures(cache, miniature_corpora):
    clips = read_corpora(miniature_corpora, ["slr45", "crema-d"])
    assert_hold(cache.log_mels(clips), clips)


def test_half_precision_costs_less_than_a_twentieth_of_a_decibel(cache, clips):
    for log_mel, clip in zip(cache.log_mels(clips), clips):
        assert np.abs(log_mel.astype(np.float32) - load_log_mel(clip)).max() < 0.05


def test_is_filled_once_and_maps_one_file(cache, clips, made):
    cache.log_mels(clips)
    assert len(made) == len(clips)
    log_mels = cache.log_mels(clips[::-1])
    assert len(made) == len(clips)
    assert_hold(log_mels, clips[::-1])
    assert all(
        isinstance(log_mel, np.memmap) and not log_mel.flags.writeable for log_mel in log_mels
    )


def test_no_clips_are_no_log_mels(cache):
    assert cache.log_mels([]) == []


def test_a_recording_is_known_by_its_content(cache, clips, made, tmp_path):
    cache.log_mels(clips)
    shutil.copytree(tmp_path / "slr45", tmp_path / "elsewhere")
    moved = read_slr45(tmp_path / "elsewhere")
    assert_hold(cache.log_mels(moved), moved)
    assert len(made) == len(clips)


def test_a_changed_recording_is_made_again(cache, clips, made, speech):
    cache.log_mels(clips)
    mini.write_wav(clips[0].path, speech("male", "angry", seconds=0.7))
    assert_hold(cache.log_mels(clips), clips)
    assert made[len(clips) :] == [clips[0].name]


def test_a_picture_with_another_extent_is_made_again(cache, tmp_path, made):
    mini.write_crema_d(tmp_path / "crema-d", {"1001": "male"}, pictures=True)
    clips = read_corpora(tmp_path, ["crema-d"])
    cache.log_mels(clips)
    shorter = [replace(clip, frames=40, range_db=60.0) for clip in clips]
    assert_hold(cache.log_mels(shorter), shorter)


def test_another_front_end_has_files_of_its_own(clips, made, tmp_path):
    FeatureCache(tmp_path / "cache", progress=False).log_mels(clips)
    other = FeatureCache(tmp_path / "cache", FrontEnd(hop_length=512), progress=False)
    assert len(other.log_mels(clips)[0]) == 1 + 2 * 16000 // 512
    assert len(made) == 2 * len(clips)


def test_an_interrupted_filling_goes_on_from_the_last_batch(cache, clips, made, monkeypatch):
    monkeypatch.setattr(cache_module, "BATCH", 1)
    load = cache_module.load_log_mel

    def interrupted(clip, log_mel):
        if clip is clips[2]:
            raise KeyboardInterrupt
        return load(clip, log_mel)

    with monkeypatch.context() as context:
        context.setattr(cache_module, "load_log_mel", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.log_mels(clips)
    assert_hold(cache.log_mels(clips), clips)
    assert made == [clip.name for clip in clips]


@pytest.mark.parametrize("lost", [1, 256, 5000, None])
def test_what_a_truncated_file_lost_is_made_again(cache, clips, made, lost):
    whole = [np.array(log_mel) for log_mel in cache.log_mels(clips)]
    size = cache.data_path.stat().st_size
    with open(cache.data_path, "r+b") as data:
        data.truncate(0 if lost is None else size - lost)
    again = cache.log_mels(clips)
    assert all(np.array_equal(a, b) for a, b in zip(whole, again))
    assert len(made) == len(clips) + (len(clips) if lost is None else 1)


def test_a_deleted_file_is_made_again(cache, clips):
    cache.log_mels(clips)
    cache.data_path.unlink()
    assert_hold(cache.log_mels(clips), clips)


def test_a_torn_row_at_the_end_is_written_over(cache, clips):
    cache.log_mels(clips[:2])
    with open(cache.data_path, "ab") as data:
        data.write(b"torn")
    assert_hold(cache.log_mels(clips[:2]), clips[:2])
    assert_hold(cache.log_mels(clips), clips)


def test_a_damaged_row_is_made_again(cache, clips, made):
    cache.log_mels(clips)
    with open(cache.data_path, "r+b") as data:
        data.seek(1000)
        data.write(b"\x12\x34\x56")
    assert_hold(cache.log_mels(clips), clips)
    assert len(made) == len(clips) + 1


def test_a_damaged_index_is_named(cache, clips):
    cache.log_mels(clips)
    cache.index_path.write_bytes(b"not a database at all, but long enough to be one" * 50)
    with pytest.raises(CorpusError, match="sqlite cannot be used"):
        cache.log_mels(clips)


def test_two_at_once_make_one_whole_cache(clips, tmp_path):
    caches = [FeatureCache(tmp_path / "cache", progress=False) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for log_mels in pool.map(lambda one: one.log_mels(clips), caches):
            assert_hold(log_mels, clips)
    rows = sum(1 + 2 * 16000 // 256 for _ in clips)
    assert caches[0].data_path.stat().st_size == rows * 256


def test_unreadable_recordings_are_named_and_the_others_kept(cache, clips, made):
    clips[1].path.write_bytes(b"no sound")
    with pytest.raises(CorpusError, match=f"cannot be read: 1 .*{clips[1].name}"):
        cache.log_mels(clips)
    others = [clip for clip in clips if clip is not clips[1]]
    count = len(made)
    assert_hold(cache.log_mels(others), others)
    assert len(made) == count


def test_a_recording_that_is_gone_is_named(cache, clips):
    clips[0].path.unlink()
    with pytest.raises(CorpusError, match=f"{clips[0].name}.* is gone"):
        cache.log_mels(clips)
