"""All that is kept as one ZIP archive: a table, recordings, what is known of a voice."""

from __future__ import annotations

import csv
import io
import os
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

from app.history import History
from app.result import Result
from edge import LABELS

COLUMNS = (
    "began_utc",
    "duration_s",
    "emotion",
    "uncertain",
    "gender",
    "gender_posterior",
    *LABELS,
    "flags",
    "note",
    "recording",
    "by_voice",
    "meant",
)


def table(results: Iterable[Result]) -> str:
    """The results as CSV (RFC 4180), one a line under a line of names."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for result in results:
        writer.writerow(
            (
                time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(result.began)),
                f"{result.duration:.2f}",
                result.emotion,
                "yes" if result.uncertain else "no",
                result.gender,
                f"{result.gender_posterior:.4f}",
                *(f"{result.probabilities.get(label, 0.0):.4f}" for label in LABELS),
                " ".join(result.flags),
                _harmless(result.note),
                result.sound_file or "",
                "yes" if result.by_voice else "no",
                result.meant,
            )
        )
    return out.getvalue()


def write_archive(folder: Path, history: History, voice_file: Path | None = None) -> Path:
    """Writes the archive into the folder, whole or not at all; never over another file.

    voice_file: of `Voice.save`; there may be none.

    Raises OSError, as when the disk is full.
    """
    results = history.results()
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / ".history.zip.part"
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("history.csv", "\ufeff" + table(results))  # the mark is for Excel
            for result in results:
                if result.sound_file and (history.folder / result.sound_file).exists():
                    archive.write(history.folder / result.sound_file, result.sound_file)
            if voice_file is not None and voice_file.exists():
                archive.write(voice_file, voice_file.name)
        path = _free_name(folder, time.strftime("edge-ser-%Y-%m-%d"))
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _free_name(folder: Path, stem: str) -> Path:
    path = folder / f"{stem}.zip"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}.zip"
        number += 1
    return path


def _harmless(text: str) -> str:
    """A note that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
