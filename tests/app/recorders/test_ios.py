"""The recorder of iOS that reads AVAudioRecorder's file, on a stand-in for pyobjus."""

from __future__ import annotations

import glob
import os
import queue
import sys
import tempfile
import threading

import numpy as np
import pytest

import app.recorders.ios.recorder as module
from app.recorders import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    Permission,
    PermissionDenied,
    RecorderState,
    UnsupportedFormat,
)
from app.recorders.ios import FileGrowingRecorder, ios_recorder
from app.recorders.ios.growing_caf import GrowingCaf
from tests.app.recorders.fake_pyobjus import Iphone, caf_header

PATIENCE = 10.0  # seconds until something that never came is given up


@pytest.fixture
def iphone(monkeypatch, tmp_path):
    phone = Iphone(tmp_path)
    for name, fake in phone.modules.items():
        monkeypatch.setitem(sys.modules, name, fake)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(module, "PERMISSION_POLL_SECONDS", 0.001)
    return phone


@pytest.fixture(scope="module")
def sound(speech):
    """One second of speech, (16000,) int16."""
    return (speech("male", seconds=1.0)[:16000] * 20000).astype(np.int16)


class Kept:
    """A recorder whose states are kept, and whose sound is read in the background."""

    def __init__(self, phone) -> None:
        self.changes = queue.Queue()
        self.states = []
        self.recorder = FileGrowingRecorder(state_changed=self._changed)
        self.error = None
        self._sound = np.zeros(0, np.int16)
        self._arrived = threading.Condition()
        self.reader = None

    def _changed(self, state) -> None:
        self.states.append(state)
        self.changes.put(state)

    def wait_for(self, state) -> None:
        while self.changes.get(timeout=PATIENCE) is not state:
            pass

    def __enter__(self) -> Kept:
        self.recorder.open()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        return self

    def __exit__(self, *error) -> None:
        self.recorder.close()
        self.reader.join()

    def _read(self) -> None:
        try:
            for chunk in self.recorder.chunks():
                with self._arrived:
                    self._sound = np.concatenate([self._sound, chunk])
                    self._arrived.notify_all()
        except MicrophoneLost as error:
            self.error = error

    def sound(self, count: int) -> np.ndarray:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self._sound) >= count, PATIENCE)
            return self._sound


@pytest.fixture
def kept(iphone):
    return Kept(iphone)


def leftovers() -> list[str]:
    return glob.glob(os.path.join(tempfile.gettempdir(), "recorder", "*"))


def test_the_sound_is_read_while_the_file_grows(iphone, kept, sound):
    with kept:
        for end in (1, 801, 2000, 16000):  # in any pieces
            iphone.hear(sound[len(kept.sound(0)) : end])
            np.testing.assert_array_equal(kept.sound(end), sound[:end])
    assert kept.recorder.sample_rate == 16000
    assert kept.states == [RecorderState.OPEN, RecorderState.CLOSED]
    assert kept.recorder.overruns == 0


def test_what_ios_writes_at_the_end_is_read_and_what_is_no_sound_is_not(iphone, sound):
    recorder = FileGrowingRecorder()
    recorder.open()
    iphone.hear(sound)
    recorder.close()
    np.testing.assert_array_equal(np.concatenate(list(recorder.chunks())), sound)


def test_the_file_is_private_and_gone_after_closing(iphone, kept):
    with kept:
        (path,) = leftovers()
        assert os.stat(path).st_mode & 0o077 == 0
        assert os.stat(os.path.dirname(path)).st_mode & 0o077 == 0
    assert leftovers() == []


def test_files_of_an_app_that_was_killed_are_removed(iphone, kept):
    folder = os.path.join(tempfile.gettempdir(), "recorder")
    os.makedirs(folder, mode=0o700)
    with open(os.path.join(folder, "recording-old.caf"), "wb"):
        pass
    with kept:
        assert len(leftovers()) == 1 and "old" not in leftovers()[0]


