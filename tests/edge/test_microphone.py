from __future__ import annotations

import sys

import numpy as np
import pytest

from edge.errors import AudioError, MicrophoneError, MissingPackageError, SettingsError
from edge.microphone import BLOCK_SECONDS, QUEUE_SECONDS, Microphone, input_devices
from tests.edge.fake_portaudio import FakePortAudio


@pytest.fixture
def portaudio(monkeypatch, speech):
    fake = FakePortAudio(speech("female", seconds=2.0))
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def test_blocks_are_the_sound_of_the_device(portaudio):
    with Microphone() as microphone:
        blocks = list(microphone)
    assert {block.shape for block in blocks} == {(round(16000 * BLOCK_SECONDS),)}
    np.testing.assert_array_equal(np.concatenate(blocks), portaudio.sound)
    assert blocks[0].dtype == np.float32
    assert microphone.over_runs == 0 and microphone.ended


def test_the_devices_own_rate_is_used_unless_another_is_asked_for(portaudio):
    portaudio.sample_rate = 48000
    with Microphone() as own, Microphone(sample_rate=22050) as other:
        assert (own.sample_rate, other.sample_rate) == (48000, 22050)
    rates = [settings["samplerate"] for settings in portaudio.opened]
    assert rates == [48000, 22050]
    assert all(settings["channels"] == 1 for settings in portaudio.opened)


@pytest.mark.parametrize(("device", "name"), [(None, "Built-in"), (2, "Head"), ("Built", "Built")])
def test_a_device_goes_by_number_or_part_of_its_name(portaudio, device, name):
    with Microphone(device) as microphone:
        assert microphone.name.startswith(name)
    assert portaudio.opened[0]["device"] == device


@pytest.mark.parametrize("device", ["Loudspeaker", 7, "none"])
def test_an_unknown_device_is_an_error_that_names_it(portaudio, device):
    with pytest.raises(MicrophoneError, match=repr(device)):
        Microphone(device)


def test_over_runs_of_portaudio_are_counted(portaudio):
    portaudio.overflows = (3, 4, 9)
    with Microphone() as microphone:
        assert len(list(microphone)) == 40
    assert microphone.over_runs == 3


def test_sound_that_nobody_reads_is_dropped_and_counted(portaudio):
    portaudio.sound = np.zeros(round(16000 * (QUEUE_SECONDS + 1.0)), np.float32)
    with Microphone() as microphone:
        kept = len(list(microphone))
    assert kept == QUEUE_SECONDS / BLOCK_SECONDS
    assert microphone.over_runs == 1.0 / BLOCK_SECONDS


def test_reading_gives_up_after_the_timeout(portaudio):
    portaudio.sound = portaudio.sound[:0]
    portaudio.endless = True
    with Microphone() as microphone:
        assert microphone.read(timeout=0.0) is None
        assert not microphone.ended
    assert microphone.ended and microphone.read(timeout=0.0) is None


def test_closing_ends_the_iteration_after_what_was_heard(portaudio):
    portaudio.endless = True
    with Microphone() as microphone:
        blocks = iter(microphone)
        next(blocks)
        microphone.close()
        assert len(list(blocks)) == 39
    assert portaudio.closed == 1


def test_a_device_that_cannot_be_opened_is_named(portaudio):
    portaudio.refuses = "Device unavailable"
    with pytest.raises(MicrophoneError, match="Built-in Microphone .*Device unavailable"):
        Microphone().__enter__()


def test_reading_before_opening_is_an_error(portaudio):
    with pytest.raises(SettingsError, match="with"):
        Microphone().read(timeout=0.0)


def test_a_rate_out_of_range_is_refused(portaudio):
    with pytest.raises(AudioError, match="4000 Hz"):
        Microphone(sample_rate=4000)


def test_only_devices_that_record_are_listed_with_the_default(portaudio):
    listed = [(d.number, d.name, d.host, d.default) for d in input_devices()]
    assert listed == [
        (1, "Built-in Microphone", "Fake Audio", True),
        (2, "Head\033set", "Fake Audio", False),
    ]


def test_without_sounddevice_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingPackageError, match="pip install sounddevice"):
        Microphone()


def test_without_portaudio_the_error_says_what_to_install(monkeypatch, tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingPackageError, match="apt-get install libportaudio2"):
        Microphone()
