"""What one recording of a corpus is, to everything that trains on it or scores it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.errors import EdgeError


class CorpusError(EdgeError):
    """A corpus is absent, lacks what its reader needs, or is malformed; the files are named."""


@dataclass(frozen=True)
class Clip:
    """One recording, and what its corpus says about it.

    `name` is the recording's official file name without its suffix, `speaker` is unique within the
    corpus ("06", "DC", "OAF", "1015", "f0004"), `gender` is "female" or "male", and `emotion` is
    one of `edge.LABELS`, or None where the corpus has no emotions (SLR45).

    A corpus may come as sound (`sound` is True) or as 8-bit pictures of its log-mel spectrogram. A
    picture's first `frames` columns belong to the recording, and its 256 greys span `range_db`
    decibels.
    """

    corpus: str
    name: str
    path: Path
    speaker: str
    gender: str
    emotion: str | None
    sound: bool = True
    frames: int | None = None
    range_db: float | None = None
