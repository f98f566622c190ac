from __future__ import annotations

import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from app.recorders import (
    FileRecorder,
    MicrophoneLost,
    Permission,
    PermissionDenied,
    RecorderState,
    UnsupportedFormat,
    WrongState,
)
from app.recorders.clock import ManualClock, RealClock
from app.recorders.file import to_int16

RATE = 16000
CHUNK = 800


@pytest.fixture(scope="module")
def sound(speech):
    """Two seconds of speech, (32000,) int16."""
    return (speech("male", seconds=2.0)[: 2 * RATE] * 20000).astype(np.int16)


@pytest.fixture(scope="module")
def path(sound, tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    write_wav(path, sound, RATE)
    return path


def write_wav(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """(n,) or (n, channels) int16."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.astype("<i2").tobytes())


def heard(recorder: FileRecorder) -> np.ndarray:
    with recorder:
        return np.concatenate(list(recorder.chunks()))


def test_it_plays_the_file_sample_by_sample_and_closes(path, sound):
    states = []
    recorder = FileRecorder(path, realtime=False, state_changed=states.append)
    played = heard(recorder)
    assert played.dtype == np.int16
    np.testing.assert_array_equal(played, sound)
    assert states == [RecorderState.OPEN, RecorderState.CLOSED]
    assert (recorder.sample_rate, recorder.overruns) == (RATE, 0)


def test_channels_become_one(tmp_path, sound):
    write_wav(tmp_path / "stereo.wav", np.stack([sound, sound], 1), RATE)
    np.testing.assert_array_equal(
        heard(FileRecorder(tmp_path / "stereo.wav", realtime=False)), sound
    )


def test_full_scale_keeps_its_sign():
    scaled = to_int16(np.array([-1.5, -1.0, 0.0, 0.5, 1.0, 1.5], np.float32))
    assert scaled.tolist() == [-32768, -32768, 0, 16384, 32767, 32767]


def test_a_clock_sets_the_pace(path, sound):
    clock = ManualClock()
    recorder = FileRecorder(path, realtime=clock)
    recorder.open()
    chunks = recorder.chunks()
    taken = 0
    for ticks in (1, 3, 2):
        clock.advance(ticks * CHUNK / RATE)
        for _ in range(ticks):
            np.testing.assert_array_equal(next(chunks), sound[taken : taken + CHUNK])
            taken += CHUNK
    recorder.close()
    assert list(chunks) == []


def test_the_sound_begins_when_it_is_opened_however_late_its_thread_is(path, sound, monkeypatch):
    clock, late = ManualClock(), threading.Event()
    recorder = FileRecorder(path, realtime=clock)
    play = recorder._play

    def play_late(*given) -> None:
        late.wait()
        play(*given)

    monkeypatch.setattr(recorder, "_play", play_late)
    recorder.open()
    clock.advance(2 * CHUNK / RATE)
    late.set()
    chunks = recorder.chunks()
    taken = threading.Thread(target=lambda: [next(chunks), next(chunks)], daemon=True)
    taken.start()
    taken.join(10)
    recorder.close()
    assert not taken.is_alive()


def test_by_the_clock_a_late_reader_loses_what_the_queue_cannot_hold(path):
    clock = ManualClock()
    recorder = FileRecorder(path, realtime=clock, repeat=True)
    recorder.open()
    clock.advance(30.0)
    queue = recorder._queue
    while queue.dropped < 20 * RATE // CHUNK:  # until the thread has played it all
        threading.Event().wait(0.001)
    recorder.close()
    assert sum(map(len, recorder.chunks())) == 10 * RATE
    assert recorder.overruns == 20 * RATE // CHUNK


def test_real_time_is_near_the_length_of_the_sound(tmp_path, sound):
    write_wav(tmp_path / "short.wav", sound[: 3 * CHUNK], RATE)
    clock = RealClock()
    begin = clock.now()
    heard(FileRecorder(tmp_path / "short.wav"))
    assert clock.now() - begin >= 3 * CHUNK / RATE  # it can be late, but never early


def test_repeated_it_begins_again(path, sound):
    recorder = FileRecorder(path, realtime=False, repeat=True)
    with recorder:
        chunks = recorder.chunks()
        played = np.concatenate([next(chunks) for _ in range(2 * len(sound) // CHUNK)])
    np.testing.assert_array_equal(played, np.tile(sound, 2))


@pytest.mark.parametrize("seconds", [0.5, 0.513])
@pytest.mark.parametrize("clock", [False, "manual"])
def test_it_can_lose_the_microphone_after_so_many_seconds(path, sound, seconds, clock):
    manual = ManualClock()
    manual.advance(0.0)
    recorder = FileRecorder(path, realtime=manual if clock else False, lost_after=seconds)
    recorder.open()
    manual.advance(5.0)
    played = []
    with pytest.raises(MicrophoneLost, match="record again"):
        played.extend(recorder.chunks())
    np.testing.assert_array_equal(np.concatenate(played), sound[: round(seconds * RATE)])
    assert recorder.state is RecorderState.FAILED
    assert isinstance(recorder.error, MicrophoneLost)
    recorder.close()
    assert recorder.state is RecorderState.CLOSED and recorder.error is None
    with pytest.raises(MicrophoneLost):  # a reader that comes late is told, too
        list(recorder.chunks())


def test_paused_it_stands_still_and_goes_on_where_it_was(path, sound):
    clock = ManualClock()
    recorder = FileRecorder(path, realtime=clock)
    recorder.open()
    chunks = recorder.chunks()
    clock.advance(CHUNK / RATE)
    next(chunks)
    recorder.pause()
    assert recorder.state is RecorderState.PAUSED and not recorder.interrupted
    clock.advance(3600.0)
    recorder.resume()
    assert recorder.state is RecorderState.OPEN
    clock.advance(2 * CHUNK / RATE)
    np.testing.assert_array_equal(next(chunks), sound[CHUNK : 2 * CHUNK])
    recorder.close()


def test_at_the_readers_pace_a_pause_holds_the_reader(path, sound):
    recorder = FileRecorder(path, realtime=False)
    recorder.open()
    chunks = recorder.chunks()
    next(chunks)
    recorder.pause()
    got = []
    reader = threading.Thread(target=lambda: got.extend(chunks))
    reader.start()
    recorder.resume()
    reader.join()
    np.testing.assert_array_equal(np.concatenate(got), sound[CHUNK:])


def test_it_can_be_opened_again_and_an_old_reader_gets_nothing_of_it(path, sound):
    recorder = FileRecorder(path, realtime=False)
    recorder.open()
    old = recorder.chunks()
    next(old)
    recorder.close()
    recorder.open()
    rest = list(old)
    assert sum(map(len, rest)) <= CHUNK  # what had been heard already
    np.testing.assert_array_equal(np.concatenate(list(recorder.chunks())), sound)
    recorder.close()


def test_closing_twice_and_pausing_when_closed_do_nothing(path):
    states = []
    recorder = FileRecorder(path, realtime=False, state_changed=states.append)
    recorder.close()
    recorder.pause()
    recorder.resume()
    assert states == []
    recorder.open()
    recorder.close()
    recorder.close()
    assert states == [RecorderState.OPEN, RecorderState.CLOSED]


def test_what_it_cannot_do_in_its_state_is_an_error(path):
    recorder = FileRecorder(path, realtime=False)
    with pytest.raises(WrongState, match="open"):
        recorder.chunks()
    with pytest.raises(WrongState, match="open"):
        _ = recorder.sample_rate
    with recorder, pytest.raises(WrongState, match="close it first"):
        recorder.open()


def test_closing_wakes_a_reader_that_waits(path):
    recorder = FileRecorder(path, realtime=ManualClock())
    recorder.open()
    chunks = recorder.chunks()
    got = []
    reader = threading.Thread(target=lambda: got.extend(chunks))
    reader.start()
    recorder.close()
    reader.join()
    assert got == []


@pytest.mark.parametrize("permission", [Permission.DENIED, Permission.DENIED_FOR_EVER])
def test_permission_can_be_denied_for_tests(path, permission):
    recorder = FileRecorder(path, permission=permission)
    answers = []
    recorder.request_permission(answers.append)
    assert answers == [permission]
    assert not recorder.has_permission()
    assert recorder.should_explain() is (permission is Permission.DENIED)
    with pytest.raises(PermissionDenied) as caught:
        recorder.open()
    assert caught.value.for_ever is (permission is Permission.DENIED_FOR_EVER)
    assert recorder.state is RecorderState.FAILED and recorder.error is caught.value
    recorder.permission = Permission.GRANTED
    with recorder:
        assert recorder.has_permission() and recorder.error is None


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"", "empty"), (b"RIFF....", "bad.wav")],
)
def test_a_file_that_is_no_sound_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnsupportedFormat, match=message):
        FileRecorder(path).open()


def test_a_file_without_samples_is_refused(tmp_path):
    write_wav(tmp_path / "none.wav", np.zeros(0, np.int16), RATE)
    with pytest.raises(UnsupportedFormat, match="no sound in it"):
        FileRecorder(tmp_path / "none.wav").open()


def test_many_rounds_leave_no_thread_behind(path):
    before = threading.active_count()
    recorder = FileRecorder(path)
    for _ in range(100):
        with recorder:
            recorder.pause()
            recorder.resume()
    assert threading.active_count() == before
