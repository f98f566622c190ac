"""The corpora: one reader each, which takes the official download's layout and yields `Clip`s."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from edge.labels import LABELS
from training.corpora import crema_d, ravdess, savee, tess
from training.corpora.clip import Clip, CorpusError
from training.corpora.crema_d import read_crema_d
from training.corpora.log_mel import load_log_mel
from training.corpora.ravdess import read_ravdess
from training.corpora.savee import read_savee
from training.corpora.slr45 import read_slr45
from training.corpora.tess import read_tess

__all__ = [
    "CORPORA",
    "CORPUS_LABELS",
    "Clip",
    "CorpusError",
    "load_log_mel",
    "read_corpora",
    "read_crema_d",
    "read_ravdess",
    "read_savee",
    "read_slr45",
    "read_tess",
]

# Each corpus's folder below the folder of all corpora, which is also its name, and its reader.
CORPORA = {
    "ravdess": read_ravdess,
    "savee": read_savee,
    "tess": read_tess,
    "crema-d": read_crema_d,
    "slr45": read_slr45,
}

# The emotions that each corpus has, in the order of `LABELS`; SLR45 has none.
CORPUS_LABELS = {
    corpus: tuple(label for label in LABELS if label in emotions.values())
    for corpus, emotions in (
        ("ravdess", ravdess.EMOTIONS),
        ("savee", savee.EMOTIONS),
        ("tess", tess.EMOTIONS),
        ("crema-d", crema_d.EMOTIONS),
        ("slr45", {}),
    )
}

_log = logging.getLogger("training.corpora")


def read_corpora(root: Path | str, names: Iterable[str] | None = None) -> list[Clip]:
    """The clips of the corpora `names`, each in the folder of its name below `root`.

    Without `names`, of all corpora that are there. The folders' case is of no matter. CorpusError
    when a named corpus is absent, when none is there at all, or when a corpus is malformed; of
    unnamed corpora the absent ones are logged.
    """
    root = Path(root)
    if not root.is_dir():
        raise CorpusError(f"there is no folder {root} of corpora")
    folders = {path.name.lower(): path for path in sorted(root.iterdir()) if path.is_dir()}
    wanted = list(CORPORA) if names is None else list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in CORPORA]
    if unknown:
        raise CorpusError(
            f"no reader for {', '.join(unknown)}: the corpora are {', '.join(CORPORA)}"
        )
    absent = [name for name in wanted if name not in folders]
    if absent and (names is not None or len(absent) == len(CORPORA)):
        raise CorpusError(f"absent from {root}: {', '.join(absent)} (one folder of this name each)")
    if absent:
        _log.warning("absent from %s: %s", root, ", ".join(absent))
    return [clip for name in wanted if name in folders for clip in CORPORA[name](folders[name])]
