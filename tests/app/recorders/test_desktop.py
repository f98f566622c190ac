from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from app.recorders import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    MissingPackage,
    Permission,
    RecorderState,
)
from app.recorders.desktop import DesktopRecorder
from tests.edge.fake_portaudio import FakePortAudio


@pytest.fixture
def portaudio(monkeypatch, speech):
    fake = FakePortAudio(speech("female", seconds=2.0), endless=True)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def take(recorder: DesktopRecorder, count: int) -> np.ndarray:
    """So many samples."""
    chunks, taken = recorder.chunks(), np.zeros(0, np.int16)
    while len(taken) < count:
        taken = np.concatenate([taken, next(chunks)])
    return taken


def test_it_hears_the_device_in_16_bits_at_its_own_rate(portaudio):
    portaudio.sample_rate = 48000
    with DesktopRecorder() as recorder:
        sound = take(recorder, 31200)
    assert recorder.sample_rate == 48000
    assert sound.dtype == np.int16
    np.testing.assert_allclose(sound / 32768, portaudio.sound[: len(sound)], atol=0.51 / 32768)
    assert portaudio.closed == 1


def test_a_device_can_be_named(portaudio):
    with DesktopRecorder("Head"):
        pass
    assert portaudio.opened[0]["device"] == "Head"


def test_an_unplugged_device_is_lost_after_what_it_gave(portaudio):
    portaudio.endless = False
    recorder = DesktopRecorder()
    recorder.open()
    chunks = []
    with pytest.raises(MicrophoneLost, match="Built-in Microphone is gone"):
        chunks.extend(recorder.chunks())
    assert len(np.concatenate(chunks)) == 32000
    assert recorder.state is RecorderState.FAILED
    recorder.close()
    assert portaudio.closed == 1


def test_a_pause_lets_go_of_the_device_and_resuming_takes_it_at_the_same_rate(portaudio):
    with DesktopRecorder() as recorder:
        take(recorder, 1600)
        recorder.pause()
        assert portaudio.closed == 1
        portaudio.sample_rate = 44100  # another device is the default by now
        recorder.resume()
        take(recorder, 1600)
    assert [each["samplerate"] for each in portaudio.opened] == [16000, 16000]
    assert portaudio.closed == 2


def test_losses_of_portaudio_are_counted_over_pauses(portaudio):
    portaudio.overflows = (2, 3)
    with DesktopRecorder() as recorder:
        recorder.pause()
        recorder.resume()
        assert recorder.overruns == 4
    assert recorder.overruns == 4


def test_a_device_that_another_program_holds_is_busy(portaudio):
    portaudio.refuses = "Device unavailable"
    with pytest.raises(MicrophoneBusy, match="Device unavailable.*no other program"):
        DesktopRecorder().open()


def test_no_device_is_said(portaudio):
    with pytest.raises(MicrophoneMissing, match="connect one"):
        DesktopRecorder("none such").open()


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingPackage, match="pip install sounddevice"):
        DesktopRecorder().open()


def test_the_desktop_asks_for_no_permission(portaudio):
    answers = []
    recorder = DesktopRecorder()
    recorder.request_permission(answers.append)
    assert answers == [Permission.GRANTED]
    assert recorder.has_permission() and not recorder.should_explain()
    assert not recorder.open_settings()
    assert recorder.level is None


def test_many_rounds_leave_no_thread_behind(portaudio):
    before = threading.active_count()
    portaudio.sound = portaudio.sound[:1600]
    recorder = DesktopRecorder()
    for _ in range(20):
        with recorder:
            take(recorder, 1600)
    assert threading.active_count() == before
    assert portaudio.closed == 20
