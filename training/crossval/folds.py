"""The folds of a corpus: what is tested in each, and who validates it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.labels import GENDERS
from training.corpora import Clip, CorpusError
from training.emotion import is_named
from training.protocol import RELEASE, Protocol

FEWEST_SPEAKERS = 8
"""A fold whose training part has fewer speakers of the tested corpus keeps all of them to train."""

# Whose validation speakers serve where the tested corpus has none to spare: of the first that is
# another corpus.
_CALIBRATE = ("crema-d", "ravdess")
_BETWEEN_SPEAKERS = ("tess",)  # corpora whose official folds have every speaker in both parts


@dataclass(frozen=True)
class Fold:
    """One fold of a corpus.

    name: within the corpus, such as "1" or "OAF"; group: folds of a group are averaged
    overlapping: whether speakers of the test clips are trained on, with other clips
    unheard: whether nothing of the corpus is trained on
    """

    name: str
    group: str
    corpus: str
    protocol: Protocol
    overlapping: bool = False
    unheard: bool = False

    def tests(self, clip: Clip) -> bool:
        """Whether the clip is tested."""
        return clip.corpus == self.corpus and self.protocol.part(clip) == "test"


@dataclass(frozen=True)
class Split:
    """Indices of the clips that a fold trains on, validates on and tests on."""

    train: list[int]
    validation: list[int]
    test: list[int]


def folds_of(corpus: str, protocol_file: Path, clips: Sequence[Clip]) -> list[Fold]:
    """The protocol's folds of the corpus, and for TESS one for each speaker, too.

    The latter not where the protocol trains on nothing of TESS.

    Folds that test nobody are left out. CorpusError when the corpus has no folds or is absent.
    """
    names = Protocol.folds(protocol_file, corpus)
    if not names:
        raise CorpusError(f"protocol {protocol_file} has no folds of {corpus}")
    here = [clip for clip in clips if clip.corpus == corpus]
    folds = []
    for name in names:
        protocol = Protocol.load(protocol_file, name)
        alone = dataclasses.replace(
            protocol,
            validation={},
            test={corpus: protocol.test.get(corpus, frozenset())},
            test_clips={corpus: protocol.test_clips.get(corpus, frozenset())},
        )
        tested = {clip.speaker for clip in here if alone.part(clip) == "test"}
        known = {clip.speaker for clip in here if alone.part(clip) == "train"}
        if tested:
            folds.append(
                Fold(name, alone.name, corpus, alone, bool(tested & known), unheard=not known)
            )
    if corpus in _BETWEEN_SPEAKERS and not any(fold.unheard for fold in folds):
        for speaker in sorted({clip.speaker for clip in here}):
            protocol = Protocol("between speakers", fold=speaker, test={corpus: {speaker}})
            folds.append(Fold(speaker, protocol.name, corpus, protocol))
    if not folds:
        raise CorpusError(f"no clip of {corpus} is in a fold of {protocol_file.name}")
    return folds


def validation_speakers(folds: Sequence[Fold], fold: Fold, clips: Sequence[Clip]) -> frozenset[str]:
    """Who of a fold's training part is not trained on, but sets the temperatures: CORPUS/SPEAKER.

    Of a fold with at least FEWEST_SPEAKERS other speakers of its corpus: the first woman and the
    first man, by name, that the next fold tests, or the first one after it that tests any. Of
    others: CREMA-D's validation speakers of the released models' protocol, or, where CREMA-D is
    tested, RAVDESS's.
    """
    here = [clip for clip in clips if clip.corpus == fold.corpus]
    known = {clip.speaker for clip in here if not fold.tests(clip)}
    tested = {clip.speaker for clip in here if fold.tests(clip)}
    if len(known - tested) < FEWEST_SPEAKERS:
        return calibrating_speakers(clips, fold.corpus)
    group = [other for other in folds if other.group == fold.group]
    place = group.index(fold)
    chosen = []
    for gender in GENDERS:
        for following in group[place + 1 :] + group[:place]:
            speakers = {c.speaker for c in here if following.tests(c) and c.gender == gender}
            if speakers - tested:
                chosen.append(min(speakers - tested))
                break
    return frozenset(f"{fold.corpus}/{speaker}" for speaker in chosen)


def calibrating_speakers(clips: Sequence[Clip], tested: str) -> frozenset[str]:
    """Validation speakers of the released models' protocol, of another corpus than is tested.

    As CORPUS/SPEAKER.
    """
    release = Protocol.load(RELEASE)
    corpus = next(name for name in _CALIBRATE if name != tested)
    return frozenset(
        f"{clip.corpus}/{clip.speaker}"
        for clip in clips
        if clip.corpus == corpus and release.part(clip) == "validation"
    )


def split(fold: Fold, clips: Sequence[Clip], validating: frozenset[str]) -> Split:
    """Each clip in one part; what is neither tested nor of `validating` trains."""
    parts = Split([], [], [])
    for index, clip in enumerate(clips):
        if fold.tests(clip):
            parts.test.append(index)
        elif is_named(clip, validating):
            parts.validation.append(index)
        else:
            parts.train.append(index)
    return parts


def sharing(folds: Sequence[Fold], fold: Fold, count: int) -> list[Fold]:
    """The folds that begin with the same base as this one: so many of its group, in order.

    The last ones of a group may be fewer.
    """
    group = [other for other in folds if other.group == fold.group]
    first = group.index(fold) // count * count
    return group[first : first + count]


def base_clips(
    folds: Sequence[Fold], clips: Sequence[Clip], validating: Sequence[frozenset[str]]
) -> list[int]:
    """Indices of what the folds' base is trained on: the clips that every one of them trains on.

    folds: those that share it; validating: of each of them
    """
    trained = [set(split(fold, clips, names).train) for fold, names in zip(folds, validating)]
    return sorted(set.intersection(*trained))
