"""Reads a Core Audio Format file of 16-bit sound while another program still writes it.

The format (Apple, Core Audio Format Specification 1.0): `caff`, then chunks of a four-letter type
and a big-endian 64-bit size; `desc` gives the format; `data` begins with an edit count of 32 bits,
and its size is -1 while it grows.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from app.recorders.errors import UnsupportedFormat
from app.recorders.sound_queue import Chunk

_FILE_HEADER = 8
_CHUNK_HEADER = struct.Struct(">4sq")
_DESCRIPTION = struct.Struct(">d4sIIIII")
_EDIT_COUNT = 4
_LITTLE_ENDIAN = 2
_FLOAT = 1
_SAMPLE = 2  # bytes


@dataclass(frozen=True)
class _Layout:
    sample_rate: int
    dtype: str
    begin: int  # of the samples, in bytes
    size_at: int  # of the chunk's size, in bytes


class GrowingCaf:
    """The samples of a file that grows, from the first to those that are there.

    Raises UnsupportedFormat if it is another format than one channel of 16-bit integers.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._layout: _Layout | None = None
        self._read = 0  # samples

    @property
    def sample_rate(self) -> int:
        """In hertz; 0 until the header is written."""
        return self._layout.sample_rate if self._layout is not None else 0

    def new(self, finished: bool = False) -> Chunk:
        """(n,) int16 that came since the last call; n may be 0.

        finished: whether nobody writes any more, so that the size in the file holds.
        """
        if self._file is None:
            try:
                self._file = open(self._path, "rb", buffering=0)  # noqa: SIM115 - see close
            except FileNotFoundError:
                return np.zeros(0, np.int16)
        if self._layout is None:
            self._layout = self._find_layout(self._file)
            if self._layout is None:
                return np.zeros(0, np.int16)
        count = self._end(self._file, self._layout, finished) - self._layout.begin
        count = count // _SAMPLE - self._read
        if count <= 0:
            return np.zeros(0, np.int16)
        self._file.seek(self._layout.begin + self._read * _SAMPLE)
        samples = np.fromfile(self._file, self._layout.dtype, count)
        self._read += len(samples)
        return samples.astype(np.int16, copy=False)

    def close(self) -> None:
        """The file can be deleted."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _end(self, file: BinaryIO, layout: _Layout, finished: bool) -> int:
        """Where the samples end, in bytes."""
        end = os.fstat(file.fileno()).st_size
        if finished:
            file.seek(layout.size_at)
            (size,) = struct.unpack(">q", file.read(8))
            if size >= _EDIT_COUNT:
                end = min(end, layout.begin - _EDIT_COUNT + size)
        return end

    def _find_layout(self, file: BinaryIO) -> _Layout | None:
        """None if the header is not all there yet."""
        head = _read_at(file, 0, _FILE_HEADER)
        if len(head) < _FILE_HEADER:
            return None
        if head[:4] != b"caff":
            raise UnsupportedFormat(f"{self._path}: not a Core Audio file; report this")
        position = _FILE_HEADER
        description: tuple[int, str] | None = None
        while True:
            header = _read_at(file, position, _CHUNK_HEADER.size)
            if len(header) < _CHUNK_HEADER.size:
                return None
            kind, size = _CHUNK_HEADER.unpack(header)
            body = position + _CHUNK_HEADER.size
            if kind == b"data":
                if description is None:
                    raise UnsupportedFormat(f"{self._path}: sound without a format; report this")
                return _Layout(*description, begin=body + _EDIT_COUNT, size_at=position + 4)
            if kind == b"desc":
                content = _read_at(file, body, _DESCRIPTION.size)
                if len(content) < _DESCRIPTION.size:
                    return None
                description = self._checked(content)
            if size < 0:
                raise UnsupportedFormat(f"{self._path}: a damaged Core Audio file; record again")
            position = body + size

    def _checked(self, content: bytes) -> tuple[int, str]:
        rate, kind, flags, packet, frames, channels, bits = _DESCRIPTION.unpack(content)
        if (kind, packet, frames, channels, bits) != (b"lpcm", _SAMPLE, 1, 1, 16) or flags & _FLOAT:
            raise UnsupportedFormat(
                f"{self._path}: {kind.decode('latin-1')} of {bits} bits and {channels} channels, "
                "not one channel of 16-bit integers; report this"
            )
        return round(rate), "<i2" if flags & _LITTLE_ENDIAN else ">i2"


def _read_at(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)
