"""Writes one self-contained HTML page about a training run.

    python -m training report RUN --bundle BUNDLE --corpora CORPORA --crossval RUN ...

It shows what there is: the run's history, configuration and validation scores; how a bundle answers
to unseen speakers; cross-validations; and what other commands have written (ablation.json and
robustness.json in the run, or named), with the ladder of experiments.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.bundle import MANIFEST, Bundle, Thresholds
from edge.labels import GENDERS
from edge.recognizer import Recognizer
from training.ablation import interval_text
from training.answers import load_answers, save_answers
from training.corpora import Clip, load_log_mel, read_corpora
from training.crossval.results import FORMS, deployed_cost, pooled_answers, spread
from training.evaluation import Evaluation, evaluate
from training.ladder import Rung, read_ladder
from training.protocol import RELEASE, Protocol
from training.report import pictures
from training.report.confusions import confusions
from training.report.page import (
    Section,
    Tile,
    folded,
    make_page,
    paragraph,
    preformatted,
    side_by_side,
    table,
    tiles,
)
from training.run import STAGES, Run, RunError
from training.tables import percent

LADDER = Path(__file__).resolve().parents[1] / "ladder.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training report`."""
    add = parser.add_argument
    add("run", type=Path, help="folder of the run")
    add("--bundle", type=Path, help="a bundle made of it, to be asked about unseen speakers")
    add("--corpora", type=Path, help="folder with one folder for each corpus; with --bundle")
    add("--protocol", type=Path, default=RELEASE,
        help="split by speaker (default: the released models')")
    add("--crossval", type=Path, nargs="+", default=[], metavar="RUN",
        help="cross-validations, by their folders")
    add("--robustness", type=Path, metavar="FILE", help="(default: robustness.json in the run)")
    add("--ablation", type=Path, metavar="FILE", help="(default: ablation.json in the run)")
    add("--ladder", type=Path, metavar="FILE",
        help="experiments as JSON lines (default: the project's, if there is one)")
    add("--out", type=Path, metavar="FILE", help="(default: report.html in the run)")


def run(arguments: argparse.Namespace) -> int:
    """Writes the page and prints its path."""
    folder = Run(arguments.run)
    config = folder.read("config.json")
    clips = [] if arguments.corpora is None else read_corpora(arguments.corpora)
    bundle = None if arguments.bundle is None else Bundle.load(arguments.bundle)
    evaluation = None
    if bundle is not None:
        evaluation = _evaluation(folder, bundle, clips, Protocol.load(arguments.protocol))
    with pictures.style():
        sections = list(_sections(folder, config, bundle, evaluation, clips, arguments))
    page = make_page(
        f"Edge SER: {folder.folder.resolve().name}", _subtitle(config, bundle), sections
    )
    out = arguments.out or folder.folder / "report.html"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    print(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB)")
    return 0


def _evaluation(
    folder: Run, bundle: Bundle, clips: Sequence[Clip], protocol: Protocol
) -> Evaluation:
    """The bundle's answers to unseen speakers, kept in the run's folder."""
    manifest = (bundle.folder / MANIFEST).read_bytes()
    key = hashlib.sha256(manifest + protocol.name.encode()).hexdigest()[:16]
    kept = folder.folder / "report" / f"answers-{key}.npz"
    if not kept.exists():
        if not clips:
            raise RunError("a bundle is asked about clips: give --corpora")
        save_answers(evaluate(Recognizer(bundle), clips, protocol), kept)
    return load_answers(kept)


def _subtitle(config: dict[str, Any], bundle: Bundle | None) -> str:
    seed = config.get("settings", {}).get("seed", "?")
    data = str(config.get("data", ""))[:12]
    parts = [f"seed {seed}", f"data {data}"]
    if bundle is not None:
        parts.append(f"bundle {bundle.name} {bundle.version}")
    return ", ".join(parts)


def _sections(
    folder: Run,
    config: dict[str, Any],
    bundle: Bundle | None,
    evaluation: Evaluation | None,
    clips: Sequence[Clip],
    arguments: argparse.Namespace,
) -> Iterator[Section]:
    crossvals = [Run(each) for each in arguments.crossval]
    contents = [each.read("crossval.json") for each in crossvals]
    if evaluation is not None:
        yield _overview(evaluation, contents)
    for each, content in zip(crossvals, contents):
        yield _crossval(each, content)
    if folder.history_path.exists():
        yield _curves(folder)
    if evaluation is not None:
        uncertain = Thresholds().uncertain if bundle is None else bundle.thresholds.uncertain
        yield _confusion(evaluation)
        yield _certainty(evaluation, uncertain)
        yield from _mistakes(evaluation, clips)
    ablation = _optional(arguments.ablation, folder.folder / "ablation.json")
    if ablation is not None:
        yield _ablation(ablation)
    robustness = _optional(arguments.robustness, folder.folder / "robustness.json")
    if robustness is not None:
        yield _robustness(robustness)
    ladder = arguments.ladder or (LADDER if LADDER.exists() else None)
    if ladder is not None:
        rungs = read_ladder(ladder)
        if rungs:
            yield _ladder(rungs)
    yield _configuration(folder, config)


