"""The page about a run: self-contained, and with what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from edge.labels import GENDERS, LABELS
from training.__main__ import main
from training.ablation import Systems, compare
from training.answers import save_answers
from training.conditions import conditions
from training.corpora import CORPUS_LABELS, Clip, read_corpora
from training.crossval.folds import folds_of
from training.crossval.results import collect, fold_run, published
from training.evaluation import Evaluation
from training.protocol import EMOBOX, Protocol
from training.report.confusions import confusions
from training.report.page import Section, make_page, table
from training.run import Run
from training.settings import TrainingSettings

pytest.importorskip("matplotlib")


def answers_to(clips, seed=0, parts=None):
    """Answers of somebody who is right more often than not."""
    rng = np.random.default_rng(seed)
    truth = np.array([LABELS.index(clip.emotion) for clip in clips])
    probabilities = rng.dirichlet(np.ones(8), len(clips)) + 0.4 * np.eye(8)[truth]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    female = np.array([0.9 if clip.gender == "female" else 0.1 for clip in clips])
    parts = ("test",) * len(clips) if parts is None else parts
    return Evaluation(
        Protocol("release"), tuple(clips), parts, female, probabilities, probabilities[::-1]
    )


def made_up_clips(corpus, speakers):
    return [
        Clip(corpus, f"{speaker}-{emotion}-{take}", Path("x"), speaker, gender, emotion)
        for speaker, gender in speakers.items()
        for emotion in CORPUS_LABELS[corpus]
        for take in range(4)
    ]


@pytest.fixture
def run(tmp_path):
    """A run's folder with everything that a report reads but the bundle's answers."""
    folder = Run(tmp_path / "run <1>")
    folder.write("config.json", {
        "settings": TrainingSettings().to_dict(), "data": "0123456789abcdef",
        "command": "python -m training emotion --set 'repeats={\"tess\": <2>}'",
        "environment": {"numpy": "1.26.4"},
    })
    folder.write("metrics.json", {"universal": {"parameters": 1234, "ravdess all": 61.25}})
    lines = [
        {"stage": stage, "epoch": epoch, "loss": 2 / epoch,
         **({f"ravdess {who}": 50.0 + epoch} if epoch % 5 == 0 else {})}
        for stage, who in (("universal", "all"), ("female", "female"), ("male", "male"))
        for epoch in range(1, 11)
    ]
    folder.history_path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    clips = made_up_clips("ravdess", {"06": "female", "13": "male", "17": "male", "22": "female"})
    found = answers_to(clips)
    rng = np.random.default_rng(5)
    names = ("soft", "hard", "oracle", "swapped", "equal", "universal", "same size")
    shares = {name: rng.permuted(found.probabilities, axis=1) for name in names}
    folder.write("ablation.json", compare(Systems(
        found.clips, found.parts, found.female, {**shares, "soft": found.probabilities},
        dict.fromkeys(names, 1000), 0.4,
    )))
    folder.write("robustness.json", {
        "clips": 9, "speakers": 2, "collapsed": [
            {"condition": "street 20 dB", "corpus": "ravdess", "ua_loss": 0.0789}
        ],
        "conditions": [
            {"name": each.name, "kind": each.kind, "snr_db": each.snr_db, "corpora": {"ravdess": {
                "ua": 0.6 - 0.01 * number, "ua_true_gender": 0.6, "gate_uar": 0.9,
                "ua_loss": {"estimate": 0.01 * number, "low": 0.0, "high": 0.1},
            }}}
            for number, each in enumerate(conditions())
        ],
    })
    ladder = tmp_path / "ladder.jsonl"
    rungs = [{"rung": f"rung {n}", "what": "more", "before": 60.0, "after": 60.0 + n, "seeds": 1,
              "kept": n != 2, "interval": [-1.0, 2.0]} for n in range(1, 4)]
    ladder.write_text("".join(json.dumps(rung) + "\n" for rung in rungs))
    return folder


@pytest.fixture
def crossval(tmp_path):
    """The folder of a cross-validation of made-up answers."""
    folder = Run(tmp_path / "crossval")
    clips = made_up_clips("savee", dict.fromkeys(("DC", "JE", "JK", "KL"), "male"))
    folds = folds_of("savee", EMOBOX, clips)
    for fold in folds:
        tested = [clip for clip in clips if fold.tests(clip)]
        for form in ("float", "int8"):
            answers = answers_to(tested, seed=int(fold.name))
            save_answers(answers, fold_run(folder, fold).folder / f"{form}.npz")
            fold_run(folder, fold).write(f"{form}.json", {"parameters": 166000})
    folder.write("crossval.json", collect(folder, "savee", folds))
    return folder


class Page(HTMLParser):
    """Texts, images and what is fetched."""

    def __init__(self, text):
        super().__init__()
        self.sections, self.images, self.fetched, self.words, self.open = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "section":
            self.sections.append(attributes["id"])
        if tag == "img":
            self.images.append(attributes["src"])
        self.fetched += [
            value for name, value in attributes.items()
            if name in ("src", "href") and not value.startswith(("data:", "#"))
        ]
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def report(run, *options):
    out = run.folder.parent / "page.html"
    ladder = run.folder.parent / "ladder.jsonl"
    code = main(["report", str(run.folder), "--out", str(out), "--ladder", str(ladder),
                 *map(str, options)])
    assert code == 0
    return out


def test_the_page_holds_everything_itself(run, crossval):
    page = Page(report(run, "--crossval", crossval.folder).read_text())
    assert page.sections == [
        "cross-validation--savee", "learning", "is-gender-specific-right-", "robustness",
        "the-ladder", "configuration",
    ]
    assert page.fetched == [] and page.open == []
    assert len(page.images) >= 6
    text = " ".join(page.words)
    assert "ravdess loses 7.9 points under street 20 dB" in text
    assert "universal network of another run" in text
    assert "rung 2" in text and "repeats={\"tess\": <2>}" in text and "run <1>" in text
    summary = json.loads((crossval.folder / "crossval.json").read_text())["groups"]["emobox"]
    assert f"{100 * summary['int8']['ua']['mean']:.2f}" in text


def test_a_corpus_that_was_never_heard_is_named(run, tmp_path):
    folder = Run(tmp_path / "corpora")
    clips = made_up_clips("savee", dict.fromkeys(("DC", "JE", "JK", "KL"), "male"))
    (fold,) = folds_of("savee", EMOBOX.with_name("corpora.json"), clips)
    save_answers(answers_to(clips), fold_run(folder, fold).folder / "int8.npz")
    fold_run(folder, fold).write("int8.json", {"parameters": 166000})
    folder.write("crossval.json", collect(folder, "savee", [fold]))
    text = " ".join(Page(report(run, "--crossval", folder.folder).read_text()).words)
    assert "Nothing of the corpus is trained on" in text
    assert published("savee")["source"] not in text


def test_the_same_run_gives_the_same_page(run):
    first = report(run).read_bytes()
    assert report(run).read_bytes() == first


def test_a_run_with_nothing_but_a_configuration_has_a_page(tmp_path):
    run = Run(tmp_path / "run")
    run.write("config.json", {"settings": {}, "command": ["--run", "x"]})
    assert main(["report", str(run.folder)]) == 0
    page = Page((run.folder / "report.html").read_text())
    assert "configuration" in page.sections and page.fetched == []


def test_a_folder_that_is_no_run_or_a_broken_file_is_named(run, tmp_path, capsys):
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "config.json cannot be read" in capsys.readouterr().err
    (run.folder / "ablation.json").write_text("{")
    assert main(["report", str(run.folder)]) == 2
    assert "ablation.json cannot be read" in capsys.readouterr().err


def test_a_bundle_is_asked_once_and_its_mistakes_are_shown(
    run, miniature_corpora, tmp_path, monkeypatch
):
    from tests.edge.bundles import PLACEHOLDER_MODEL, make_bundle, random_gate
    from training import report as module

    models = dict.fromkeys(GENDERS, PLACEHOLDER_MODEL)
    bundle = make_bundle(tmp_path / "bundle", random_gate(), models)
    asked = []

    def evaluate(recognizer, clips, protocol):
        chosen = [c for c in clips if c.emotion and protocol.part(c) != "train"]
        asked.append(len(chosen))
        return answers_to(chosen, parts=tuple(map(protocol.part, chosen)))

    monkeypatch.setattr(module, "evaluate", evaluate)
    monkeypatch.setattr(module, "Recognizer", lambda bundle: None)
    fewest = {"fewest": 1}
    monkeypatch.setattr(
        module, "confusions", lambda found, **more: confusions(found, **{**more, **fewest})
    )
    options = ("--bundle", bundle, "--corpora", miniature_corpora)
    page = Page(report(run, *options).read_text())
    report(run, *options)
    assert len(asked) == 1
    assert {"overview", "confusion", "certainty", "mistakes"} <= set(page.sections)
    assert any(source.startswith("data:image/png") for source in page.images)


class TestConfusions:
    def test_are_ordered_by_share_and_shown_by_the_surest_mistake(self):
        clips = made_up_clips("savee", {"DC": "male"})
        truth = np.array([LABELS.index(clip.emotion) for clip in clips])
        probabilities = 0.1 * np.ones((len(clips), 8)) + 0.5 * np.eye(8)[truth]
        sad, neutral, angry = (LABELS.index(name) for name in ("sad", "neutral", "angry"))
        wrong = np.flatnonzero(truth == sad)[:3]
        probabilities[wrong, neutral] = (0.7, 0.9, 0.8)
        probabilities[np.flatnonzero(truth == angry)[0], neutral] = 1.0
        given = Evaluation(
            Protocol("x"), tuple(clips), ("test",) * len(clips), np.zeros(len(clips)),
            probabilities, probabilities,
        )
        first, second = confusions(given, fewest=1)
        assert (first.truth, first.answer, first.clips, first.share) == ("sad", "neutral", 3, 0.75)
        assert first.mistaken == clips[wrong[1]]
        assert first.beside is not None and first.beside.emotion == "neutral"
        assert (second.truth, second.share) == ("angry", 0.25)
        assert confusions(given, fewest=4) == []

    def test_nobody_is_confused_where_everything_is_right(self, miniature_corpora):
        clips = [clip for clip in read_corpora(miniature_corpora) if clip.corpus == "savee"]
        truth = [LABELS.index(clip.emotion) for clip in clips]
        rows = np.eye(8)[truth]
        given = Evaluation(
            Protocol("x"), tuple(clips), ("test",) * len(clips), np.zeros(len(clips)), rows, rows
        )
        assert confusions(given, fewest=1) == []


def test_cells_and_titles_are_escaped():
    page = make_page("a <b>", "&", [Section("x <y>", table(("h<",), [("<script>",)]))])
    assert "<script>" not in page and "&lt;script&gt;" in page and "a &lt;b&gt;" in page


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")
def test_a_browser_draws_it_without_a_fault(run, crossval, tmp_path):
    path = report(run, "--crossval", crossval.folder)
    shot = tmp_path / "page.png"
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}",
         f"--screenshot={shot}", "--window-size=1250,4000", path.as_uri()],
        capture_output=True, text=True, timeout=120, cwd=tmp_path,
    )
    assert shot.exists(), done.stderr
    assert not re.search(r"CONSOLE", done.stderr), done.stderr
    image = pytest.importorskip("matplotlib.image").imread(shot)
    assert image[..., :3].std() > 0.05  # not blank
