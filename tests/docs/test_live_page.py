"""docs/live.md: its code runs, and its constants are those of the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import edge
from edge.bundle import DEFAULT_BUNDLE

PAGE = Path(__file__).parents[2] / "docs" / "live.md"
TEXT = PAGE.read_text(encoding="utf-8")
CONSTANTS = re.findall(r"^\| `(edge\.\w+)\.(\w+)` \| (\S+) \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("module", "name", "value"), CONSTANTS)
def test_a_constant_has_the_value_that_the_page_tells(module, name, value):
    assert getattr(importlib.import_module(module), name) == float(value)


def test_every_constant_of_the_live_path_is_told():
    told = {f"{module}.{name}" for module, name, _ in CONSTANTS}
    for module in ("edge.turns", "edge.stream", "edge.steadiness"):
        for name, value in vars(importlib.import_module(module)).items():
            if name.isupper() and type(value) in (int, float) and f"{module}.{name}" not in told:
                home = [each for each in told if each.endswith(f".{name}")]
                assert home or name in ("SEGMENTS_OF_A_TURN", "SILENCE_DB", "STEP"), name


def test_its_links_lead_to_files():
    for link in re.findall(r"\]\(([\w-]+\.md)", TEXT):
        assert (PAGE.parent / link).is_file(), link


def test_its_code_runs(capsys):
    if not DEFAULT_BUNDLE.is_dir():
        pytest.skip("the models that ship are not here")
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    clip = PAGE.parents[1] / "examples" / "clips" / "male_plain.wav"
    samples, rate = edge.read_audio(clip)
    code = code.replace("48000", str(rate))
    exec(compile(code, str(PAGE), "exec"), {"microphone": np.array_split(samples, 25)})
    lines = capsys.readouterr().out.splitlines()
    decisions = [line for line in lines[:-1] if len(line.split()) > 3]
    assert len(decisions) > 2 and all(" male " in line for line in decisions)
    assert "TurnEnded" in lines[-1]