def _optional(named: Path | None, usual: Path) -> dict[str, Any] | None:
    """The JSON file that is named, or the usual one if it is there."""
    path = named or usual
    if named is None and not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error


def _overview(evaluation: Evaluation, contents: Sequence[dict[str, Any]]) -> Section:
    figures = []
    for content in contents:
        for group, summary in content["groups"].items():
            form = "int8" if "int8" in summary else "float"
            found = summary[form]
            rows = [row for row in content["folds"] if row["group"] == group]
            note = "speakers apart"
            if any(row["speakers_overlap"] for row in rows):
                note = "speakers overlap"
            elif _unheard(rows):
                note = "corpus never heard"
            figures.append(Tile(
                f"{content['corpus']}, {group}, {found['folds']} of {summary['folds_planned']} "
                "folds",
                percent(found["ua"]["mean"]), f"UA, {form}, {note}",
            ))
    for corpus, part in evaluation.groups():
        scores, interval = evaluation.emotion(corpus, part), evaluation.interval(corpus, part)
        figures.append(Tile(
            f"{corpus}, {part}, {len(scores.labels)} emotions", percent(scores.ua),
            f"UA, {percent(interval.low)} to {percent(interval.high)}",
        ))
    gate = evaluation.gate(evaluation.select(emotional=True))
    figures.append(Tile("gender, one clip", percent(gate.uar), f"UAR, {gate.clips} clips"))
    lines = []
    for corpus, part in evaluation.groups():
        scores = evaluation.emotion(corpus, part)
        told = evaluation.emotion(corpus, part, true_gender=True)
        by_gender = [evaluation.emotion(corpus, part, gender) for gender in GENDERS]
        lines.append((
            f"{corpus}, {part}", scores.clips, scores.speakers, percent(scores.ua),
            percent(scores.wa), percent(scores.macro_f1), percent(told.ua),
            *(percent(each.ua) for each in by_gender), percent(scores.ece),
        ))
    header = ("", "clips", "speakers", "UA", "WA", "macro-F1", "UA, true gender", "UA women",
              "UA men", "ECE")
    return Section("Overview", tiles(figures) + paragraph(
        "Per cent, of speakers that nothing was trained on, over the labels that a corpus has. UA "
        "is the mean of the emotions' recalls, which chance would make 100 divided by their "
        "number; the range is the 95 % interval by clip."
    ) + table(header, lines))


def _crossval(folder: Run, content: dict[str, Any]) -> Section:
    corpus, parts = content["corpus"], []
    for group, summary in content["groups"].items():
        rows = [row for row in content["folds"] if row["group"] == group]
        if any(row["speakers_overlap"] for row in rows):
            parts.append(paragraph(
                f"The folds of {group} are by clip here: the tested speakers are trained on, with "
                "other clips. These figures say nothing about strangers.", "warning"))
        if _unheard(rows):
            parts.append(paragraph(
                "Nothing of the corpus is trained on: no speaker, no microphone, no way of acting."
            ))
        image = pictures.as_image(
            pictures.crossval_dots(content, group), f"UA over the folds of {group}"
        )
        missing = summary["folds_planned"] - len(rows)
        lines = [_fold(row, form) for form in FORMS for row in rows if form in row]
        means = []
        for form in FORMS:
            if form in summary:
                means.append(len(lines))
                found = summary[form]
                lines.append((
                    f"mean, {form}", "", *(spread(found[key]) for key in ("ua", "wa", "macro_f1")),
                    spread(found["ua_true_gender"]), "", "", "",
                ))
        header = ("fold", "clips", "UA", "WA", "macro-F1", "UA, true gender", "UA women",
                  "UA men", "ECE")
        parts.append(f"<h3>Folds of {group}</h3>" + image + paragraph(deployed_cost(rows)))
        if missing:
            parts.append(paragraph(
                f"{missing} of {summary['folds_planned']} folds are not done yet.", "warning"))
        parts.append(folded("Every fold", table(header, lines, strong=means)))
        parts.append(_pooled_confusion(folder, content, group))
    if "emobox" in content["groups"]:
        parts.append(paragraph(content["published"]["source"] + "."))
    return Section(f"Cross-validation: {corpus}", "\n".join(parts))


