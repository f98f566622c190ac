"""CREMA-D, the crowd-sourced emotional multimodal actors dataset (Cao et al. 2014).

91 actors, six emotions.

Official layout: `AudioWAV/1001_DFA_ANG_XX.wav` (actor, sentence, emotion, level) beside
`VideoDemographics.csv`. It is also read as pictures of its log-mel spectrograms, `logmel/*.png`
with `logmel.csv`; where both are there, sound is preferred.
"""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

from training.corpora.clip import Clip, CorpusError
from training.corpora.listing import Findings, find_folder, named, sounds_in

EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}

# Faulty in the official corpus itself, as sound and as pictures made of it.
FAULTY = {
    "1064_IEO_DIS_MD": "a minute of every emotion in turn",
    "1076_MTI_SAD_XX": "without any sound",
}

# One official file, 1040_ITH_SAD_X.wav, has a single X.
_NAME = re.compile(
    rf"(?P<actor>1\d{{3}})_[A-Z]{{3}}_(?P<emotion>{'|'.join(EMOTIONS)})_(?:XX?|LO|MD|HI)"
)
_MAX_FRAMES = 188


def read_crema_d(folder: Path | str) -> list[Clip]:
    """The recordings below `folder`: sound of `AudioWAV/` if any, else pictures of `logmel/`.

    CorpusError names malformed files, actors whose sex `VideoDemographics.csv` does not tell,
    pictures without a row in `logmel.csv` and rows without a picture.
    """
    root = find_folder(
        "crema-d", Path(folder), _holds_crema_d, "AudioWAV/*.wav, or logmel/*.png with logmel.csv"
    )
    genders = read_demographics(root)
    findings = Findings("crema-d", root)
    if _sounds(root):
        _read_sounds(root, genders, findings)
    else:
        _read_pictures(root, genders, findings)
    return findings.clips()


def read_demographics(root: Path) -> dict[str, str]:
    """Each actor's gender, from `VideoDemographics.csv`."""
    path = root / "VideoDemographics.csv"
    if not path.is_file():
        raise CorpusError(
            f"crema-d: {path} is absent: it tells the actors' sex; it comes with the corpus"
        )
    genders = {}
    for row in _rows(path, ("ActorID", "Sex")):
        gender = row["Sex"].strip().lower()
        if gender not in ("female", "male"):
            raise CorpusError(f"crema-d: {path}: actor {row['ActorID']} has sex {row['Sex']!r}")
        genders[row["ActorID"].strip()] = gender
    return genders


def _sounds(root: Path) -> list[Path]:
    folder = root / "AudioWAV"
    return sounds_in(folder) if folder.is_dir() else []


def _pictures(root: Path) -> list[Path]:
    return sorted(path for path in (root / "logmel").glob("*.png") if not path.name.startswith("."))


def _holds_crema_d(folder: Path) -> bool:
    return bool(_sounds(folder) or _pictures(folder))


def _read_sounds(root: Path, genders: dict[str, str], findings: Findings) -> None:
    for path in _sounds(root):
        _add(findings, path, genders, sound=True)


def _read_pictures(root: Path, genders: dict[str, str], findings: Findings) -> None:
    table = root / "logmel.csv"
    if not table.is_file():
        raise CorpusError(
            f"crema-d: {table} is absent: it tells each picture's frames and range_db"
        )
    extents: dict[str, tuple[int, float]] = {}
    for row in _rows(table, ("clip", "frames", "range_db")):
        try:
            frames, range_db = int(row["frames"]), float(row["range_db"])
        except ValueError:
            frames, range_db = 0, 0.0
        if not (0 < frames <= _MAX_FRAMES and range_db > 0 and math.isfinite(range_db)):
            findings.malformed("frames or range_db in logmel.csv out of range", row["clip"])
        extents[row["clip"]] = frames, range_db
    pictures = _pictures(root)
    absent = set(extents) - {path.stem for path in pictures}
    if absent:
        raise CorpusError(
            f"crema-d: pictures that logmel.csv lists are absent from {root / 'logmel'}: "
            + named(absent)
        )
    for path in pictures:
        if path.stem in extents:
            frames, range_db = extents[path.stem]
            _add(findings, path, genders, sound=False, frames=frames, range_db=range_db)
        else:
            findings.malformed("no row in logmel.csv", path)


def _add(findings: Findings, path: Path, genders: dict[str, str], **form) -> None:
    fields = _NAME.fullmatch(path.stem)
    if fields is None:
        findings.malformed("not a CREMA-D name", path)
    elif path.stem in FAULTY:
        findings.skip(FAULTY[path.stem], path)
    elif fields["actor"] not in genders:
        findings.malformed("VideoDemographics.csv lacks the actor", path)
    else:
        findings.add(
            Clip(
                corpus="crema-d",
                name=path.stem,
                path=path,
                speaker=fields["actor"],
                gender=genders[fields["actor"]],
                emotion=EMOTIONS[fields["emotion"]],
                **form,
            )
        )


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        if not set(columns) <= set(reader.fieldnames or ()):
            raise CorpusError(f"crema-d: {path} lacks one of the columns {', '.join(columns)}")
    for row in rows:
        if any(row[column] is None for column in columns):
            raise CorpusError(f"crema-d: {path} has a row that is cut short: {list(row.values())}")
    return rows
