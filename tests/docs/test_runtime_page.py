"""The page on the int8 runtime lists what the runtime has."""

from __future__ import annotations

import re
from pathlib import Path

from edge.graph import OPERATORS
from edge.network import RESHAPES, STEPS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runtime.md"


def test_the_page_lists_the_operators_that_can_be_run_in_order():
    listed = re.findall(r"`([A-Z][A-Z0-9_]+)`", PAGE.read_text(encoding="utf-8"))
    assert listed == sorted(OPERATORS.values())
    assert sorted([*STEPS, *RESHAPES]) == listed
