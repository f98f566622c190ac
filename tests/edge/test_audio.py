"""Files and arrays in, 16 kHz mono out, and the defined outcome of every bad sound."""

from __future__ import annotations

import builtins
import io
import pathlib
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio import read_audio, to_mono_16k
from edge.errors import (
    AudioError,
    EdgeError,
    EmptyAudioError,
    NonFiniteAudioError,
    SettingsError,
    SilentAudioError,
    TooLongAudioError,
    TooShortAudioError,
    UnreadableAudioError,
)


@pytest.fixture
def samples() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (4000, 2)).astype(np.float32)


@pytest.fixture
def wav(tmp_path, samples) -> pathlib.Path:
    soundfile.write(tmp_path / "two.wav", samples, 16000, subtype="FLOAT")
    return tmp_path / "two.wav"


class Pipe(io.RawIOBase):
    """A stream that cannot go back."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def test_a_file_is_taken_as_path_text_bytes_or_file_object(wav, samples):
    data = wav.read_bytes()
    behind = io.BytesIO(b"before" + data)
    behind.seek(6)
    with open(wav, "rb") as opened:
        forms = [wav, str(wav), data, bytearray(data), memoryview(data), io.BytesIO(data), opened,
                 behind, Pipe(data)]  # fmt: skip
        for form in forms:
            read, rate = read_audio(form)
            assert rate == 16000
            np.testing.assert_array_equal(read, samples)


@pytest.mark.parametrize(
    ("form", "suffix"), [("FLAC", "flac"), ("OGG", "ogg"), ("MP3", "mp3"), ("AIFF", "aiff")]
)
def test_other_formats_are_read_through_soundfile(tmp_path, samples, form, suffix):
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, samples, 16000, format=form)
    for source in (path, path.read_bytes()):
        read, rate = read_audio(source)
        assert rate == 16000
        assert read.dtype == np.float32
        assert read.shape[1] == 2
    with pytest.raises(TooLongAudioError, match="limit is 0.1 s"):
        read_audio(path, max_duration=0.1)


@pytest.fixture
def no_soundfile(monkeypatch):
    monkeypatch.delitem(sys.modules, "soundfile", raising=False)
    original = builtins.__import__

    def refuse(name, *arguments, **named):
        if name == "soundfile":
            raise ImportError("No module named 'soundfile'")
        return original(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)


def test_without_soundfile_the_error_says_what_to_install(tmp_path, samples, request):
    path = tmp_path / "clip.flac"
    soundfile.write(path, samples, 16000)
    request.getfixturevalue("no_soundfile")
    with pytest.raises(UnreadableAudioError, match="clip.flac.*pip install soundfile"):
        read_audio(path)


def test_without_soundfile_wav_is_read_all_the_same(wav, samples, no_soundfile):
    np.testing.assert_array_equal(read_audio(wav)[0], samples)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"RIFF", "soundfile decodes"),
        (b"no sound" * 99, "soundfile decodes"),
    ],
)
def test_a_file_that_is_no_sound_is_named(tmp_path, content, message):
    path = tmp_path / "odd.wav"
    path.write_bytes(content)
    with pytest.raises(UnreadableAudioError, match=f"odd.wav: .*{message}"):
        read_audio(path)


def test_a_path_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UnreadableAudioError, match=r"gone\.wav: cannot be read: No such file"):
        read_audio(tmp_path / "gone.wav")
    with pytest.raises(UnreadableAudioError, match="cannot be read"):
        read_audio(tmp_path)
    with pytest.raises(UnreadableAudioError, match="null character"):
        read_audio("a\0b.wav")


@pytest.mark.parametrize("wrong", [None, 3, ["a.wav"], io.StringIO("text")])
def test_what_is_no_file_is_refused(wrong):
    with pytest.raises(SettingsError, match="binary"):
        read_audio(wrong)


def tone(rate: int, seconds: float = 0.5) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 500 * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 192000])
@pytest.mark.parametrize("channels", [None, 1, 2, 8])
def test_every_sound_becomes_mono_at_16_khz(rate, channels):
    sound = tone(rate) if channels is None else np.repeat(tone(rate)[:, None], channels, axis=1)
    mono = to_mono_16k(sound, rate)
    assert mono.shape == (8000,)
    assert mono.dtype == np.float32
    np.testing.assert_allclose(mono[800:-800], tone(16000)[800:-800], atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero"),
    [
        ("i2", 2**15, 0),
        (">i2", 2**15, 0),
        ("i4", 2**31, 0),
        ("u1", 128, 128),
        ("f2", 1, 0),
        ("f8", 1, 0),
    ],
)
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_every_type_of_sample_has_the_same_full_scale(dtype, scale, zero, channels):
    stored = (tone(16000) * scale + zero).astype(dtype)
    shaped = stored if channels is None else np.repeat(stored[:, None], channels, axis=1)
    step = {"f2": 2.0**-11, "f8": 2.0**-24}.get(dtype, 1 / scale)  # astype truncates
    np.testing.assert_allclose(to_mono_16k(shaped, 16000), tone(16000), atol=1.01 * step + 1e-7)


def test_channels_are_averaged(samples):
    np.testing.assert_allclose(to_mono_16k(samples, 16000), samples.mean(axis=1), atol=1e-7)


def test_a_rate_may_be_a_whole_float_and_arrays_may_be_strided(samples):
    mono = to_mono_16k(samples[:, 0], 16000.0)
    np.testing.assert_array_equal(mono, samples[:, 0])
    assert mono.flags.c_contiguous


@pytest.mark.parametrize("shape", [(0,), (0, 1), (0, 2)])
def test_an_empty_sound(shape):
    with pytest.raises(EmptyAudioError, match="no samples"):
        to_mono_16k(np.zeros(shape, np.float32), 16000)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_the_first_sample_that_is_not_finite_is_named(bad, dtype):
    sound = tone(16000).astype(dtype)
    sound[[777, 2000]] = bad
    with pytest.raises(NonFiniteAudioError, match=f"sample 777 is {bad}"):
        to_mono_16k(sound, 16000)
    stereo = np.stack([tone(16000).astype(dtype), sound], axis=1)
    with pytest.raises(NonFiniteAudioError, match="sample 777 of channel 1 is"):
        to_mono_16k(stereo, 16000)


@pytest.mark.parametrize("huge", [1e18, 1e300, -3e38])
def test_a_sample_whose_power_float32_cannot_hold_counts_as_infinite(huge):
    sound = tone(16000)
    sound[5] = huge
    with pytest.raises(NonFiniteAudioError, match="sample 5 is"):
        to_mono_16k(sound, 16000)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(16000, np.float32),
        np.zeros((16000, 2), np.int16),
        np.full(16000, 128, np.uint8),
        np.full(16000, 1e-9),
        np.outer(tone(16000), [1, -1]),
    ],
    ids=["zero", "int16 zero", "uint8 middle", "below the floor", "channels that cancel"],
)
def test_a_silent_sound(sound):
    with pytest.raises(SilentAudioError, match="silent"):
        to_mono_16k(sound, 16000)


@pytest.mark.parametrize(
    "sound",
    [tone(16000) * 1e-4, np.eye(1, 16000, 128)[0] * 1e-3, np.full(9999, 1e-3)],
    ids=["faint tone", "faint click", "faint constant"],
)
def test_a_faint_sound_is_not_silent(sound):
    to_mono_16k(sound, 16000)


@pytest.mark.parametrize(
    ("rate", "least"), [(16000, 1024), (8000, 512), (48000, 3070), (44100, 2820)]
)
def test_a_sound_shorter_than_one_frame(rate, least):
    with pytest.raises(TooShortAudioError, match="one frame of 64 ms"):
        to_mono_16k(tone(rate)[: least - 1], rate)
    assert to_mono_16k(tone(rate)[:least], rate).size == 1024


def test_a_sound_longer_than_the_limit():
    sound = tone(8000, 2.0)
    with pytest.raises(TooLongAudioError, match=r"2\.0 s of sound, and the limit is 1\.5 s"):
        to_mono_16k(sound, 8000, max_duration=1.5)
    assert to_mono_16k(sound, 8000, max_duration=2.0).size == 32000
    hour = np.broadcast_to(np.float32(0.1), 8000 * 3600 + 1)
    with pytest.raises(TooLongAudioError, match="3600"):
        to_mono_16k(hour, 8000)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), "1", True])
def test_a_wrong_limit_is_refused(limit, wav):
    with pytest.raises(SettingsError, match="max_duration"):
        to_mono_16k(tone(16000), 16000, max_duration=limit)
    with pytest.raises(SettingsError, match="max_duration"):
        read_audio(wav, max_duration=limit)


@pytest.mark.parametrize("rate", [7999, 192001, 0, -16000])
def test_a_rate_outside_the_range(rate):
    with pytest.raises(AudioError, match=r"outside 8000 \.\.\. 192000 Hz"):
        to_mono_16k(tone(16000), rate)


@pytest.mark.parametrize("rate", [None, "16000", 16000.5, float("nan"), float("inf"), True])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(SettingsError, match="sample_rate"):
        to_mono_16k(tone(16000), rate)


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (np.zeros(4000, np.int64), "int64: their full scale is not known"),
        (np.zeros(4000, complex), "complex128"),
        (np.zeros(4000, bool), "bool"),
        ([None], "object"),
        ("clip.wav", "<U8"),
        (np.float32(1), r"shape \(\)"),
        (np.zeros((9, 9, 9)), r"shape \(9, 9, 9\)"),
        (np.zeros((2, 48000)), "48000 channels.*the transpose"),
    ],
)
def test_what_is_no_sound_is_refused(sound, message):
    with pytest.raises(SettingsError, match=message):
        to_mono_16k(sound, 16000)


@settings(deadline=None)
@given(
    rate=st.integers(8000, 192000),
    n=st.integers(0, 3000),
    channels=st.integers(1, 3),
    value=st.floats(width=32),
)
def test_every_array_is_a_finite_sound_or_an_error_of_this_package(rate, n, channels, value):
    sound = np.zeros((n, channels), np.float32)
    sound[n // 2 :, 0] = value
    try:
        mono = to_mono_16k(sound, rate)
    except EdgeError:
        return
    assert mono.size == -(-n * 16000 // rate)
    assert np.isfinite(mono).all()