def test_the_session_records_without_processing_and_is_given_back(iphone, kept):
    with kept:
        pass
    assert iphone.log == [
        "category AVAudioSessionCategoryRecord AVAudioSessionModeMeasurement 0",
        "active True",
        "record",
        "stop",
        "active False",
    ]


def test_constants_are_what_the_framework_exports(iphone, kept):
    iphone.symbols["AVAudioSessionModeMeasurement"] = "measure"
    with kept:
        pass
    assert iphone.log[0].endswith("measure 0")


@pytest.mark.parametrize(("rates", "expected"), [({44100.0, 48000.0}, 48000), ({44100.0}, 44100)])
def test_a_phone_without_16_khz_gives_its_own_rate(iphone, kept, rates, expected):
    iphone.rates = rates
    with kept:
        assert kept.recorder.sample_rate == expected
    assert leftovers() == []


def test_the_level_is_that_of_ios(iphone, kept, sound):
    assert kept.recorder.level is None
    iphone.power = -33.5
    with kept:
        iphone.hear(sound[:800])
        kept.sound(800)
        iphone.hear(sound[:800])
        kept.sound(1600)
        assert kept.recorder.level == -33.5


@pytest.mark.parametrize(
    ("setting", "error", "message"),
    [
        ({"in_call": True}, MicrophoneBusy, "end it"),
        ({"has_microphone": False}, MicrophoneMissing, "connect one"),
        ({"rates": {8000.0}}, UnsupportedFormat, "16000, 48000, 44100 Hz"),
        ({"permission": "denied"}, PermissionDenied, "settings"),
        ({"permission": "undetermined"}, PermissionDenied, "allow it"),
    ],
)
def test_a_microphone_that_cannot_be_had_says_why(iphone, setting, error, message):
    for name, value in setting.items():
        setattr(iphone, name, value)
    recorder = FileGrowingRecorder()
    with pytest.raises(error, match=message) as caught:
        recorder.open()
    assert recorder.state is RecorderState.FAILED
    assert getattr(caught.value, "for_ever", True) is (setting.get("permission") != "undetermined")
    assert leftovers() == []


def test_a_call_interrupts_and_the_recording_goes_on_after_it(iphone, kept, sound, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    with kept:
        kept.wait_for(RecorderState.OPEN)
        iphone.hear(sound[:800])
        kept.sound(800)
        iphone.call(begins=True)
        kept.wait_for(RecorderState.PAUSED)
        assert kept.recorder.interrupted
        iphone.hear(sound[800:1600])  # the call's
        iphone.call(begins=False)
        kept.wait_for(RecorderState.OPEN)
        assert not kept.recorder.interrupted
        iphone.hear(sound[1600:3200])
        heard = kept.sound(2400)
    np.testing.assert_array_equal(heard, np.concatenate([sound[:800], sound[1600:3200]]))


def test_a_pause_is_not_in_the_recording(iphone, kept, sound):
    with kept:
        iphone.hear(sound[:800])
        kept.sound(800)
        kept.recorder.pause()
        iphone.hear(sound[800:1600])
        assert kept.recorder.state is RecorderState.PAUSED and not kept.recorder.interrupted
        kept.recorder.resume()
        iphone.hear(sound[1600:2400])
        heard = kept.sound(1600)
    np.testing.assert_array_equal(heard, np.concatenate([sound[:800], sound[1600:2400]]))


def test_resuming_in_a_call_is_refused_and_stays_paused(iphone, kept, sound):
    with kept:
        kept.recorder.pause()
        iphone.call(begins=True)
        with pytest.raises(MicrophoneBusy, match="call"):
            kept.recorder.resume()
        assert kept.recorder.state is RecorderState.PAUSED
        iphone.call(begins=False)
        kept.recorder.resume()
        iphone.hear(sound[:800])
        kept.sound(800)


def test_a_file_that_no_longer_grows_means_that_the_microphone_is_lost(iphone, kept, monkeypatch):
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.2)
    with kept:
        kept.wait_for(RecorderState.FAILED)
    assert isinstance(kept.error, MicrophoneLost)
    assert leftovers() == []