def _unheard(rows: Sequence[dict[str, Any]]) -> bool:
    return any(row.get("corpus_unheard") for row in rows)


def _fold(row: dict[str, Any], form: str) -> tuple[object, ...]:
    found = row[form]
    return (
        f"{row['fold']}, {form}", found["clips"],
        *(percent(found[key]) for key in ("ua", "wa", "macro_f1")),
        percent(found["true_gender"]["ua"]),
        *("-" if ua is None else percent(ua) for ua in found["by_gender"].values()),
        percent(found["ece"]),
    )


def _pooled_confusion(folder: Run, content: dict[str, Any], group: str) -> str:
    from training.plots import draw_confusion

    form = "int8" if "int8" in content["groups"][group] else "float"
    answers = pooled_answers(folder, content, group, form)
    if answers is None:
        return ""
    return folded(f"Confusion over all folds, {form}", pictures.as_image(
        draw_confusion(answers, content["corpus"], "test"), "confusion matrices by gender"
    ))


def _curves(folder: Run) -> Section:
    lines = folder.history_path.read_text(encoding="utf-8").splitlines()
    history = [json.loads(line) for line in lines if line.strip()]
    body = pictures.as_image(pictures.learning_curves(history), "loss and UA by epoch")
    if (folder.folder / "metrics.json").exists():
        metrics = folder.read("metrics.json")
        keys = list(dict.fromkeys(key for stage in metrics.values() for key in stage))
        rows = [(key, *(metrics[s].get(key, "-") for s in STAGES if s in metrics)) for key in keys]
        body += folded("Scores of the finished stages on validation speakers", table(
            ("", *(stage for stage in STAGES if stage in metrics)), rows
        ))
    return Section("Learning", paragraph(
        "The averaged weights are what is scored and kept. Validation speakers stop nothing: how "
        "many epochs there are is fixed beforehand."
    ) + body)


def _confusion(evaluation: Evaluation) -> Section:
    from training.plots import draw_confusion, draw_recalls

    parts = [paragraph(
        "Each row is what was meant, each column what was answered, in per cent of the row; women "
        "to the left, men to the right.")]
    for corpus, part in evaluation.groups():
        parts.append(pictures.as_image(
            draw_confusion(evaluation, corpus, part), f"confusion of {corpus}, {part}"
        ))
        parts.append(folded(f"Recall of each emotion: {corpus}, {part}", pictures.as_image(
            draw_recalls(evaluation, corpus, part), f"recalls of {corpus}, {part}"
        )))
    return Section("Confusion", "\n".join(parts))


def _certainty(evaluation: Evaluation, uncertain: float) -> Section:
    return Section("Certainty", paragraph(
        "Is an answer of 70 % right in 70 of 100 cases? Points on the diagonal say yes; their size "
        "and the bars below are the share of the answers."
    ) + pictures.as_image(
        pictures.reliability_by_gender(evaluation), "reliability by gender"
    ) + paragraph(
        "Whoever may also say nothing is right more often: the surest answers, as a share of all, "
        "with all eight emotions allowed."
    ) + pictures.as_image(
        pictures.coverage_by_gender(evaluation, uncertain), "accuracy against coverage"
    ))


def _mistakes(evaluation: Evaluation, clips: Sequence[Clip]) -> Iterator[Section]:
    """Needs the clips' files."""
    known = {(clip.corpus, clip.name): clip for clip in clips}
    rows = []
    for each in confusions(evaluation):
        row = []
        shown = [(each.mistaken, f"meant {each.truth}, called {each.answer}")]
        if each.beside is not None:
            shown.append((each.beside, f"meant and called {each.answer}"))
        for clip, said in shown:
            found = known.get((clip.corpus, clip.name))
            if found is not None:
                who = f"{clip.corpus} {clip.speaker}, {clip.gender}"
                row.append((f"{said}  ({who})", load_log_mel(found)))
        if row:
            rows.append(row)
    if rows:
        table_rows = [
            (each.truth, each.answer, percent(each.share), each.clips)
            for each in confusions(evaluation, count=10)
        ]
        yield Section("Mistakes", paragraph(
            "The most frequent confusions: to the left the surest mistake, to the right a clip "
            "that is rightly called what the left one was taken for. Log-mel, the lowest band "
            "below, the loudest cell brightest."
        ) + pictures.as_image(pictures.spectrograms(rows), "log-mel spectrograms", raster=True)
          + folded("The ten most frequent", table(
              ("meant", "called", "% of the clips meant so", "clips"), table_rows)))


