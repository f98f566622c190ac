"""Which clips may be trained on, tuned on and tested on.

A protocol file is JSON. Each corpus it speaks of has an entry, either one split,
    "savee": {"validation": ["JE"], "test": ["DC"]}
or several folds, by speaker or by clip,
    "savee": {"test_speakers": {"1": ["JE"], "2": ["KL"]}}
    "tess": {"test_clips": {"1": ["OAF_bar_fear", "OAF_bar_happy"]}}
Whatever is in none of the lists is for training. A string in the place of a list is a remark: no
speaker that is at hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.corpora import CORPORA, Clip, CorpusError

PARTS = ("train", "validation", "test")
RELEASE = Path(__file__).parent / "protocols" / "release.json"
EMOBOX = Path(__file__).parent / "protocols" / "emobox.json"

_FOLDS = {"test_actors": "speakers", "test_speakers": "speakers", "test_clips": "clips"}


@dataclass(frozen=True)
class Protocol:
    """A split: for each corpus the speakers, or the clips by name, of validation and test."""

    name: str
    about: str = ""
    fold: str | None = None
    validation: dict[str, frozenset[str]] = field(default_factory=dict)
    test: dict[str, frozenset[str]] = field(default_factory=dict)
    test_clips: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | str = RELEASE, fold: str | int | None = None) -> Protocol:
        """The protocol in the file `path`; `fold` chooses one where the file has several.

        A corpus that has folds, but not this one, is all for training. CorpusError when the file is
        malformed, when a speaker is in two parts, or when a fold is needed and none was chosen.
        """
        path = Path(path)
        content = _content(path)
        entries = {name: entry for name, entry in content.items() if name in CORPORA}
        if not entries:
            raise CorpusError(f"protocol {path} has no entry for any of {', '.join(CORPORA)}")
        fold = None if fold is None else str(fold)
        folds = {corpus: _folds(path, corpus, entry) for corpus, entry in entries.items()}
        offered = sorted({number for _, by_number in folds.values() for number in by_number})
        if offered and fold is None:
            raise CorpusError(f"protocol {path} has folds: choose one of {', '.join(offered)}")
        if fold is not None and fold not in offered:
            raise CorpusError(
                f"protocol {path} has no fold {fold}: it has {', '.join(offered) or 'none'}"
            )

        validation, test, test_clips = {}, {}, {}
        for corpus, entry in entries.items():
            kind, by_number = folds[corpus]
            if kind == "clips":
                test_clips[corpus] = by_number.get(fold, frozenset())
            elif kind == "speakers":
                test[corpus] = by_number.get(fold, frozenset())
            else:
                validation[corpus] = _names(path, corpus, entry.get("validation", []))
                test[corpus] = _names(path, corpus, entry.get("test", []))
                both = validation[corpus] & test[corpus]
                if both:
                    raise CorpusError(
                        f"protocol {path}: {corpus} both validates and tests on "
                        + ", ".join(sorted(both))
                    )
        return cls(
            content.get("name", path.stem),
            content.get("about", ""),
            fold,
            validation,
            test,
            test_clips,
        )

    @staticmethod
    def folds(path: Path | str, corpus: str) -> list[str]:
        """The names of the folds that the file `path` has of a corpus; CorpusError as of `load`."""
        content = _content(Path(path))
        if corpus not in content:
            return []
        return list(_folds(Path(path), corpus, content[corpus])[1])

    def part(self, clip: Clip) -> str:
        """The part that `clip` belongs to: "train", "validation" or "test"."""
        if clip.speaker in self.test.get(clip.corpus, ()):
            return "test"
        if clip.name in self.test_clips.get(clip.corpus, ()):
            return "test"
        return "validation" if clip.speaker in self.validation.get(clip.corpus, ()) else "train"

    def split(self, clips: list[Clip]) -> dict[str, list[Clip]]:
        """`clips` by part, in their order."""
        parts: dict[str, list[Clip]] = {part: [] for part in PARTS}
        for clip in clips:
            parts[self.part(clip)].append(clip)
        return parts


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"protocol {path} cannot be read: {error}") from error
    return content if isinstance(content, dict) else {}


def _folds(path: Path, corpus: str, entry) -> tuple[str | None, dict[str, frozenset[str]]]:
    if not isinstance(entry, dict):
        raise CorpusError(f"protocol {path}: the entry of {corpus} is not an object")
    for key, kind in _FOLDS.items():
        if key in entry:
            if not isinstance(entry[key], dict):
                raise CorpusError(f"protocol {path}: {key} of {corpus} is not an object of folds")
            return kind, {
                str(number): _names(path, corpus, names) for number, names in entry[key].items()
            }
    return None, {}


def _names(path: Path, corpus: str, names) -> frozenset[str]:
    if isinstance(names, str):
        return frozenset()
    if not isinstance(names, list) or any(
        not isinstance(name, (str, int)) or isinstance(name, bool) for name in names
    ):
        raise CorpusError(f"protocol {path}: {corpus} has a part that is not a list of names")
    # RAVDESS's actors have two digits in file names and may have fewer in a list of numbers.
    return frozenset(str(name).zfill(2) if isinstance(name, int) else name for name in names)
