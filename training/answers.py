"""Answers to clips in a file, for intervals, confusion matrices and plots that are made later."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.corpora import Clip, CorpusError
from training.evaluation import Evaluation
from training.protocol import Protocol

_TEXTS = ("corpus", "name", "speaker", "gender", "emotion", "part")
_NUMBERS = ("female", "probabilities", "probabilities_true_gender")


def save_answers(evaluation: Evaluation, path: Path) -> None:
    """Writes `path` (.npz), whole or not at all: texts (n,) and numbers, as Evaluation has them."""
    clips = evaluation.clips
    texts = {
        name: np.array([getattr(clip, name) or "" for clip in clips], dtype=str)
        for name in _TEXTS[:-1]
    }
    numbers = {name: getattr(evaluation, name) for name in _NUMBERS}
    if evaluation.manners is not None:
        numbers["manners"] = evaluation.manners
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".partial.npz")
    fold = np.array([evaluation.protocol.name, evaluation.protocol.fold or ""])
    np.savez_compressed(
        aside, protocol=fold, part=np.array(evaluation.parts, dtype=str), **texts, **numbers
    )
    os.replace(aside, path)


def load_answers(path: Path) -> Evaluation:
    """What `save_answers` wrote; a clip's path is its name alone. CorpusError for anything else."""
    try:
        with np.load(path, allow_pickle=False) as saved:
            texts = {name: saved[name].tolist() for name in _TEXTS}
            numbers = {name: saved[name] for name in _NUMBERS}
            if "manners" in saved:
                numbers["manners"] = saved["manners"]
            protocol, fold = saved["protocol"].tolist()
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise CorpusError(f"answers {path} cannot be read: {error}") from error
    columns = (texts[name] for name in _TEXTS[:-1])
    clips = tuple(
        Clip(corpus, name, Path(name), speaker, gender, emotion or None)
        for corpus, name, speaker, gender, emotion in zip(*columns)
    )
    return Evaluation(
        protocol=Protocol(protocol, fold=fold or None),
        clips=clips,
        parts=tuple(texts["part"]),
        **numbers,
    )


def pooled(evaluations: Sequence[Evaluation]) -> Evaluation:
    """The answers of several evaluations as those of one, such as of all folds."""
    manners = [each.manners for each in evaluations if each.manners is not None]
    return Evaluation(
        protocol=Protocol(evaluations[0].protocol.name),
        clips=tuple(clip for each in evaluations for clip in each.clips),
        parts=tuple(part for each in evaluations for part in each.parts),
        **{name: np.concatenate([getattr(each, name) for each in evaluations])
           for name in _NUMBERS},
        manners=np.concatenate(manners) if len(manners) == len(evaluations) else None,
    )
