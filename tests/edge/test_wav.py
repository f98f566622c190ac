"""The WAV reader on files of independent writers, and on damaged and unusual ones made here."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio import read_audio
from edge.errors import EdgeError, TooLongAudioError, UnreadableAudioError

SUBTYPES = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
SMALLEST_STEP = {"PCM_U8": 2**-7, "PCM_16": 2**-15, "PCM_24": 2**-23, "PCM_32": 2**-31}


def noise(frames: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (frames, channels))


def by_soundfile(samples: np.ndarray, rate: int, **how: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **how)
    return file.getvalue()


def chunk(kind: bytes, content: bytes, declared: int | None = None) -> bytes:
    size = len(content) if declared is None else declared
    return kind + struct.pack("<I", size) + content + b"\0" * (len(content) % 2)


def fmt(tag=1, channels=1, rate=16000, bits=16, block_align=None) -> bytes:
    block = channels * bits // 8 if block_align is None else block_align
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits))


def riff(*chunks: bytes, declared: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if declared is None else declared) + body


SAMPLES = np.array([0, 16384, -32768, 32767], dtype="<i2")
AS_FLOAT = np.float32([[0], [0.5], [-1], [32767 / 32768]])


def assert_reads(data: bytes, expected: np.ndarray = AS_FLOAT, rate: int = 16000) -> None:
    samples, sample_rate = read_audio(data)
    assert sample_rate == rate
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples, expected)


@settings(deadline=None)
@given(
    subtype=st.sampled_from(SUBTYPES),
    container=st.sampled_from(["WAV", "WAVEX", "RF64"]),
    frames=st.integers(0, 300),
    channels=st.integers(1, 8),
    rate=st.integers(1, 192000),
    seed=st.integers(0, 99),
)
def test_what_libsndfile_writes_is_read(subtype, container, frames, channels, rate, seed):
    written = noise(frames, channels, seed)
    data = by_soundfile(written, rate, format=container, subtype=subtype)
    samples, sample_rate = read_audio(data)
    assert sample_rate == rate
    assert samples.shape == (frames, channels)
    step = SMALLEST_STEP.get(subtype, 0)
    np.testing.assert_allclose(samples, written, rtol=1e-7, atol=step + 1e-7)
    reference, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    np.testing.assert_array_equal(samples, reference)


@pytest.mark.parametrize("dtype", ["u1", "<i2", "<i4", "<f4", "<f8"])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_what_scipy_writes_is_read(dtype, channels):
    written = noise(101, channels)
    if dtype == "u1":
        stored = np.round(written * 127 + 128).astype(dtype)
        expected = (stored - 128.0) / 128
    elif "i" in dtype:
        scale = 2.0 ** (8 * np.dtype(dtype).itemsize - 1)
        stored = (written * (scale - 1)).astype(dtype)
        expected = stored / scale
    else:
        stored = expected = written.astype(dtype)
    file = io.BytesIO()
    scipy.io.wavfile.write(file, 22050, stored)
    assert_reads(file.getvalue(), expected.astype(np.float32), 22050)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_what_the_standard_library_writes_is_read_at_full_scale(width):
    lowest = b"\0" * (width - 1) + (b"\0" if width == 1 else b"\x80")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(width)
        writer.setframerate(8000)
        writer.writeframes(lowest * 5)
    assert_reads(file.getvalue(), np.full((5, 1), -1, np.float32), 8000)


@given(kinds=st.lists(st.tuples(st.sampled_from([b"LIST", b"fact", b"bext", b"\xff\0ab"]),
                                st.binary(max_size=9)), max_size=6))  # fmt: skip
def test_other_chunks_before_and_after_are_passed_over(kinds):
    others = [chunk(kind, content) for kind, content in kinds]
    data = chunk(b"data", SAMPLES.tobytes())
    assert_reads(riff(*others, fmt(), *others, data, *others))


def test_an_odd_data_chunk_is_read_whole():
    data = chunk(b"data", bytes([128, 192, 0]))
    assert_reads(riff(fmt(bits=8), data, chunk(b"LIST", b"x")), np.float32([[0], [0.5], [-1]]))


@pytest.mark.parametrize(
    ("declared", "riff_declared"),
    [(0, 0), (0, 36), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF000, 0x7FFFF024), (0x80000000, 0x80000024)],
)
@pytest.mark.parametrize("extra", [b"", b"\x01"])
def test_a_streamed_file_of_unknown_length_is_read_to_its_last_whole_block(
    declared, riff_declared, extra
):
    data = b"data" + struct.pack("<I", declared) + SAMPLES.tobytes() + extra
    assert_reads(riff(fmt(), data, declared=riff_declared))


def test_an_empty_data_chunk_before_others_is_empty():
    data = riff(fmt(channels=2), chunk(b"data", b""), chunk(b"LIST", b"INFOabcd"))
    assert_reads(data, np.zeros((0, 2), np.float32))


def test_rf64_takes_the_length_of_its_ds64_chunk():
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 100, SAMPLES.nbytes, 4, 0))
    data = b"data\xff\xff\xff\xff" + SAMPLES.tobytes() + chunk(b"LIST", b"INFOabcd")
    assert_reads(b"RF64\xff\xff\xff\xffWAVE" + ds64 + fmt() + data)


def test_a_truncated_wav_names_the_missing_bytes():
    whole = by_soundfile(noise(1000, 2), 44100, format="WAV", subtype="PCM_16")
    with pytest.raises(UnreadableAudioError, match=r"declares 4000 bytes of sound, 123 of them"):
        read_audio(whole[:-123])


def test_a_truncated_chunk_before_the_data_names_the_missing_bytes():
    data = riff(fmt(), chunk(b"LIST", b"abcd", declared=50))
    with pytest.raises(UnreadableAudioError, match="'LIST' declares 50 bytes, 46 of them"):
        read_audio(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (riff(), "without a 'fmt ' or 'data' chunk"),
        (riff(fmt()), "without a 'data' chunk"),
        (riff(chunk(b"data", b"1234"), fmt()), "no 'fmt ' chunk before its data"),
        (riff(chunk(b"fmt ", b"12345678")), "has 8 bytes, at least 16"),
        (riff(chunk(b"fmt ", struct.pack("<HHIIHH", 0xFFFE, 1, 9, 9, 2, 16))), "40 are needed"),
        (riff(fmt(channels=0)), "0 channels at 16000 Hz"),
        (riff(fmt(rate=0)), "1 channels at 0 Hz"),
        (riff(fmt(channels=2, block_align=3)), "blocks of 3 bytes, but 2 channels .* take 4"),
        (riff(fmt(channels=2), chunk(b"data", b"123456")), "6 bytes of sound, which is no whole"),
        (riff(fmt(bits=12)), "12-bit PCM"),
        (riff(fmt(tag=3, bits=16)), "16-bit float"),
        (riff(fmt(tag=0x1234)), r"unknown format \(tag 0x1234\)"),
        (riff(fmt(tag=0x0055)), "MP3"),
    ],
)
def test_a_damaged_or_foreign_header_is_named(data, message):
    with pytest.raises(UnreadableAudioError, match=message):
        read_audio(data)


@pytest.mark.parametrize(
    ("subtype", "name"),
    [
        ("ALAW", "A-law"),
        ("ULAW", "mu-law"),
        ("MS_ADPCM", "Microsoft ADPCM"),
        ("IMA_ADPCM", "IMA ADPCM"),
    ],
)
def test_a_compressed_wav_names_its_format_and_the_remedy(subtype, name):
    data = by_soundfile(noise(4000, 1), 8000, format="WAV", subtype=subtype)
    with pytest.raises(UnreadableAudioError, match=f"{name}, which is not read.*ffmpeg"):
        read_audio(data)


def test_a_file_beyond_the_limit_is_refused_before_its_samples_are_read():
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

    file = Counting(by_soundfile(noise(8000, 1), 8000, format="WAV", subtype="PCM_16"))
    with pytest.raises(TooLongAudioError, match=r"1\.0 s of sound, and the limit is 0\.5 s"):
        read_audio(file, max_duration=0.5)
    assert file.taken < 100


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_but_never_a_traceback_from_below(data):
    whole = bytearray(by_soundfile(noise(50, 2), 8000, format="WAVEX", subtype="PCM_16"))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 90))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        samples, rate = read_audio(bytes(whole[:cut]))
    except EdgeError:
        return
    assert samples.ndim == 2
    assert rate > 0
