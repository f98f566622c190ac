"""What the command line names: sound files, patterns of their names, and the standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.errors import UnreadableAudioError

STANDARD_INPUT = "-"


@dataclass
class Source:
    """One sound. name: the file's, or "-" for the standard input."""

    name: str
    matches_nothing: bool = False
    _content: bytes | None = None

    def sound(self) -> str | bytes:
        """What `Recognizer.predict` takes: the path, or the bytes of the standard input.

        Raises UnreadableAudioError when the name is a pattern that matches no file.
        """
        if self.matches_nothing:
            raise UnreadableAudioError(f"{self.name}: no file matches; check the pattern")
        if self.name != STANDARD_INPUT:
            return self.name
        content = sys.stdin.buffer.read() if self._content is None else self._content
        self._content = content
        return content

    @property
    def stem(self) -> str:
        """The name without folders and ending, for files that are written about it."""
        return "stdin" if self.name == STANDARD_INPUT else Path(self.name).stem


def expand(names: Iterable[str]) -> list[Source]:
    """The sources that the names stand for.

    A name of an existing file is that file. Otherwise `*`, `?`, `[...]` and `**` (any folders)
    match as in a POSIX shell, for shells that leave that to the program; matches are sorted.
    """
    sources = []
    for name in names:
        if name == STANDARD_INPUT or os.path.lexists(name) or not glob.has_magic(name):
            sources.append(Source(name))
            continue
        matches = sorted(path for path in glob.glob(name, recursive=True) if os.path.isfile(path))
        sources += [Source(path) for path in matches] or [Source(name, matches_nothing=True)]
    return sources
