from __future__ import annotations

import json

import pytest

from edge.errors import SettingsError
from training.ladder import format_ladder, read_ladder

RUNG = {"rung": "longer", "what": "80 epochs", "before": 61.25, "after": 62, "seeds": 3,
        "kept": True, "interval": [0.1, 1.4]}


def written(tmp_path, *lines):
    path = tmp_path / "ladder.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_rungs_come_in_their_order_with_their_gain(tmp_path):
    other = {**RUNG, "rung": "wider", "after": 60.0, "interval": None, "kept": False, "seeds": 1}
    first, second = read_ladder(written(tmp_path, json.dumps(RUNG), "", json.dumps(other)))
    assert first.gain == pytest.approx(0.75) and first.interval == (0.1, 1.4)
    assert second.gain == pytest.approx(-1.25) and second.interval is None
    text = format_ladder([first, second])
    assert "+0.75" in text and "+0.10 ... +1.40" in text and "no" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kept": 1}, "kept is 1, not bool"),
        ({"before": "61"}, "before is '61', not float"),
        ({"interval": [1.0]}, "not two numbers"),
        ({"interval": [2.0, 1.0]}, "ends before it begins"),
        ({"height": 3}, "missing or unknown: height"),
    ],
)
def test_a_line_that_is_no_rung_is_named(tmp_path, change, message):
    path = written(tmp_path, json.dumps(RUNG), json.dumps({**RUNG, **change}))
    with pytest.raises(SettingsError, match=f"line 2: .*{message}"):
        read_ladder(path)


def test_lines_that_are_not_json_or_miss_something_are_named(tmp_path):
    with pytest.raises(SettingsError, match="line 1: Expecting"):
        read_ladder(written(tmp_path, "{rung}"))
    with pytest.raises(SettingsError, match="missing or unknown: .*kept"):
        read_ladder(written(tmp_path, '{"rung": "x"}'))
    with pytest.raises(SettingsError, match="cannot be read"):
        read_ladder(tmp_path / "nowhere.jsonl")


def test_the_projects_own_ladder_can_be_read():
    from training.report import LADDER

    if not LADDER.exists():
        pytest.skip("the project has no ladder yet")
    assert read_ladder(LADDER)
