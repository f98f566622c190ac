"""A device without any room left: what the user deletes goes, and makes room."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import pytest

from app.history import History, NoSpace
from app.meant import delete, put_right
from app.own_voice import OwnVoice
from edge.voice import Voice
from tests.app.test_history import SOUND
from tests.app.test_meant import MODELS, a_result


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 400 kB."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only Linux's root may make a disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )
    if made.returncode:
        pytest.skip(f"no disk can be made here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder) -> None:
    with (folder / "others").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))
    with pytest.raises(OSError, match="No space"):
        (folder / "more").write_bytes(bytes(512))


@pytest.fixture
def full(small_disk):
    """A history of three results, the first two of which taught a voice, on a full disk."""
    history, own = History(small_disk / "history"), OwnVoice(small_disk)
    own.check_models(MODELS)
    numbers = [history.add(a_result(likely=0.3 + 0.1 * k), SOUND).number for k in range(3)]
    for number, emotion in zip(numbers, ("sad", "happy")):
        put_right(history, own, number, emotion)
    fill(small_disk)
    yield history, own, numbers
    history.close()


def test_nothing_is_added(full):
    history, _, _ = full
    with pytest.raises(NoSpace):
        history.add(a_result(), SOUND)
    assert len(history) == 3 and len(list(history.folder.glob("*.wav"))) == 3


def test_a_result_is_deleted_with_its_sound_and_what_it_taught(full):
    history, own, numbers = full
    for left, number in zip((2, 1, 0), numbers):
        delete(history, own, number)
        assert history.result(number) is None
        assert len(list(history.folder.glob("*.wav"))) == left
        known = Voice.load(own.file) if own.file.exists() else Voice()
        assert known == own.voice
        assert len(known.examples) == max(0, left - 1)
    assert history.add(a_result(), SOUND).number  # there is room again


def test_results_without_sound_are_deleted(small_disk):
    history, own = History(small_disk / "history"), OwnVoice(small_disk)
    own.check_models(MODELS)
    numbers = [history.add(a_result(likely=0.3 + 0.1 * k)).number for k in range(2)]
    for number in numbers:
        put_right(history, own, number, "sad")
    fill(small_disk)
    delete(history, own, numbers[1])
    assert [result.number for result in history.results()] == numbers[:1]
    assert Voice.load(own.file) == own.voice and own.voice.counts() == {"sad": 1}
    history.close()


def test_an_example_is_taken_back(full):
    _, own, _ = full
    own.take_back("happy")
    assert Voice.load(own.file) == own.voice and own.voice.counts() == {"sad": 1}


def test_everything_is_deleted(full):
    history, own, _ = full
    own.forget()
    history.delete_all()
    assert len(history) == 0 and not list(history.folder.glob("*.wav"))
    assert history.add(a_result(), SOUND).number


def test_the_database_is_safe_from_crashes_again(full):
    history, own, numbers = full
    delete(history, own, numbers[0])
    assert history._database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
