"""A cache of the corpora's log-mel spectrograms: each recording is decoded and analysed once.

    log_mel-<settings>.f16      rows of 128 float16, recording after recording, only appended to
    log_mel-<settings>.sqlite   which rows hold which content, and the files seen

`<settings>` is a digest of the front end's settings and of the format version, so another front end
has files of its own. A recording is known by its bytes, not by its name or place.

Recordings are written in batches: the rows are on the disk before the transaction that names them
is committed, so an interruption loses a batch at most, and the next run goes on from there.
Whatever the index names but the file does not hold intact (truncated, damaged) is made again.
SQLite's lock lets several processes fill and read one cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from edge.errors import EdgeError
from edge.features import FrontEnd, LogMel
from training.corpora import Clip, CorpusError, load_log_mel
from training.corpora.listing import named

FORMAT = 1
BATCH = 64

_TABLES = """
CREATE TABLE IF NOT EXISTS log_mels (
    key TEXT PRIMARY KEY, first INTEGER, frames INTEGER, crc32 INTEGER
);
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, bytes INTEGER, mtime_ns INTEGER, sha256 TEXT
);
"""


class FeatureCache:
    """Log-mels of clips, made once for each content and each front end, then mapped from one file.

    `folder` is made if need be. `workers` threads decode and analyse, which both give up the
    interpreter's lock. `progress` shows a bar with the time left while recordings are being added.
    """

    def __init__(
        self,
        folder: Path | str,
        front_end: FrontEnd | None = None,
        *,
        workers: int = 2,
        progress: bool = True,
    ) -> None:
        self.front_end = FrontEnd() if front_end is None else front_end
        self._log_mel = LogMel(self.front_end)
        self._workers = workers
        self._progress = progress
        settings = json.dumps(
            {"format": FORMAT, "front_end": self.front_end.to_dict()}, sort_keys=True
        )
        stem = f"log_mel-{hashlib.sha256(settings.encode()).hexdigest()[:16]}"
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.data_path = folder / f"{stem}.f16"
        self.index_path = folder / f"{stem}.sqlite"
        self._row_bytes = 2 * self.front_end.mel_bands

    def log_mels(self, clips: Sequence[Clip]) -> list[np.ndarray]:
        """The log-mel of each clip: (frames, mel bands) float16 relative dB, read-only.

        The arrays are views of the mapped file, in the clips' order. CorpusError names the
        recordings that cannot be read; the others are in the cache by then.
        """
        with closing(self._open()) as index:
            keys = self._keys(index, clips)
            known = self._intact(index, set(keys))
            wanted = {key: clip for key, clip in zip(keys, clips) if key not in known}
            if wanted:
                self._fill(index, wanted)
                known = self._rows(index, set(keys))
        if not known:
            return []
        # An interrupted write may have left a torn row after the last whole one.
        whole_rows = self.data_path.stat().st_size // self._row_bytes
        shape = whole_rows, self.front_end.mel_bands
        data = np.memmap(self.data_path, np.float16, mode="r", shape=shape)
        return [data[first : first + frames] for first, frames, _ in (known[key] for key in keys)]

    def _open(self) -> sqlite3.Connection:
        try:
            index = sqlite3.connect(self.index_path, timeout=600, isolation_level=None)
            index.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise CorpusError(
                f"the cache's index {self.index_path} cannot be used ({error}); "
                "once it is deleted the cache is made anew"
            ) from error
        return index

    def _keys(self, index: sqlite3.Connection, clips: Sequence[Clip]) -> list[str]:
        """What a clip's log-mel depends on besides the front end: its bytes, a picture's extent."""
        seen = {
            row[0]: row[1:]
            for row in index.execute("SELECT path, bytes, mtime_ns, sha256 FROM files")
        }
        keys, fresh = [], []
        for clip in self._bar(clips, "reading corpora", hidden=len(seen) > 0):
            path = str(clip.path.resolve())
            try:
                stat = clip.path.stat()
            except OSError as error:
                raise CorpusError(f"{clip.corpus}: {clip.path} is gone: {error}") from error
            size, mtime_ns, digest = seen.get(path, (None, None, None))
            if (size, mtime_ns) != (stat.st_size, stat.st_mtime_ns):
                digest = hashlib.sha256(clip.path.read_bytes()).hexdigest()
                fresh.append((path, stat.st_size, stat.st_mtime_ns, digest))
            keys.append(digest if clip.sound else f"{digest} {clip.frames} {clip.range_db:.6g}")
        with _transaction(index):
            index.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", fresh)
        return keys

    def _rows(self, index: sqlite3.Connection, keys: set[str]) -> dict[str, tuple[int, int, int]]:
        """First row, frames and checksum of those of `keys` that the index names."""
        rows = index.execute("SELECT key, first, frames, crc32 FROM log_mels")
        return {key: row for key, *row in rows if key in keys}

    def _intact(self, index: sqlite3.Connection, keys: set[str]) -> dict[str, tuple[int, int, int]]:
        """`_rows` without those whose content is not what was written; the index forgets them."""
        intact, damaged = {}, []
        rows = self._rows(index, keys)
        if rows:
            size = self.data_path.stat().st_size if self.data_path.exists() else 0
            data = np.memmap(self.data_path, np.uint8, mode="r") if size else np.empty(0, np.uint8)
            for key, (first, frames, crc32) in rows.items():
                content = data[first * self._row_bytes : (first + frames) * self._row_bytes]
                if len(content) == frames * self._row_bytes and zlib.crc32(content) == crc32:
                    intact[key] = first, frames, crc32
                else:
                    damaged.append((key, first))
        if damaged:
            with _transaction(index):
                index.executemany("DELETE FROM log_mels WHERE key = ? AND first = ?", damaged)
        return intact

    def _fill(self, index: sqlite3.Connection, wanted: dict[str, Clip]) -> None:
        unreadable: dict[str, str] = {}
        items = list(wanted.items())
        with (
            ThreadPoolExecutor(self._workers) as pool,
            self._bar(None, "log-mel", total=len(items)) as bar,
        ):
            for start in range(0, len(items), BATCH):
                batch = items[start : start + BATCH]
                made = {}
                for (key, clip), result in zip(
                    batch, pool.map(self._make, (clip for _, clip in batch))
                ):
                    if isinstance(result, EdgeError):
                        unreadable[str(clip.path)] = str(result)
                    else:
                        made[key] = result
                    bar.update()
                self._append(index, made)
        if unreadable:
            first = next(iter(unreadable.values()))
            raise CorpusError(
                f"recordings that cannot be read: {named(unreadable)}; the first: {first}"
            )

    def _make(self, clip: Clip) -> np.ndarray | EdgeError:
        try:
            return load_log_mel(clip, self._log_mel).astype(np.float16)
        except EdgeError as error:
            return error

    def _append(self, index: sqlite3.Connection, made: dict[str, np.ndarray]) -> None:
        with _transaction(index):
            for key in self._rows(index, set(made)):  # another process was quicker
                del made[key]
            (end,) = index.execute(
                "SELECT COALESCE(MAX(first + frames), 0) FROM log_mels"
            ).fetchone()
            with open(self.data_path, "r+b" if self.data_path.exists() else "w+b") as data:
                data.seek(end * self._row_bytes)
                for key, log_mel in made.items():
                    content = log_mel.tobytes()
                    data.write(content)
                    index.execute(
                        "INSERT INTO log_mels VALUES (?, ?, ?, ?)",
                        (key, end, len(log_mel), zlib.crc32(content)),
                    )
                    end += len(log_mel)
                data.flush()
                os.fsync(data.fileno())

    def _bar(self, items, description: str, total: int | None = None, hidden: bool = False):
        from tqdm import tqdm

        return tqdm(
            items, desc=description, total=total, unit="clip", disable=hidden or not self._progress
        )


@contextmanager
def _transaction(index: sqlite3.Connection) -> Iterator[None]:
    index.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        index.execute("ROLLBACK")
        raise
    index.execute("COMMIT")
