"""docs/voices.md: its code runs, and what it says of the code is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.bundle import DEFAULT_BUNDLE
from edge.labels import LABELS
from edge.voice import REACH, SPREAD, Voice

PAGE = Path(__file__).parents[2] / "docs" / "voices.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_code_runs(capsys, monkeypatch, tmp_path):
    if not DEFAULT_BUNDLE.is_dir():
        pytest.skip("the package is installed without its models")
    hearing, code, of_many = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(PAGE.parents[1] / "examples")
    known: dict[str, object] = {}
    exec(compile(hearing, str(PAGE), "exec"), known)
    assert capsys.readouterr().out.strip() in LABELS
    usual = Voice.load("me.json").usual
    assert usual is not None and usual.clips == 3
    exec(compile(code, str(PAGE), "exec"), known)
    assert capsys.readouterr().out.strip() in Voice.load("me.json").examples[0].probabilities
    assert Voice.load("me.json").counts() == {"calm": 1, "angry": 1}
    exec(compile(of_many, str(PAGE), "exec"), known)
    mine = Voice.load("mine.json")
    assert mine.counts() == {"calm": 1, "angry": 1}
    assert mine.base is not None and mine.base.counts() == {"neutral": 2, "calm": 2}


def test_spread_and_reach_are_those_that_it_tells():
    text = " ".join(TEXT.split())
    assert f"(`SPREAD`, {SPREAD:g})" in text
    assert f"(`REACH`, {REACH:g})" in text


def test_its_links_lead_to_files():
    for link in re.findall(r"\]\(([\w-]+\.md)", TEXT):
        assert (PAGE.parent / link).is_file(), link
