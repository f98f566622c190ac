"""Asks how much of a corpus's emotions the words alone would tell, without hearing any emotion.

    python -m training words --corpora CORPORA
    python -m training words --corpora CORPORA --only savee --crossval RUN

Where an emotion has sentences of its own, a model can name it by recognising the sentence, and a
test by speaker does not notice. The measure hears nothing but what is said: cepstra of which each
coefficient has mean 0 and deviation 1 over the clip, so that voice, level and channel are gone,
compared by dynamic time warping, so that tempo is gone. A clip gets the emotion of the most similar
clip of any other speaker. Where all emotions are said in the same words, that is little better than
chance: what it finds then is what the cepstra keep of the manner.

With a cross-validation, its answers are scored apart on the sentences that every emotion has, and
on those that one emotion has for itself.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import SettingsError
from edge.features import FrontEnd, mfcc, relative_db
from edge.labels import LABELS
from edge.windows import active_span
from training.answers import load_answers, pooled
from training.cache import FeatureCache
from training.corpora import CORPORA, CORPUS_LABELS, Clip, read_corpora
from training.metrics import confusion_matrix, unweighted_average_recall
from training.tables import percent, table, write_figures

CLIPS = 480
"""Of a corpus, at most, which are compared with one another."""

_TRIM_DB = -40.0
_COEFFICIENTS = 20  # from c1 on; c0 is the level
_POOLED = 2         # frames that become one

_SAVEE = re.compile(r"[A-Z]+_(?P<emotion>[a-z]+)(?P<number>\d+)$")
# Of each emotion, numbers 1 to 3 are common, and the next two are said neutrally, too, as numbers
# 19 to 30; neutral 16 to 18 are the common ones once more.
_SAVEE_TWICE = ("a", "d", "f", "su", "sa", "h")


def text_of(clip: Clip) -> str:
    """What is said in a clip, by its name: equal for equal words within the corpus."""
    if clip.corpus == "savee":
        return _savee_text(clip.name)
    if clip.corpus == "ravdess":
        return clip.name.split("-")[4]
    return clip.name.split("_")[1]  # crema-d and tess


def _savee_text(name: str) -> str:
    found = _SAVEE.fullmatch(name)
    if found is None:
        raise SettingsError(f"{name} is not the name of a clip of SAVEE")
    emotion, number = found["emotion"], int(found["number"])
    if number <= 3:
        return f"common {number}"
    if emotion == "n" and number in (16, 17, 18):
        return f"common {number - 15}"
    if emotion == "n" and number >= 19:
        pair, second = divmod(number - 19, 2)
        return f"{_SAVEE_TWICE[pair]} {4 + second}"
    return f"{emotion} {number}"


def drawn(clips: Sequence[Clip], most: int) -> list[int]:
    """Indices of at most so many clips: whole texts as long as there are enough."""
    rng = np.random.default_rng(0)
    texts = sorted(set(map(text_of, clips)))
    chosen: list[int] = []
    for place in rng.permutation(len(texts)):
        if len(chosen) >= most:
            break
        chosen += [k for k, clip in enumerate(clips) if text_of(clip) == texts[place]]
    return sorted(int(k) for k in rng.permutation(chosen)[:most])


def spoken(log_mel: np.ndarray) -> np.ndarray:
    """(frames, bands) decibels to (coefficients, frames / 2) float64 rows of what is said."""
    log_mel = np.asarray(log_mel, np.float32)
    start, stop = active_span(log_mel, _TRIM_DB)
    bands = log_mel[start:stop]
    whole = max(1, len(bands) // _POOLED)
    bands = np.resize(bands, (whole * _POOLED, bands.shape[1]))
    bands = bands.reshape(whole, _POOLED, -1).mean(axis=1)
    cepstrum = mfcc(relative_db(bands), _COEFFICIENTS)[:, 1:].astype(np.float64)
    centred = cepstrum - cepstrum.mean(axis=0)
    return (centred / np.maximum(centred.std(axis=0), 1e-6)).T


def distances(sounds: Sequence[np.ndarray]) -> np.ndarray:
    """(clips, clips) float64: the mean cosine distance along the best alignment."""
    from librosa.sequence import dtw
    from scipy.spatial.distance import cdist
    from tqdm import tqdm

    found = np.zeros((len(sounds), len(sounds)))
    for i in tqdm(range(len(sounds)), unit="clip", desc="words", mininterval=5.0):
        for j in range(i):
            costs = cdist(sounds[i].T, sounds[j].T, "cosine")
            total = dtw(C=costs, backtrack=False, weights_mul=np.array([2.0, 1.0, 1.0]))
            found[i, j] = found[j, i] = total[-1, -1] / sum(costs.shape)
    return found


def by_words(clips: Sequence[Clip], apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(clips,) the number of each one's nearest clip of another speaker, and of its label."""
    speakers = np.array([clip.speaker for clip in clips])
    labels = np.array([LABELS.index(clip.emotion or "") for clip in clips])
    others = np.where(speakers[:, None] == speakers, np.inf, apart)
    nearest = others.argmin(axis=1)
    return nearest, labels[nearest]


