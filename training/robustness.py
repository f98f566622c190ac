"""Measures a bundle in noise, reverberation, a telephone's band, clipping and gain.

    python -m training robustness --bundle BUNDLE --corpora CORPORA --json FILE --plot FILE

Every clip of the unseen speakers is recognised under every condition; one that is there as a
log-mel alone, under those that can be worked on it. Babble is mixed of training speakers' clips.
The same clips and the same seed give the same figures. `--part validation` leaves the test speakers
out, where something is to be chosen.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.bundle import DEFAULT_BUNDLE
from edge.features import FrontEnd
from edge.labels import LABELS
from edge.prediction import Prediction
from edge.recognizer import Recognizer
from training import metrics
from training.acoustics import Acoustics, AcousticSettings
from training.conditions import Condition, conditions
from training.corpora import (
    CORPORA,
    CORPUS_LABELS,
    Clip,
    CorpusError,
    load_log_mel,
    read_corpora,
)
from training.evaluate import bundle_identity
from training.evaluation import UNSEEN, Evaluation
from training.protocol import RELEASE, Protocol
from training.scenes import read_sound
from training.tables import percent, table, write_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST_LOSS = 0.05
"""Of UA at 20 dB; beyond it a figure is called collapsed."""

JUDGED_SNR_DB = 20
_TALKERS = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training robustness`."""
    add = parser.add_argument
    add("--bundle", type=Path, default=DEFAULT_BUNDLE,
        help="folder of the model bundle (default: the one that ships with the package)")
    add("--corpora", type=Path, required=True, help="folder with one folder for each corpus")
    add("--only", nargs="+", choices=CORPORA, metavar="CORPUS", help=f"of {', '.join(CORPORA)}")
    add("--protocol", type=Path, default=RELEASE,
        help="split by speaker (default: the released models')")
    add("--part", choices=UNSEEN, help="of the unseen speakers (default: all)")
    add("--seed", type=int, default=0, help="of noises and rooms (default: 0)")
    add("--clips", type=int, metavar="N", help="at most, evenly, of each corpus (default: all)")
    add("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    add("--plot", type=Path, metavar="FILE", help="write a PNG plot to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Prints the table and what collapsed; writes the JSON file and the plot asked for."""
    recognizer = Recognizer(arguments.bundle)
    clips = read_corpora(arguments.corpora, arguments.only)
    protocol = Protocol.load(arguments.protocol)
    found = answers_by_condition(
        recognizer, clips, protocol, arguments.seed, arguments.clips, part=arguments.part
    )
    content = {
        "bundle": bundle_identity(recognizer.bundle),
        "protocol": protocol.name,
        "part": arguments.part or "unseen",
        "seed": arguments.seed,
        **measure(found),
    }
    print(format_robustness(content))
    if arguments.json is not None:
        write_figures(arguments.json, content)
    if arguments.plot is not None:
        arguments.plot.parent.mkdir(parents=True, exist_ok=True)
        draw_robustness(content).savefig(
            arguments.plot, bbox_inches="tight", metadata={"Software": None}
        )
        print(f"wrote {arguments.plot}")
    return 0


def measure(found: Mapping[str, Evaluation]) -> dict[str, Any]:
    """The figures of every condition, by corpus, as JSON values.

    found: of `answers_by_condition`.
    """
    clean = found["clean"]
    rows = [
        _figures(condition, found[condition.name], clean)
        for condition in conditions() if condition.name in found
    ]
    return {
        "clips": len(clean.clips),
        "speakers": len({(clip.corpus, clip.speaker) for clip in clean.clips}),
        "conditions": rows,
        "collapsed": [
            {"condition": row["name"], "corpus": corpus, "ua_loss": figures["ua_loss"]["estimate"]}
            for row in rows
            if row["snr_db"] == JUDGED_SNR_DB
            for corpus, figures in row["corpora"].items()
            if figures["ua_loss"]["estimate"] > LARGEST_LOSS
        ],
    }


def answers_by_condition(
    recognizer: Recognizer,
    clips: Sequence[Clip],
    protocol: Protocol,
    seed: int = 0,
    most: int | None = None,
    progress: bool = True,
    part: str | None = None,
) -> dict[str, Evaluation]:
    """The answers to the unseen speakers' clips, in the same order, by the condition's name.

    A condition that is for sound alone has no answers to the clips without sound, which are the
    last ones of the others. Validation and test are one part here, called test.

    most: clips of each corpus; part: "validation" or "test" alone. CorpusError when there is no
    clip of them.
    """
    unseen = _chosen(clips, protocol, most, UNSEEN if part is None else (part,))
    talkers = _talkers(clips, protocol, seed)
    return _recognised(recognizer, unseen, talkers, seed, progress)


def _chosen(
    clips: Sequence[Clip], protocol: Protocol, most: int | None, parts: Sequence[str]
) -> list[Clip]:
    chosen = []
    for corpus in CORPORA:
        here = [
            clip for clip in clips
            if clip.corpus == corpus and clip.emotion and protocol.part(clip) in parts
        ]
        if most is not None and len(here) > most:
            here = [here[k] for k in np.linspace(0, len(here) - 1, most).round().astype(int)]
        chosen += here
    if not chosen:
        raise CorpusError(f"there is no clip of a speaker under {' or '.join(parts)}")
    return sorted(chosen, key=lambda clip: not clip.sound)


def _talkers(clips: Sequence[Clip], protocol: Protocol, seed: int) -> list[Clip]:
    known = [clip for clip in clips if clip.sound and protocol.part(clip) == "train"]
    if not known:
        raise CorpusError("no training speaker has sound, of which babble could be mixed")
    drawn = np.random.default_rng(seed).permutation(len(known))[:_TALKERS]
    return [known[k] for k in sorted(drawn)]


def _recognised(
    recognizer: Recognizer,
    clips: Sequence[Clip],
    talkers: Sequence[Clip],
    seed: int,
    progress: bool,
) -> dict[str, Evaluation]:
    """By condition."""
    from tqdm import tqdm

    kinds = conditions()
    sounds = [read_sound(clip) for clip in talkers]
    acoustics = Acoustics(AcousticSettings(), FrontEnd(), [load_log_mel(clip) for clip in talkers])

    def answer(index: int) -> list[tuple[Prediction, Prediction] | None]:
        clip = clips[index]
        heard = read_sound(clip) if clip.sound else load_log_mel(clip)
        answers: list[tuple[Prediction, Prediction] | None] = []
        for number, condition in enumerate(kinds):
            rng = np.random.default_rng([seed, number, index])
            if clip.sound:
                ask = partial(recognizer.predict, *condition.spoil(heard, rng, sounds))
            elif condition.spoil_log_mel is not None:
                ask = partial(
                    recognizer.predict_log_mel, condition.spoil_log_mel(heard, rng, acoustics)
                )
            else:
                answers.append(None)
                continue
            answers.append((ask(), ask(gender=clip.gender)))
        return answers

    with ThreadPoolExecutor(2) as pool:
        of_clips = list(tqdm(
            pool.map(answer, range(len(clips))), total=len(clips), unit="clip",
            desc="spoiling", disable=not progress,
        ))
    found = {}
    for number, condition in enumerate(kinds):
        pairs = [(clip, answers[number]) for clip, answers in zip(clips, of_clips)]
        done = [(clip, pair) for clip, pair in pairs if pair is not None]
        if done:
            found[condition.name] = _evaluation(*zip(*done))
    return found


def _evaluation(
    clips: Sequence[Clip], answers: Sequence[tuple[Prediction, Prediction]]
) -> Evaluation:
    female = [
        heard.gender_posterior if heard.gender == "female" else 1.0 - heard.gender_posterior
        for heard, _ in answers
    ]
    gated, told = (
        np.array([[pair[which].probabilities[label] for label in LABELS] for pair in answers])
        for which in (0, 1)
    )
    manners = np.array([heard.manner for heard, _ in answers])
    return Evaluation(
        Protocol("unseen speakers"), tuple(clips), ("test",) * len(clips), np.array(female), gated,
        told, manners if manners.size else None,
    )


def _figures(condition: Condition, found: Evaluation, clean: Evaluation) -> dict[str, Any]:
    corpora = {}
    for corpus, part in found.groups():
        scores = found.emotion(corpus, part)
        corpora[corpus] = {
            "clips": scores.clips,
            "ua": scores.ua,
            "wa": scores.wa,
            "ua_true_gender": found.emotion(corpus, part, true_gender=True).ua,
            "gate_uar": found.gate(found.select(corpus=corpus)).uar,
            "ece": scores.ece,
            "unfamiliar": None if math.isnan(scores.unfamiliar) else scores.unfamiliar,
            "ua_loss": asdict(_loss(corpus, found, clean)),
        }
    return {
        "name": condition.name, "kind": condition.kind, "snr_db": condition.snr_db,
        "corpora": corpora,
    }


def _loss(corpus: str, found: Evaluation, clean: Evaluation) -> metrics.Interval:
    """UA of the clean sounds less UA under the condition, on the same clips."""
    chosen = found.select(corpus=corpus, emotional=True)
    classes = [LABELS.index(label) for label in CORPUS_LABELS[corpus]]
    truth = [LABELS.index(found.clips[k].emotion) for k in np.flatnonzero(chosen)]
    before, after = (
        metrics.restrict(
            each.probabilities[each.select(corpus=corpus, emotional=True)], classes
        ).argmax(axis=1)
        for each in (clean, found)
    )
    return metrics.bootstrap(
        metrics.unweighted_average_recall, np.array(truth), before, len(LABELS), baseline=after
    )


def format_robustness(content: dict[str, Any]) -> str:
    """A table of the figures, and which of them collapsed."""
    corpora = list(content["conditions"][0]["corpora"])
    rows = []
    for row in content["conditions"]:
        cells = [row["name"]]
        for corpus in corpora:
            if corpus not in row["corpora"]:
                cells += [""] * 7
                continue
            figures = row["corpora"][corpus]
            loss = figures["ua_loss"]
            cells += [
                percent(figures["ua"]),
                percent(-loss["estimate"], sign=True),
                f"{percent(-loss['high'], sign=True)} ... {percent(-loss['low'], sign=True)}",
                percent(figures["ua_true_gender"]),
                percent(figures["gate_uar"]),
                percent(figures["ece"]),
                percent(math.nan if figures["unfamiliar"] is None else figures["unfamiliar"]),
            ]
        rows.append(cells)
    header = ["condition"]
    for corpus in corpora:
        header += [f"{corpus} UA", "change", "95 % by clip", "UA, true gender", "gate UAR",
                   "ECE", "unfamiliar"]
    verdict = "\n".join(
        f"COLLAPSED: {each['corpus']} loses {100 * each['ua_loss']:.1f} points under "
        f"{each['condition']}" for each in content["collapsed"]
    ) or f"No figure loses more than {100 * LARGEST_LOSS:g} points at {JUDGED_SNR_DB} dB."
    return (
        f"{content['clips']} clips of {content['speakers']} unseen speakers, per cent\n"
        + table(header, rows) + "\n\n" + verdict
    )


def draw_robustness(content: dict[str, Any]) -> Figure:
    """UA against SNR for each noise, and bars of the other conditions; a row for each corpus."""
    from matplotlib import rc_context

    from training.plots import INK, STYLE, blank_figure

    corpora = list(content["conditions"][0]["corpora"])
    colours = {"white": "#2f6f8f", "babble": "#c2593f", "street": "#7a8b3c"}
    with rc_context(STYLE):
        figure = blank_figure(10.0, 3.3 * len(corpora))
        panels = figure.subplots(len(corpora), 2, squeeze=False, width_ratios=[1, 1.25])
        for (curves, bars), corpus in zip(panels, corpora):
            ua = {
                row["name"]: 100 * row["corpora"][corpus]["ua"]
                for row in content["conditions"] if corpus in row["corpora"]
            }
            clean = ua["clean"]
            for noise, colour in colours.items():
                points = [
                    (row["snr_db"], ua[row["name"]]) for row in content["conditions"]
                    if row["kind"] == noise and row["name"] in ua
                ]
                curves.plot(*zip(*points), "o-", color=colour, label=noise)
            curves.axhline(clean, color=INK, linewidth=1, label="clean")
            curves.axhspan(clean - 100 * LARGEST_LOSS, clean, color=INK, alpha=0.06, linewidth=0)
            curves.set(xlabel="signal to noise, dB", ylabel="UA, %", xticks=[5, 10, 20])
            curves.invert_xaxis()
            curves.set_title(f"{corpus}: noise")
            curves.legend(frameon=False, fontsize=8)
            others = [
                row["name"] for row in content["conditions"]
                if row["snr_db"] is None and row["kind"] != "clean" and row["name"] in ua
            ]
            bars.barh(range(len(others)), [ua[name] for name in others], 0.62, color="#6f8c9b")
            for place, name in enumerate(others):
                bars.text(1.5, place, f"{ua[name]:.1f}", va="center", fontsize=8, color="white",
                          fontweight="bold")
            bars.axvline(clean, color=INK, linewidth=1)
            bars.set(yticks=range(len(others)), yticklabels=others, xlim=(0, 100), xlabel="UA, %")
            bars.invert_yaxis()
            bars.set_title(f"{corpus}: rooms, bands and levels")
            low = min([*ua.values()]) - 5
            curves.set_ylim(max(0, low), min(100, clean + 8))
    return figure
