"""WAV files: RIFF and RF64, PCM of 8 to 32 bits and float of 32 or 64 bits, any channels.

Source: Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991);
WAVEFORMATEXTENSIBLE; EBU Tech 3306 for RF64.
"""

from __future__ import annotations

import dataclasses
import os
import struct
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge.errors import TooLongAudioError, UnreadableAudioError

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_STORED_BITS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
_OTHER_FORMATS = {
    0x0002: "Microsoft ADPCM",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0040: "G.721 ADPCM",
    0x0050: "MPEG layer 2",
    0x0055: "MP3",
    0x00FF: "AAC",
}
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")  # of a format tag as a GUID

# Written by ffmpeg, SoX and arecord when they cannot go back to fill in the length.
_UNKNOWN_LENGTHS = (0xFFFFFFFF, 0x7FFFF000, 0x80000000)


@dataclasses.dataclass(frozen=True)
class _Format:
    tag: int
    channels: int
    sample_rate: int
    block_align: int    # bytes of one sample of every channel
    bits: int           # of one sample as it is stored


def is_wav(head: bytes) -> bool:
    """Whether a file that begins with these 12 bytes is a RIFF or RF64 WAVE."""
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def read_wav(
    file: BinaryIO, name: str, max_duration: float | None = None
) -> tuple[NDArray[np.float32], int]:
    """Samples and sample rate of a seekable file that stands at the RIFF header.

    returns: (n, channels) float32, full scale 1; hertz
    Raises UnreadableAudioError, and TooLongAudioError (before the samples are read).
    """
    header = file.read(12)
    start = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(start)
    riff_end = start - 4 + int.from_bytes(header[4:8], "little")
    sound_format = None
    long_size = None  # of the data chunk, from RF64's ds64
    while True:
        chunk = file.read(8)
        if len(chunk) < 8:
            missing = "'fmt ' or 'data'" if sound_format is None else "'data'"
            raise UnreadableAudioError(
                f"{name}: the WAV file ends without a {missing} chunk; "
                "it was cut off or never finished: record or copy it again"
            )
        kind, size = struct.unpack("<4sI", chunk)
        here = file.tell()
        if kind == b"data":
            break
        if here + size > end:
            raise UnreadableAudioError(
                f"{name}: the WAV file is truncated: chunk {_printable(kind)} declares {size} "
                f"bytes, {here + size - end} of them are missing; copy it again"
            )
        if kind == b"fmt ":
            sound_format = _parse_format(file.read(size), name)
        elif kind == b"ds64" and size >= 16:
            long_size = struct.unpack("<8xQ", file.read(16))[0]
        file.seek(here + size + size % 2)

    if sound_format is None:
        raise UnreadableAudioError(
            f"{name}: the WAV file has no 'fmt ' chunk before its data; convert or record it again"
        )
    size = _data_size(size, long_size, end - here, riff_end <= here, sound_format, name)
    duration = size // sound_format.block_align / sound_format.sample_rate
    if max_duration is not None and duration > max_duration:
        raise TooLongAudioError.beyond(max_duration, duration, name)
    return _decode(file.read(size), sound_format), sound_format.sample_rate


def _parse_format(chunk: bytes, name: str) -> _Format:
    if len(chunk) < 16:
        raise UnreadableAudioError(
            f"{name}: the WAV file's 'fmt ' chunk has {len(chunk)} bytes, at least 16 are needed; "
            "convert or record it again"
        )
    tag, channels, rate, _, block_align, bits = struct.unpack("<HHIIHH", chunk[:16])
    if tag == _EXTENSIBLE:
        if len(chunk) < 40:
            raise UnreadableAudioError(
                f"{name}: the WAV file's extensible 'fmt ' chunk has {len(chunk)} bytes, 40 are "
                "needed; convert or record it again"
            )
        if chunk[26:40] == _GUID_TAIL:
            tag = int.from_bytes(chunk[24:26], "little")
    if bits not in _STORED_BITS.get(tag, ()):
        what = {_PCM: f"{bits}-bit PCM", _FLOAT: f"{bits}-bit float"}.get(tag)
        what = what or _OTHER_FORMATS.get(tag, f"of an unknown format (tag 0x{tag:04X})")
        raise UnreadableAudioError(
            f"{name}: the WAV file is {what}, which is not read here; convert it to 16-bit PCM, "
            "for example by: ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav"
        )
    if channels == 0 or rate == 0:
        raise UnreadableAudioError(
            f"{name}: the WAV file declares {channels} channels at {rate} Hz; "
            "convert or record it again"
        )
    if block_align != channels * bits // 8:
        raise UnreadableAudioError(
            f"{name}: the WAV file declares blocks of {block_align} bytes, but {channels} channels "
            f"of {bits} bits take {channels * bits // 8}; convert or record it again"
        )
    return _Format(tag, channels, rate, block_align, bits)


def _data_size(
    declared: int, long_size: int | None, there: int, riff_ends_here: bool, of: _Format, name: str
) -> int:
    """Bytes of sound to read, of those that are there after the head of the data chunk."""
    if long_size is not None and declared == 0xFFFFFFFF:
        declared = long_size
    elif (there < declared and declared in _UNKNOWN_LENGTHS) or (
        declared == 0 and riff_ends_here
    ):
        return there - there % of.block_align  # a stream may end within a block
    if declared > there:
        raise UnreadableAudioError(
            f"{name}: the WAV file is truncated: it declares {declared} bytes of sound, "
            f"{declared - there} of them are missing; copy or record it again"
        )
    if declared % of.block_align:
        raise UnreadableAudioError(
            f"{name}: the WAV file declares {declared} bytes of sound, which is no whole number of "
            f"its blocks of {of.block_align} bytes; convert or record it again"
        )
    return declared


def _decode(data: bytes, of: _Format) -> NDArray[np.float32]:
    """(n, channels) float32, full scale 1."""
    if of.tag == _FLOAT:
        with np.errstate(over="ignore"):  # infinite then, which is reported as such
            samples = np.frombuffer(data, dtype=f"<f{of.bits // 8}").astype(np.float32)
    elif of.bits == 8:
        samples = (np.frombuffer(data, dtype=np.uint8).astype(np.float32) - 128) / 128
    elif of.bits == 24:
        wide = np.zeros((len(data) // 3, 4), dtype=np.uint8)
        wide[:, 1:] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        samples = wide.view("<i4")[:, 0].astype(np.float32) * np.float32(2.0**-31)
    else:
        samples = np.frombuffer(data, dtype=f"<i{of.bits // 8}").astype(np.float32)
        samples *= np.float32(2.0 ** (1 - of.bits))
    return samples.reshape(-1, of.channels)


def _printable(kind: bytes) -> str:
    return repr(kind.decode("latin-1"))
