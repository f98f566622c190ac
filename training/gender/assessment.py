"""How well a gate tells the genders apart, by corpus, by emotion and over several clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from edge.gender import Evidence, GenderGate
from edge.labels import LABELS
from training.gender.recordings import Recordings, progress_bar
from training.gender.settings import GENDERS, GateSettings


def recall_by_gender(targets: np.ndarray, posteriors: np.ndarray) -> dict:
    """Recall of each gender and their mean (UAR), per cent; None where a gender has no clip."""
    named = (posteriors > 0.5).astype(int)
    recalls = {
        gender: round(100.0 * float((named[targets == k] == k).mean()), 2)
        if (targets == k).any()
        else None
        for k, gender in enumerate(GENDERS)
    }
    both = None not in recalls.values()
    return {
        "clips": len(targets),
        **recalls,
        "uar": round((recalls["female"] + recalls["male"]) / 2, 2) if both else None,
    }


def assess(recordings: Recordings, chosen: Sequence[int], posteriors: np.ndarray) -> dict:
    """UAR over emotional clips, one at a time; by corpus and by emotion; cross-entropy."""
    chosen = np.asarray(chosen)
    targets = recordings.targets[chosen]
    corpora = np.array([recordings.clips[i].corpus for i in chosen])
    emotions = np.array([recordings.clips[i].emotion or "" for i in chosen])
    emotional = emotions != ""
    truth = np.where(targets == 1, posteriors, 1.0 - posteriors)
    return {
        "emotional": recall_by_gender(targets[emotional], posteriors[emotional]),
        "corpora": {
            name: recall_by_gender(targets[corpora == name], posteriors[corpora == name])
            for name in sorted(set(corpora))
        },
        "emotions": {
            name: recall_by_gender(targets[emotions == name], posteriors[emotions == name])
            for name in LABELS
            if (emotions == name).any()
        },
        "cross_entropy": round(float(-np.log(np.maximum(truth, 1e-12)).mean()), 4)
        if len(chosen)
        else None,
    }


def assess_turns(
    recordings: Recordings, evidence: dict[int, Evidence], gate: GenderGate, settings: GateSettings
) -> dict:
    """UAR when the evidence of several random clips of a speaker adds up; a turn for each clip."""
    random = np.random.default_rng([settings.seed, 4])
    targets, posteriors = [], []
    for group in recordings.by_speaker(i for i in evidence if recordings.clips[i].emotion).values():
        for _ in group:
            picked = random.choice(group, min(settings.turn_clips, len(group)), replace=False)
            posteriors.append(gate.posterior(sum((evidence[i] for i in picked), Evidence())))
            targets.append(recordings.targets[group[0]])
    return recall_by_gender(np.array(targets), np.array(posteriors))


def score(
    recordings: Recordings, chosen: Iterable[int], arrays: dict, progress: bool = True
) -> dict:
    """The report of a gate on the chosen recordings, made by edge's own scoring."""
    gate = GenderGate.from_arrays(arrays)
    chosen = list(chosen)
    evidence = {
        i: sum((gate.evidence(window) for window in recordings.windows(i)), Evidence())
        for i in progress_bar(chosen, "scoring", len(chosen), "clip", progress)
    }
    report = assess(recordings, chosen, np.array([gate.posterior(evidence[i]) for i in chosen]))
    report[f"turns_of_{recordings.settings.turn_clips}_clips"] = assess_turns(
        recordings, evidence, gate, recordings.settings
    )
    return report


def print_report(report: dict) -> None:
    """A table of both roads on validation and, if scored, test speakers."""
    text = "{:<10} {:<11} {:<22} {:>6} {:>7} {:>7} {:>7}".format
    print(text("trained on", "speakers", "clips of", "clips", "female", "male", "UAR"))
    for road in ("slr45", "all"):
        for part in ("validation", "held_out", "test"):
            rows = report.get(road, {}).get(part)
            if not rows:
                continue
            groups = {"all emotional": rows["emotional"], **rows["corpora"], **rows["emotions"]}
            groups |= {
                name.replace("_", " "): rows[name] for name in rows if name.startswith("turns")
            }
            for name, row in groups.items():
                shown = [
                    "-" if row[k] is None else f"{row[k]:.2f}" for k in ("female", "male", "uar")
                ]
                print(text(road, part, name, row["clips"], *shown))
    print(
        f"kept: {report['chosen']}, {report[report['chosen']]['chosen']},"
        f" {report['parameters']} parameters"
    )
