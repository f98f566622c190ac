"""From Java's sound to numpy: the ways that pyjnius has, timed on this machine's Java.

    python -m benchmarks.android_sound

The AudioRecord is the one of the tests, which has every sound ready; its own time is the first row.
Needs a JDK and pyjnius. A phone is slower in all rows.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import timeit
from pathlib import Path
from typing import Any, Callable

import numpy as np

JAVA = Path(__file__).resolve().parents[1] / "tests" / "app" / "recorders" / "java"
LENGTHS = {"16 kHz": 800, "48 kHz": 2400}
"""Samples of 50 ms."""

REPEATS, CALLS = 20, 100


class Ways:
    """Each way to read one chunk of an AudioRecord, as (n,) int16; all must give `expected`."""

    def __init__(self, length: int) -> None:
        from jnius import autoclass

        from app.recorders.android.sound import CopiedSound, DirectSound

        self._length, self._size = length, 2 * length
        self._phone = autoclass("phone.Phone")
        self._phone.reset()
        self.expected = (np.arange(length) * 37).astype(np.int16)
        self._pcm = self.expected.tobytes() * CALLS
        self._record = autoclass("android.media.AudioRecord")(6, 16000, 16, 2, 32000)
        self._record.startRecording()
        self._direct, self._copied = DirectSound(length), CopiedSound(length)
        buffers = autoclass("java.nio.ByteBuffer")
        self._java, self._heap = buffers.allocateDirect(2 * length), buffers.allocate(2 * length)
        self._latin = autoclass("java.nio.charset.StandardCharsets").ISO_8859_1
        self._shorts = [0] * length

    def rewind(self) -> None:
        """So many calls can be made again."""
        self._phone.play(self._pcm, len(self._pcm))

    def nothing_taken(self) -> None:
        self._direct.read(self._record)

    def direct_memory(self) -> np.ndarray:
        return self._direct.taken(self._direct.read(self._record))

    def byte_array(self) -> np.ndarray:
        return self._copied.taken(self._copied.read(self._record))

    def text(self) -> np.ndarray:
        self._record.read(self._java, self._size)
        self._java.clear()
        text = self._latin.decode(self._java).toString()
        return np.frombuffer(text.encode("latin-1"), np.int16)

    def array_of_a_buffer(self) -> np.ndarray:
        self._record.read(self._java, self._size)
        self._java.clear()
        self._heap.clear()
        self._heap.put(self._java)
        return np.frombuffer(self._heap.array().tostring(), np.int16)

    def short_array(self) -> np.ndarray:
        self._record.read(self._shorts, 0, self._length)
        return np.array(self._shorts, np.int16)


ROWS: dict[str, Callable[[Ways], Any]] = {
    "`read(ByteBuffer)` alone": Ways.nothing_taken,
    "**direct buffer, seen by numpy** (`DirectSound`)": Ways.direct_memory,
    "`byte[]` as bytearray (`CopiedSound`)": Ways.byte_array,
    "direct buffer by way of a String": Ways.text,
    "direct buffer by way of `ByteBuffer.array()`": Ways.array_of_a_buffer,
    "`short[]` as list": Ways.short_array,
}


def microseconds(ways: Ways, way: Callable[[Ways], Any]) -> float:
    """The best of the repeats, for one chunk."""
    ways.rewind()
    chunk = way(ways)
    if chunk is not None and not np.array_equal(chunk, ways.expected):
        raise AssertionError(f"{way.__name__} gives another sound")
    times = []
    for _ in range(REPEATS):
        ways.rewind()
        times.append(timeit.timeit(lambda: way(ways), number=CALLS) / CALLS)
    return min(times) * 1e6


def table() -> str:
    """Microseconds for each chunk of 50 ms, as Markdown."""
    import jnius_config

    with tempfile.TemporaryDirectory() as folder:
        sources = sorted(map(str, JAVA.rglob("*.java")))
        subprocess.run(["javac", "-d", folder, *sources], check=True)
        jnius_config.set_classpath(folder)
        ways = {rate: Ways(length) for rate, length in LENGTHS.items()}
        lines = [
            "| way | " + " | ".join(f"{rate}, µs" for rate in ways) + " |",
            "| --- | " + " | ".join("---:" for _ in ways) + " |",
        ]
        for each in ways.values():  # Java compiles what is called often
            microseconds(each, Ways.nothing_taken)
        for name, way in ROWS.items():
            cells = " | ".join(f"{microseconds(each, way):.1f}" for each in ways.values())
            lines.append(f"| {name} | {cells} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