def _ablation(content: dict[str, Any]) -> Section:
    asked = ", ".join(f"{kind} {name}" for kind, name in content.get("asked", {}).items() if name)
    kind = "warning" if "clearly worse" in content["verdict"] else "fine"
    parts = [
        paragraph(f"Asked: {asked}." if asked else ""),
        paragraph(content["verdict"], kind),
        pictures.as_image(pictures.ablation_gains(content), "gains over the deployed form"),
    ]
    header = ["system", "parameters"]
    for group in content["systems"][0]["groups"]:
        header += [f"{group['corpus']} {group['part']}", "gain, 95 % by clip"]
    rows = [
        [
            pictures.SYSTEM_NAMES[row["system"]],
            "" if row["parameters"] is None else f"{row['parameters']:,}",
            *(
                cell for group in row["groups"]
                for cell in (percent(group["ua"]), interval_text(group["gain_by_clip"]))
            ),
        ]
        for row in content["systems"]
    ]
    parts.append(folded("By corpus", table(header, rows)))
    fairness = pictures.fairness_gaps(content)
    if fairness is not None:
        parts.append("<h3>Fairness</h3>" + pictures.as_image(fairness, "gaps between the genders"))
    return Section("Is gender-specific right?", "\n".join(parts))


def _robustness(content: dict[str, Any]) -> Section:
    from training.robustness import LARGEST_LOSS, draw_robustness

    if content["collapsed"]:
        said = "; ".join(
            f"{each['corpus']} loses {100 * each['ua_loss']:.1f} points under {each['condition']}"
            for each in content["collapsed"]
        )
        verdict = paragraph(f"Collapsed at 20 dB: {said}.", "warning")
    else:
        verdict = paragraph(
            f"No figure loses more than {100 * LARGEST_LOSS:g} points at 20 dB.", "fine")
    corpora = list(content["conditions"][0]["corpora"])
    header = ["condition"]
    for corpus in corpora:
        header += [f"{corpus} UA", "change", "UA, true gender", "gate UAR"]
    rows = [
        [row["name"], *(cell for corpus in corpora for cell in _of_corpus(row, corpus))]
        for row in content["conditions"]
    ]
    return Section("Robustness", verdict + paragraph(
        f"{content['clips']} clips of {content['speakers']} unseen speakers. The shaded band is "
        "what may be lost at 20 dB."
    ) + pictures.as_image(draw_robustness(content), "UA under every condition")
      + folded("Every figure", table(header, rows)))


def _of_corpus(row: Mapping[str, Any], corpus: str) -> tuple[str, ...]:
    figures = row["corpora"].get(corpus)
    if figures is None:
        return ("",) * 4
    return (
        percent(figures["ua"]),
        percent(-figures["ua_loss"]["estimate"], sign=True),
        percent(figures["ua_true_gender"]),
        percent(figures["gate_uar"]),
    )


def _ladder(rungs: Sequence[Rung]) -> Section:
    rows = [
        (
            rung.rung, rung.what, rung.measure, f"{rung.before:.2f}", f"{rung.after:.2f}",
            f"{rung.gain:+.2f}",
            "-" if rung.interval is None
            else f"{rung.interval[0]:+.2f} ... {rung.interval[1]:+.2f}",
            rung.seeds, "kept" if rung.kept else "dropped",
        )
        for rung in rungs
    ]
    header = ("rung", "what", "measure", "before", "after", "gain", "95 %", "seeds", "")
    return Section("The ladder", paragraph(
        "What was tried, in order. The stair is of what was kept; hollow points were dropped. The "
        "lines are 95 % intervals over seeds."
    ) + pictures.as_image(pictures.ladder_steps(rungs), "validation UA by experiment")
      + table(header, rows, words=True,
              strong=[number for number, rung in enumerate(rungs) if rung.kept]))


def _configuration(folder: Run, config: dict[str, Any]) -> Section:
    command = config.get("command", "")
    command = command if isinstance(command, str) else " ".join(map(str, command))
    settings = list(_flat(config.get("settings", {})))
    half = -(-len(settings) // 2)
    environment = config.get("environment", {})
    facts = [
        (name, config[name]) for name in ("data", "protocol", "initial", "hold_out", "exclude")
        if config.get(name)
    ]
    return Section("Configuration", preformatted(command) + side_by_side(
        table(("setting", "value"), settings[:half], words=True),
        table(("setting", "value"), settings[half:], words=True),
    ) + folded("Environment and fingerprints", table(
        ("", ""), [*environment.items(), *facts], words=True
    )))


def _flat(settings: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(value)
