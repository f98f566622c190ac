"""The history on the disk: what it keeps, finds, deletes, and survives."""

from __future__ import annotations

import errno
import sqlite3

import numpy as np
import pytest

from app.history import History, NoSpace
from app.result import Result
from app.sound import Sound, read_wav, write_wav
from edge import LABELS, Window

SOUND = Sound(np.arange(-8000, 8000, dtype=np.int16), 16000)


def result(emotion: str = "happy", began: float = 1000.0, **fields) -> Result:
    shares = {label: 0.65 if label == emotion else 0.05 for label in LABELS}
    window = Window(0.0, 3.0, "female", 0.9, emotion, shares, False, ("noisy",), 7.5)
    return Result(
        began, 3.0, "female", 0.9, emotion, shares, False, ("noisy",), (window,), 0.01, **fields
    )


@pytest.fixture
def history(tmp_path):
    with_file = History(tmp_path / "history")
    yield with_file
    with_file.close()


def test_what_is_added_is_read_back_the_same_after_a_restart(tmp_path):
    first = History(tmp_path)
    added = first.add(result(note="a word"), SOUND)
    first.close()
    again = History(tmp_path)
    (found,) = again.results()
    assert found == added and found.windows == result().windows
    sound = again.sound(found)
    assert sound.sample_rate == 16000 and np.array_equal(sound.samples, SOUND.samples)
    again.close()


def test_a_result_of_before_there_were_voices_is_read(tmp_path):
    first = History(tmp_path)
    first.add(result(by_voice=True))
    assert first.results()[0].by_voice
    with first._database:
        first._database.execute("UPDATE results SET details = json_remove(details, '$.by_voice')")
    assert not first.results()[0].by_voice
    first.close()


def test_the_newest_comes_first(history):
    for began in (2.0, 3.0, 1.0):
        history.add(result(began=began))
    assert [found.began for found in history.results()] == [3.0, 2.0, 1.0]
    assert len(history) == 3


def test_every_word_that_is_searched_for_must_occur(history):
    history.add(result("happy", note="Straße, morning"))
    history.add(result("sad", note="morning"))
    assert [found.emotion for found in history.results("MORNING")] == ["sad", "happy"]
    assert [found.emotion for found in history.results("strasse morning")] == ["happy"]
    assert [found.emotion for found in history.results("noisy sad")] == ["sad"]
    assert history.results("%") == []
    assert len(history.results("Froh", said=lambda each: "froh" * (each.emotion == "happy"))) == 1


def test_a_note_is_changed(history):
    number = history.add(result()).number
    history.change_note(number, "'; DROP TABLE results; --")
    assert history.results()[0].note == "'; DROP TABLE results; --"


def test_what_is_deleted_is_overwritten_in_the_file(history):
    number = history.add(result(note="a secret of mine"), SOUND).number
    path = history.folder / "history.sqlite"
    assert b"a secret of mine" in path.read_bytes()
    (wav,) = history.folder.glob("*.wav")
    history.delete(number)
    history.delete(number)
    assert b"a secret of mine" not in path.read_bytes()
    assert not wav.exists() and not history.results()


def test_deleting_everything_leaves_an_empty_history(history):
    for _ in range(5):
        history.add(result(), SOUND)
    before = history.bytes_used()
    history.delete_all()
    assert [path.name for path in history.folder.iterdir()] == ["history.sqlite"]
    assert len(history) == 0 and history.bytes_used() < before
    assert history.add(result()).number is not None


def test_a_damaged_history_is_laid_aside_and_deleted_with_all(tmp_path):
    (tmp_path / "history.sqlite").write_bytes(b"no database at all" * 1000)
    history = History(tmp_path)
    assert history.laid_aside.read_bytes().startswith(b"no database")
    history.add(result())
    history.delete_all()
    assert not history.laid_aside.exists()
    history.close()


def test_a_history_of_another_version_is_laid_aside(tmp_path):
    database = sqlite3.connect(tmp_path / "history.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.commit()
    database.close()
    history = History(tmp_path)
    assert history.laid_aside is not None and len(history) == 0
    history.close()


def test_what_a_crash_left_is_swept_away(tmp_path):
    history = History(tmp_path)
    kept = history.add(result(), SOUND)
    history.close()
    write_wav(tmp_path / "orphan.wav", SOUND)
    (tmp_path / "half.wav.part").write_bytes(b"RIFF")
    again = History(tmp_path)
    assert [path.name for path in tmp_path.glob("*.wav*")] == [kept.sound_file]
    again.close()


def test_a_full_database_keeps_nothing_of_the_result(history):
    pages = history._database.execute("PRAGMA page_count").fetchone()[0]
    history._database.execute(f"PRAGMA max_page_count = {pages}")
    long_note = result(note="x" * 500_000)
    with pytest.raises(NoSpace):
        history.add(long_note, SOUND)
    files = {path.name for path in history.folder.glob("*.wav*")}
    assert files == {found.sound_file for found in history.results()}


def test_a_full_disk_keeps_nothing_of_the_recording(history, monkeypatch):
    def full(path, sound):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("app.history.write_wav", full)
    with pytest.raises(NoSpace):
        history.add(result(), SOUND)
    assert not history.results() and not list(history.folder.glob("*.wav*"))


def test_a_disk_that_is_full_leaves_no_half_of_a_recording(tmp_path):
    (tmp_path / "full.wav.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_wav(tmp_path / "full.wav", SOUND)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_is_gone_is_none(history):
    added = history.add(result(), SOUND)
    (history.folder / added.sound_file).unlink()
    assert history.sound(added) is None


def test_a_wav_file_is_read_by_others(tmp_path):
    from scipy.io import wavfile

    write_wav(tmp_path / "sound.wav", SOUND.since(0.25))
    rate, samples = wavfile.read(tmp_path / "sound.wav")
    assert rate == 16000 and np.array_equal(samples, SOUND.samples[4000:])
    assert np.array_equal(read_wav(tmp_path / "sound.wav").samples, samples)