def test_the_route_is_followed(iphone, kept, sound, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    with kept:
        assert kept.recorder.route == "iPhone Microphone"
        for route in ("Headset", ""):
            iphone.route = route
            for _ in range(3):
                iphone.hear(sound[:100])
                kept.sound(len(kept.sound(0)) + 1)
            assert kept.recorder.route == route


@pytest.mark.parametrize(
    ("granted", "answer"), [(True, Permission.GRANTED), (False, Permission.DENIED_FOR_EVER)]
)
def test_recording_makes_ios_ask_and_the_answer_is_awaited(iphone, granted, answer):
    iphone.permission = "undetermined"
    recorder = FileGrowingRecorder()
    answers = queue.Queue()
    assert not recorder.has_permission() and not recorder.should_explain()
    recorder.request_permission(answers.put)
    while not iphone.asking:
        threading.Event().wait(0.001)
    assert answers.empty()
    iphone.answer(granted)
    assert answers.get(timeout=PATIENCE) is answer
    assert recorder.has_permission() is granted
    assert leftovers() == []
    recorder.request_permission(answers.put)  # not asked again
    assert answers.get_nowait() is answer


def test_in_a_call_ios_is_not_asked_and_nothing_is_denied_for_ever(iphone):
    iphone.permission, iphone.in_call = "undetermined", True
    answers = queue.Queue()
    FileGrowingRecorder().request_permission(answers.put)
    assert answers.get(timeout=PATIENCE) is Permission.DENIED


@pytest.mark.parametrize("shown", [True, False])
def test_the_settings_of_the_app_are_shown(iphone, shown):
    iphone.settings_open = shown
    assert FileGrowingRecorder().open_settings() is shown
    assert iphone.log == ["open UIApplicationOpenSettingsURLString"]


def test_without_the_shim_the_file_is_read(iphone):
    assert isinstance(ios_recorder(), FileGrowingRecorder)


def test_a_hundred_rounds_leave_no_thread_and_no_file(iphone, sound):
    recorder = FileGrowingRecorder()
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        with recorder:
            iphone.hear(sound[:800])
        np.testing.assert_array_equal(np.concatenate(list(recorder.chunks())), sound[:800])
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files
    assert leftovers() == []


def test_a_header_that_comes_byte_by_byte_is_awaited(tmp_path):
    path = tmp_path / "grows.caf"
    caf = GrowingCaf(str(path))
    assert len(caf.new()) == 0  # not even made yet
    content = caf_header(48000.0) + np.arange(3, dtype="<i2").tobytes()
    heard = []
    for byte in content:
        with path.open("ab") as file:
            file.write(bytes([byte]))
        heard.extend(caf.new().tolist())
    assert heard == [0, 1, 2]
    assert caf.sample_rate == 48000
    caf.close()


def test_big_endian_samples_are_turned(tmp_path):
    path = tmp_path / "big.caf"
    path.write_bytes(caf_header(16000.0, flags=0) + np.array([1, -2], ">i2").tobytes())
    caf = GrowingCaf(str(path))
    samples = caf.new()
    assert samples.tolist() == [1, -2] and samples.dtype == np.int16
    caf.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF0000", "not a Core Audio file"),
        (caf_header(16000.0, channels=2), "2 channels"),
        (caf_header(16000.0, bits=32, flags=3), "32 bits"),
        (b"caff\0\1\0\0" + b"data" + b"\xff" * 8 + bytes(4), "without a format"),
        (b"caff\0\1\0\0" + b"free" + b"\xff" * 8, "damaged"),
    ],
)
def test_another_format_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "wrong.caf"
    path.write_bytes(content)
    caf = GrowingCaf(str(path))
    with pytest.raises(UnsupportedFormat, match=message) as caught:
        caf.new()
    assert str(path) in str(caught.value)
    caf.close()
