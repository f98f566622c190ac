"""Sound in: files and arrays to 16 kHz mono, with a defined outcome for every bad sound.

    nothing in it                       EmptyAudioError
    NaN, or infinite, or beyond 1e18    NonFiniteAudioError, names the first sample
    no cell above -100 dB               SilentAudioError
    shorter than one frame, 64 ms       TooShortAudioError
    longer than max_duration, 1 hour    TooLongAudioError
    a file that cannot be decoded       UnreadableAudioError
    a sample rate off 8 ... 192 kHz     AudioError
    an argument of the wrong kind       SettingsError
"""

from __future__ import annotations

import io
import math
import numbers
import os
from typing import Any, BinaryIO, Union

import numpy as np
from numpy.typing import NDArray

from edge.errors import (
    AudioError,
    EmptyAudioError,
    NonFiniteAudioError,
    SettingsError,
    TooLongAudioError,
    TooShortAudioError,
    UnreadableAudioError,
)
from edge.features import FrontEnd, LogMel, require_audible
from edge.resampling import HIGHEST_RATE, LOWEST_RATE, TARGET_RATE, resample_to_16k
from edge.wav import is_wav, read_wav

AudioFile = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO]

_SHORTEST = FrontEnd().frame_length  # samples at 16 kHz
# A sound that reaches this is above the floor in some cell, whatever its spectrum.
_SURELY_AUDIBLE = 1e-3
# Full scale is 1; from here on sums and squares may leave float32.
_INFINITE = 1e18


def read_audio(
    path: AudioFile, max_duration: float | None = None
) -> tuple[NDArray[np.float32], int]:
    """Reads a sound file: WAV by itself, every other format through soundfile if it is installed.

    path: where the file is, or its bytes, or a binary file object
    max_duration: seconds beyond which a file is refused before its samples are read; None for any
    returns: (n, channels) float32, full scale 1, n may be 0; sample rate in hertz
    Raises UnreadableAudioError, TooLongAudioError, SettingsError.
    """
    _check_max_duration(max_duration)
    if isinstance(path, (bytes, bytearray, memoryview)):
        return _read_file(io.BytesIO(path), "the given bytes", max_duration)
    if isinstance(path, (str, os.PathLike)):
        return _read_path(path, max_duration)
    if not callable(getattr(path, "read", None)):
        raise SettingsError(
            f"a path, bytes or a binary file object is wanted, not {type(path).__name__}"
        )
    name = str(getattr(path, "name", "the given file object"))
    seekable = getattr(path, "seekable", None)
    if callable(seekable) and seekable() and path.tell() == 0:
        return _read_file(path, name, max_duration)
    data = path.read()
    if not isinstance(data, bytes):
        raise SettingsError(f"{name}: open the file in binary mode, 'rb'")
    return _read_file(io.BytesIO(data), name, max_duration)


def _read_path(
    path: str | os.PathLike[str], max_duration: float | None
) -> tuple[NDArray[np.float32], int]:
    name = str(os.fspath(path))
    if "\0" in name:
        raise UnreadableAudioError(f"{name!r}: no path holds a null character")
    try:
        with open(path, "rb") as file:
            return _read_file(file, name, max_duration)
    except OSError as error:
        raise UnreadableAudioError(f"{name}: cannot be read: {error.strerror or error}") from error


def _read_file(
    file: BinaryIO, name: str, max_duration: float | None
) -> tuple[NDArray[np.float32], int]:
    head = file.read(12)
    file.seek(0)
    if not isinstance(head, bytes):
        raise SettingsError(f"{name}: open the file in binary mode, 'rb'")
    if not head:
        raise UnreadableAudioError(f"{name}: the file is empty; record or copy it again")
    if is_wav(head):
        return read_wav(file, name, max_duration)
    return _read_by_soundfile(file, name, max_duration)


def _read_by_soundfile(
    file: BinaryIO, name: str, max_duration: float | None
) -> tuple[NDArray[np.float32], int]:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package without its library
        raise UnreadableAudioError(
            f"{name}: not a WAV file; for FLAC, OGG, MP3 and Opus: pip install soundfile"
        ) from error
    try:
        with soundfile.SoundFile(file) as sound:
            duration = sound.frames / sound.samplerate
            if max_duration is not None and duration > max_duration:
                raise TooLongAudioError.beyond(max_duration, duration, name)
            samples: NDArray[Any] = sound.read(dtype="float32", always_2d=True)
            return samples, sound.samplerate
    except soundfile.SoundFileError as error:
        raise UnreadableAudioError(
            f"{name}: neither WAV nor anything that soundfile decodes ({error}); "
            "convert it to WAV, for example by: ffmpeg -i IN OUT.wav"
        ) from error


def to_mono_16k(
    samples: NDArray[Any], sample_rate: int, max_duration: float | None = 3600.0
) -> NDArray[np.float32]:
    """Checks a sound, averages its channels and resamples it to 16 kHz.

    samples: (n,) or (n, channels); float (full scale 1), int16, int32 or uint8 (128 is zero)
    sample_rate: a whole number of hertz from 8000 to 192000
    max_duration: seconds; None for any
    returns: (ceil(n * 16000 / sample_rate),) float32, full scale 1; may share memory with samples
    Raises the errors that this module's docstring lists.

    >>> noise = np.random.default_rng(0).integers(-1000, 1000, (44100, 2)).astype(np.int16)
    >>> sound = to_mono_16k(noise, 44100)
    >>> sound.shape, sound.dtype.name
    ((16000,), 'float32')
    """
    mono, rate = checked_mono(samples, sample_rate, max_duration)
    sound = resample_to_16k(mono, rate)
    if max(sound.max(), -sound.min()) < _SURELY_AUDIBLE:
        require_audible(LogMel()(sound))
    return sound


