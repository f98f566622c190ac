"""Finding a corpus's files below a folder, and naming those that are not as they should be."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from training.corpora.clip import Clip, CorpusError

# What libsndfile opens. A corpus is the same corpus after a change of container or codec.
SOUND_SUFFIXES = frozenset(
    [
        ".wav",
        ".wave",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".aif",
        ".aiff",
        ".aifc",
        ".au",
        ".snd",
        ".caf",
        ".w64",
        ".rf64",
        ".sph",
    ]
)

NAMED_AT_MOST = 5

_log = logging.getLogger("training.corpora")


def sounds_in(folder: Path) -> list[Path]:
    """The sound files directly in `folder`, sorted, without hidden ones ("._a01.wav")."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SOUND_SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
    )


def folders_in(folder: Path, pattern: str = "") -> list[Path]:
    """The sub-folders of `folder` whose name begins as `pattern`, case ignored, sorted."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_dir()
        and not path.name.startswith(".")
        and re.match(pattern, path.name, re.IGNORECASE)
    )


def find_folder(corpus: str, folder: Path, holds: Callable[[Path], bool], expected: str) -> Path:
    """The first folder, from `folder` downwards for two levels, for which `holds` is true.

    Archives unpack with or without a folder of their own around the corpus, and redistributions
    often hold the whole corpus a second time, deeper: the first level that fits is the corpus.
    """
    if not folder.is_dir():
        raise CorpusError(f"{corpus}: there is no folder {folder}")
    level = [folder]
    for _ in range(3):
        for candidate in level:
            if holds(candidate):
                return candidate
        level = [inner for candidate in level for inner in folders_in(candidate)]
    raise CorpusError(f"{corpus}: {folder} does not hold the corpus: expected {expected}")


def named(names: Iterable[str]) -> str:
    """The count of `names` and the first few of them, for a message."""
    names = sorted(names)
    more = ", ..." if len(names) > NAMED_AT_MOST else ""
    return f"{len(names)} ({', '.join(names[:NAMED_AT_MOST])}{more})"


class Findings:
    """Collects one corpus's clips and what is wrong with its files; `clips()` ends the reading.

    Malformed files stop the reading, all of them named at once; skipped ones and recordings that
    the official corpus has and this copy lacks are logged as warnings, since a part of a corpus is
    of use.
    """

    def __init__(self, corpus: str, folder: Path) -> None:
        self._corpus = corpus
        self._folder = folder
        self._clips: dict[str, Clip] = {}
        self._malformed: dict[str, list[str]] = {}
        self._skipped: dict[str, list[str]] = {}

    def add(self, clip: Clip) -> None:
        """Accept `clip`, unless another file already is this recording."""
        if clip.name in self._clips:
            self.malformed("two files for one recording", clip.path)
        else:
            self._clips[clip.name] = clip

    def malformed(self, reason: str, path: Path | str) -> None:
        """Note that the file `path` is wrong for `reason`."""
        self._malformed.setdefault(reason, []).append(self._short(path))

    def skip(self, reason: str, path: Path | str) -> None:
        """Note that the file `path` is rightly left out for `reason`."""
        self._skipped.setdefault(reason, []).append(self._short(path))

    def clips(self, official: Iterable[str] = ()) -> list[Clip]:
        """The clips by name; CorpusError if any file is malformed or there are none.

        `official` has the names of the whole corpus; those that this copy lacks are logged.
        """
        if self._malformed:
            reasons = "; ".join(
                f"{reason}: {named(paths)}" for reason, paths in self._malformed.items()
            )
            raise CorpusError(
                f"{self._corpus}: files in {self._folder} are not as the corpus has them: {reasons}"
            )
        for reason, paths in self._skipped.items():
            _log.warning("%s: skipped, %s: %s", self._corpus, reason, named(paths))
        if not self._clips:
            raise CorpusError(f"{self._corpus}: no recording of the corpus in {self._folder}")
        missing = set(official) - set(self._clips)
        if missing:
            _log.warning(
                "%s: recordings of the official corpus that are absent: %s",
                self._corpus,
                named(missing),
            )
        return [self._clips[name] for name in sorted(self._clips)]

    def _short(self, path: Path | str) -> str:
        path = Path(path)
        return (
            str(path.relative_to(self._folder)) if path.is_relative_to(self._folder) else str(path)
        )
