"""Tables of a flat buffer: reads that cannot leave the file.

The format (https://flatbuffers.dev/internals): a table begins with the distance back to its
vtable, which holds, for each field by number, the distance from the table to the field, 0 for a
field that is not there. Strings, vectors and other tables lie elsewhere, at a distance that the
field holds; a vector begins with its length. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_UINT16 = struct.Struct("<H")
_INT32 = struct.Struct("<i")
_UINT32 = struct.Struct("<I")
_KINDS = {"i1": "<b", "u1": "<B", "i4": "<i", "u4": "<I"}
_SCALARS = {kind: struct.Struct(code) for kind, code in _KINDS.items()}


class FlatBufferError(ValueError):
    """The bytes are no flat buffer, or not a whole one."""


class Table:
    """One table of a flat buffer, whose fields are asked for by number."""

    def __init__(self, content: bytes, position: int) -> None:
        self._content = content
        self._position = position
        vtable = position - self._unpack(_INT32, position)
        size = self._unpack(_UINT16, vtable)
        if size < 4 or size % 2:
            raise FlatBufferError(f"a vtable of {size} bytes at byte {vtable}")
        self._fields = self._numbers(vtable + 4, (size - 4) // 2, np.dtype("<u2"))

    @classmethod
    def root(cls, content: bytes) -> Table:
        """The table that the file begins with."""
        (position,) = _unpack(_UINT32, content, 0)
        return cls(content, position)

    def scalar(self, field: int, kind: str, default: int = 0) -> int:
        """An integer; kind: i1, u1, i4 or u4, as numpy has them."""
        at = self._where(field)
        return default if at is None else self._unpack(_SCALARS[kind], at)

    def table(self, field: int) -> Table | None:
        """Another table."""
        at = self._where(field)
        return None if at is None else Table(self._content, self._follow(at))

    def tables(self, field: int, most: int) -> list[Table]:
        """A vector of tables, none if it is not there; refused beyond `most` of them."""
        at, count = self._vector(field, 4)
        if count > most:
            raise FlatBufferError(f"{count} tables, where {most} are the most")
        return [
            Table(self._content, self._follow(at + 4 * number)) for number in range(count)
        ]

    def numbers(self, field: int, kind: str) -> NDArray[Any]:
        """A vector of numbers, (n,); kind: such as i4, f4, i8, u1, as numpy has them."""
        dtype = np.dtype("<" + kind)
        at, count = self._vector(field, dtype.itemsize)
        return self._numbers(at, count, dtype)

    def text(self, field: int) -> str:
        """A string; what is no UTF-8 in it is replaced."""
        return self.numbers(field, "u1").tobytes().decode("utf-8", "replace")

    def has(self, field: int) -> bool:
        """Whether the field is there."""
        return self._where(field) is not None

    def _where(self, field: int) -> int | None:
        if field >= len(self._fields) or not self._fields[field]:
            return None
        return self._position + int(self._fields[field])

    def _follow(self, at: int) -> int:
        return at + self._unpack(_UINT32, at)

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        """Where its elements of so many bytes begin, and how many there are."""
        at = self._where(field)
        if at is None:
            return 0, 0
        at = self._follow(at)
        count = self._unpack(_UINT32, at)
        self._require(at + 4, count * size)
        return at + 4, count

    def _numbers(self, at: int, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        self._require(at, count * dtype.itemsize)
        return np.frombuffer(self._content, dtype, count, at) if count else np.empty(0, dtype)

    def _require(self, at: int, size: int) -> None:
        if not 0 <= at <= len(self._content) - size:
            raise FlatBufferError(
                f"{size} bytes at byte {at} of a file of {len(self._content)} bytes"
            )

    def _unpack(self, kind: struct.Struct, at: int) -> int:
        (value,) = _unpack(kind, self._content, at)
        return int(value)


def _unpack(kind: struct.Struct, content: bytes, at: int) -> tuple[Any, ...]:
    if not 0 <= at <= len(content) - kind.size:
        raise FlatBufferError(
            f"{kind.size} bytes at byte {at} of a file of {len(content)} bytes"
        )
    return kind.unpack_from(content, at)
