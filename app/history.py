"""The results on this device, in one SQLite file, and the recordings that were kept beside it."""

from __future__ import annotations

import dataclasses
import errno
import json
import sqlite3
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Callable

from app.result import Result, windows_from
from app.sound import Sound, read_wav, write_wav

VERSION = 1
"""Of the tables; a file of another version is laid aside, as a damaged one is."""

_TABLE = """
CREATE TABLE IF NOT EXISTS results (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    began REAL NOT NULL,
    duration REAL NOT NULL,
    emotion TEXT NOT NULL,
    gender TEXT NOT NULL,
    flags TEXT NOT NULL,
    note TEXT NOT NULL,
    sound_file TEXT,
    details TEXT NOT NULL
)
"""
_COLUMNS = "number, began, duration, emotion, gender, flags, note, sound_file, details"


class NoSpace(Exception):  # noqa: N818 - it names what happened
    """The device has no room left for it."""


class History:
    """Results, newest first. Any thread may call it; callers take turns.

    folder: private to the app; made if it is not there.

    What is deleted is overwritten in the file, not only marked as free.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "history.sqlite"
        self._lock = threading.Lock()
        self.laid_aside: Path | None = None
        """Where a history that could not be read was put, if there was one."""
        try:
            self._database = self._opened()
        except sqlite3.DatabaseError as error:
            if is_full(error):
                raise NoSpace("there is no room left on this device") from error
            self.laid_aside = folder / f"history.damaged-{time.time_ns()}.sqlite"
            self._path.replace(self.laid_aside)
            for left_over in folder.glob("history.sqlite-*"):
                left_over.unlink()
            self._database = self._opened()
        self._sweep()

    def add(self, result: Result, sound: Sound | None = None) -> Result:
        """Keeps a result, and its sound if there is one; returns it with its number.

        Raises NoSpace, and then keeps nothing of it; OSError, sqlite3.Error.
        """
        name = None
        try:
            if sound is not None:
                name = _file_name(result)
                write_wav(self.folder / name, sound)
            row = (
                result.began,
                result.duration,
                result.emotion,
                result.gender,
                " ".join(result.flags),
                result.note,
                name,
                json.dumps(result.details()),
            )
            with self._lock, self._database:
                number = self._database.execute(
                    "INSERT INTO results (began, duration, emotion, gender, flags, note,"
                    " sound_file, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    row,
                ).lastrowid
        except (OSError, sqlite3.Error) as error:
            if name is not None:
                (self.folder / name).unlink(missing_ok=True)
            if is_full(error):
                raise NoSpace("there is no room left on this device") from error
            raise
        return dataclasses.replace(result, number=number, sound_file=name)

    def change_note(self, number: int, note: str) -> None:
        """Raises NoSpace, sqlite3.Error."""
        try:
            with self._lock, self._database:
                self._database.execute(
                    "UPDATE results SET note = ? WHERE number = ?", (note, number)
                )
        except sqlite3.Error as error:
            if is_full(error):
                raise NoSpace("there is no room left on this device") from error
            raise

    def change_meant(self, number: int, meant: str) -> None:
        """What was meant by it, instead of what was said before. Raises NoSpace, sqlite3.Error."""
        try:
            with self._lock, self._database:
                for (details,) in self._database.execute(
                    "SELECT details FROM results WHERE number = ?", (number,)
                ).fetchall():
                    self._database.execute(
                        "UPDATE results SET details = ? WHERE number = ?",
                        (json.dumps({**json.loads(details), "meant": meant}), number),
                    )
        except sqlite3.Error as error:
            if is_full(error):
                raise NoSpace("there is no room left on this device") from error
            raise

    def __len__(self) -> int:
        with self._lock:
            return int(self._database.execute("SELECT count(*) FROM results").fetchone()[0])

    def result(self, number: int) -> Result | None:
        """The result of that number, if there is one."""
        with self._lock:
            row = self._database.execute(
                f"SELECT {_COLUMNS} FROM results WHERE number = ?", (number,)
            ).fetchone()
        return _result(row) if row is not None else None

    def results(self, words: str = "", said: Callable[[Result], str] | None = None) -> list[Result]:
        """All results in which each of the words occurs, newest first.

        said: the text of a result as the screen shows it, in which the words are looked for,
            whatever their case; None searches the stored fields.
        """
        with self._lock:
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM results ORDER BY began DESC, number DESC"
            ).fetchall()
        wanted = words.casefold().split()
        found = []
        for row in rows:
            result = _result(row)
            if wanted:
                text = (said or _stored_text)(result).casefold()
                if not all(word in text for word in wanted):
                    continue
            found.append(result)
        return found

    def latest(self, count: int) -> list[Result]:
        """So many results at most, newest first."""
        with self._lock:
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM results ORDER BY began DESC, number DESC LIMIT ?", (count,)
            ).fetchall()
        return [_result(row) for row in rows]

    def sound(self, result: Result) -> Sound | None:
        """The recording of a result; None when it was not kept, or is gone."""
        if result.sound_file is None:
            return None
        try:
            return read_wav(self.folder / result.sound_file)
        except FileNotFoundError:
            return None

    def delete(self, number: int) -> None:
        """Deletes one result and its recording, also where the device has no room left.

        Again does nothing. Raises OSError, sqlite3.Error; the result is still there then, after
        the latter without its recording, which goes first, to make room.
        """
        with self._lock:
            row = self._database.execute(
                "SELECT sound_file FROM results WHERE number = ?", (number,)
            ).fetchone()
            if row is not None and row[0] is not None:
                (self.folder / row[0]).unlink(missing_ok=True)
            self._delete("DELETE FROM results WHERE number = ?", (number,))

    def delete_all(self) -> None:
        """Deletes every result and every recording, also those of damaged histories."""
        with self._lock:
            for pattern in ("*.wav", "*.part", "history.damaged-*"):
                for path in self.folder.glob(pattern):
                    path.unlink(missing_ok=True)
            self._delete("DELETE FROM results")
            try:
                self._database.execute("VACUUM")
            except sqlite3.OperationalError as error:
                if not is_full(error):  # it needs room for a moment; all is overwritten anyway
                    raise

    def _delete(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        """Where no room is left for a journal beside the file, that is kept in memory."""
        try:
            with self._database:
                self._database.execute(statement, values)
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
            self._database.execute("PRAGMA journal_mode = MEMORY")
            try:
                with self._database:
                    self._database.execute(statement, values)
            finally:
                self._database.execute("PRAGMA journal_mode = DELETE")

    def bytes_used(self) -> int:
        """On the disk, by all of it."""
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._database.close()

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, check_same_thread=False)
        try:
            database.execute("PRAGMA secure_delete = ON")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError(f"the history is of version {version}")
            with database:
                database.execute(_TABLE)
                database.execute(f"PRAGMA user_version = {VERSION}")
            checked = database.execute("PRAGMA quick_check").fetchone()[0]
            if checked != "ok":
                raise sqlite3.DatabaseError(checked)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _sweep(self) -> None:
        """Removes what a crash left: halves of files, and recordings without a result."""
        known = {
            row[0]
            for row in self._database.execute(
                "SELECT sound_file FROM results WHERE sound_file IS NOT NULL"
            )
        }
        for path in [*self.folder.glob("*.wav"), *self.folder.glob("*.part")]:
            if path.name not in known and self.laid_aside is None:
                path.unlink(missing_ok=True)


def _file_name(result: Result) -> str:
    when = time.strftime("%Y%m%d-%H%M%S", time.localtime(result.began))
    return f"{when}-{uuid.uuid4().hex[:8]}.wav"


def _stored_text(result: Result) -> str:
    return " ".join((result.emotion, result.meant, result.gender, *result.flags, result.note))


def _result(row: tuple[Any, ...]) -> Result:
    number, began, duration, emotion, gender, flags, note, sound_file, details = row
    known = json.loads(details)
    return Result(
        began,
        duration,
        gender,
        known["gender_posterior"],
        emotion,
        known["probabilities"],
        known["uncertain"],
        tuple(flags.split()),
        windows_from(known["windows"]),
        known["decided_in"],
        note,
        known["lost_buffers"],
        known.get("by_voice", False),  # which results of before had no word of
        number=number,
        sound_file=sound_file,
        models=known.get("models", ""),
        without_voice=known.get("without_voice", {}),
        manner=tuple(known.get("manner", ())),
        meant=known.get("meant", ""),
    )


def is_full(error: Exception) -> bool:
    """Whether the device has no room left."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "full" in str(error)