def own_texts(clips: Sequence[Clip]) -> tuple[np.ndarray, np.ndarray]:
    """(clips,) bool each: whose words one emotion has for itself, and whose every emotion has."""
    emotions: dict[str, set[str | None]] = {}
    for clip in clips:
        emotions.setdefault(text_of(clip), set()).add(clip.emotion)
    every = len({clip.emotion for clip in clips})
    counts = np.array([len(emotions[text_of(clip)]) for clip in clips])
    return counts == 1, counts == every


def score(clips: Sequence[Clip], decided: np.ndarray) -> dict[str, Any]:
    """UA over all clips, over those of common words and over those of an emotion's own words."""
    labels = np.array([LABELS.index(clip.emotion or "") for clip in clips])
    own, common = own_texts(clips)
    parts = {"all": np.ones(len(clips), bool), "common words": common, "own words": own}
    return {
        name: {
            "clips": int(here.sum()),
            "labels": len(np.unique(labels[here])),
            "ua": float(unweighted_average_recall(
                confusion_matrix(labels[here], decided[here], len(LABELS))
            )),
        }
        for name, here in parts.items() if here.any()
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training words`."""
    parser.add_argument("--corpora", type=Path, required=True,
                        help="folder with one folder for each corpus")
    parser.add_argument("--only", nargs="+", choices=CORPORA, metavar="CORPUS",
                        help=f"of {', '.join(CORPORA)}")
    parser.add_argument("--clips", type=int, default=CLIPS, metavar="N",
                        help=f"of a corpus, at most (default: {CLIPS})")
    parser.add_argument("--crossval", type=Path, metavar="RUN",
                        help="a cross-validation, whose answers are scored by words, too")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"),
                        help="folder of cached log-mels (default: runs/cache)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Prints the table; writes the JSON file asked for."""
    clips = read_corpora(arguments.corpora, arguments.only)
    cache = FeatureCache(arguments.cache, FrontEnd())
    content: dict[str, Any] = {"clips": arguments.clips, "corpora": {}}
    for corpus in CORPORA:
        here = [clip for clip in clips if clip.corpus == corpus and clip.emotion is not None]
        if not here:
            continue
        chosen = [here[k] for k in drawn(here, arguments.clips)]
        nearest, decided = by_words(chosen, distances(list(map(spoken, cache.log_mels(chosen)))))
        same = [text_of(chosen[k]) == text_of(clip) for clip, k in zip(chosen, nearest)]
        content["corpora"][corpus] = {
            "texts": len({text_of(clip) for clip in chosen}),
            "same_text_found": float(np.mean(same)),
            "words_alone": score(chosen, decided),
        }
    if arguments.crossval is not None:
        content["crossval"] = _of_crossval(arguments.crossval)
    print(format_words(content))
    if arguments.json is not None:
        write_figures(arguments.json, content)
    return 0


def _of_crossval(folder: Path) -> dict[str, Any]:
    """The deployed form's answers of all folds, by corpus; the float ones where there are none."""
    for form in ("int8", "float"):
        files = sorted(folder.glob(f"fold-*/{form}.npz"))
        if files:
            break
    else:
        raise SettingsError(f"{folder} has no fold with answers: cross-validate first")
    answers = pooled([load_answers(file) for file in files])
    scores = {}
    for corpus in sorted({clip.corpus for clip in answers.clips}):
        here = np.array([
            clip.corpus == corpus and part == "test"
            for clip, part in zip(answers.clips, answers.parts)
        ])
        clips = [clip for clip, kept in zip(answers.clips, here) if kept]
        has = np.isin(LABELS, CORPUS_LABELS[corpus])
        decided = np.where(has, answers.probabilities[here], -1.0).argmax(axis=1)
        scores[corpus] = score(clips, decided)
    return {"form": form, "corpora": scores}


def format_words(content: dict[str, Any]) -> str:
    """The tables of `run`'s figures."""
    rows = []
    for corpus, found in content["corpora"].items():
        parts = found["words_alone"]
        rows.append((
            corpus, str(parts["all"]["clips"]), str(found["texts"]),
            percent(found["same_text_found"]), percent(1 / parts["all"]["labels"]),
            *_by_part(parts),
        ))
    text = (
        "A clip gets the emotion of the clip of another speaker that sounds most alike in words.\n"
        "UA in per cent, beside it the clips: on all, on those whose words every emotion has, and\n"
        "on those whose words one emotion has for itself.\n"
        + table(("", "clips", "texts", "same text", "chance", "UA by words", "common words",
                 "own words"), rows)
    )
    if "crossval" in content:
        answered = [
            (corpus, *_by_part(parts)) for corpus, parts in content["crossval"]["corpora"].items()
        ]
        text += (
            f"\n\nThe cross-validation's answers, {content['crossval']['form']}, all folds\n"
            + table(("", "UA", "common words", "own words"), answered)
        )
    return text


def _by_part(parts: dict[str, Any]) -> list[str]:
    return [
        f"{percent(parts[name]['ua'])} ({parts[name]['clips']})" if name in parts else "-"
        for name in ("all", "common words", "own words")
    ]
