"""docs/voices.md: its code runs, and what it says of the code is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.bundle import DEFAULT_BUNDLE
from edge.voice import SPREAD, Voice

PAGE = Path(__file__).parents[2] / "docs" / "voices.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_code_runs(capsys, monkeypatch, tmp_path):
    if not DEFAULT_BUNDLE.is_dir():
        pytest.skip("the package is installed without its models")
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(PAGE.parents[1] / "examples")
    exec(compile(code, str(PAGE), "exec"), {})
    assert capsys.readouterr().out.strip() in Voice.load("me.json").examples[0].probabilities
    assert Voice.load("me.json").counts() == {"calm": 1, "angry": 1}


def test_the_spread_is_the_one_that_it_tells():
    assert f"(`SPREAD`, {SPREAD:g})" in TEXT


def test_its_links_lead_to_files():
    for link in re.findall(r"\]\(([\w-]+\.md)", TEXT):
        assert (PAGE.parent / link).is_file(), link