def checked_mono(
    samples: NDArray[Any], sample_rate: int, max_duration: float | None = 3600.0
) -> tuple[NDArray[np.float32], int]:
    """Checks a whole sound, all but its loudness, and averages its channels.

    samples, sample_rate, max_duration: as for `to_mono_16k`
    returns: (n,) float32, full scale 1, which may share memory with samples; the sample rate
    Raises the errors that this module's docstring lists, but for SilentAudioError.
    """
    samples = _check_array(samples)
    rate = check_sample_rate(sample_rate)
    _check_max_duration(max_duration)
    if samples.size == 0:
        raise EmptyAudioError("the sound is empty: it has no samples; record it again")
    duration = samples.shape[0] / rate
    if max_duration is not None and duration > max_duration:
        raise TooLongAudioError.beyond(max_duration, duration)
    if samples.shape[0] * TARGET_RATE <= (_SHORTEST - 1) * rate:
        raise TooShortAudioError(
            f"the sound is too short: {1000 * duration:.1f} ms, and one frame of "
            f"{1000 * _SHORTEST / TARGET_RATE:g} ms is the least; record more"
        )
    _check_finite(samples)
    return _mono(samples), rate


def to_mono(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Checks a piece of a sound and averages its channels; the sample rate stays.

    samples: (n,) or (n, channels), of the types that `to_mono_16k` takes; n may be 0
    returns: (n,) float32, full scale 1; may share memory with samples
    Raises NonFiniteAudioError, SettingsError.
    """
    samples = _check_array(samples)
    if samples.size == 0:
        return np.empty(0, np.float32)
    _check_finite(samples)
    return _mono(samples)


def _check_array(samples: NDArray[Any]) -> NDArray[Any]:
    samples = np.asarray(samples)
    wide_enough = np.float32 if samples.dtype == np.float16 else samples.dtype.newbyteorder("=")
    samples = samples.astype(wide_enough, copy=False)
    if samples.dtype.kind != "f" and samples.dtype not in (np.int16, np.int32, np.uint8):
        raise SettingsError(
            f"samples of {samples.dtype}: their full scale is not known; "
            "give int16, int32, uint8, or float with full scale 1"
        )
    if samples.ndim not in (1, 2):
        raise SettingsError(
            f"samples of shape {samples.shape}: give (n,) or (n, channels)"
        )
    if samples.ndim == 2 and samples.shape[1] > max(32, samples.shape[0]):
        raise SettingsError(
            f"samples of shape {samples.shape}: that is {samples.shape[1]} channels; "
            "give (n, channels), the transpose"
        )
    return samples


def check_sample_rate(sample_rate: int) -> int:
    """The rate itself, a whole number of hertz from 8000 to 192000.

    Raises SettingsError for what is no such number, AudioError for one outside of that range.
    """
    whole = isinstance(sample_rate, numbers.Real) and not isinstance(sample_rate, bool)
    if not whole or not math.isfinite(sample_rate) or sample_rate != int(sample_rate):
        raise SettingsError(
            f"sample_rate: a whole number of hertz is wanted, not {sample_rate!r}"
        )
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise AudioError(
            f"a sample rate of {sample_rate:g} Hz is outside {LOWEST_RATE} ... {HIGHEST_RATE} Hz; "
            "check it, or record at 16000 Hz"
        )
    return int(sample_rate)


def _check_max_duration(max_duration: float | None) -> None:
    if max_duration is None:
        return
    number = isinstance(max_duration, numbers.Real) and not isinstance(max_duration, bool)
    if not number or not max_duration > 0:
        raise SettingsError(
            f"max_duration: positive seconds or None are wanted, not {max_duration!r}"
        )


def _check_finite(samples: NDArray[Any]) -> None:
    if samples.dtype.kind != "f":
        return
    finite = np.abs(samples) < _INFINITE  # not so for NaN
    if not finite.all():
        first = np.unravel_index(finite.argmin(), finite.shape)
        where = f"sample {first[0]}" + (f" of channel {first[1]}" if samples.ndim == 2 else "")
        raise NonFiniteAudioError(
            f"the sound is not finite: {where} is {samples[first]}; repair what makes the samples"
        )


def _mono(samples: NDArray[Any]) -> NDArray[np.float32]:
    """(n,) float32, full scale 1."""
    if samples.ndim == 2:
        centre = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float64)
    else:
        centre = samples
    if samples.dtype == np.uint8:
        centre = centre.astype(np.float64) - 128
    mono = np.ascontiguousarray(centre, dtype=np.float32)
    if samples.dtype.kind == "f":
        return mono
    full_scale = {np.dtype(np.uint8): 128, np.dtype(np.int16): 2**15, np.dtype(np.int32): 2**31}
    return mono * np.float32(1 / full_scale[samples.dtype])
