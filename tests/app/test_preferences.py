"""What the user chose is kept, and nonsense in the file is not."""

from __future__ import annotations

import json

import pytest

from app.preferences import CHOICES, Preferences, load_preferences, save_preferences


def test_recordings_are_not_kept_by_default():
    assert Preferences().keep_recordings is False


def test_the_defaults_are_among_the_choices():
    for name, values in CHOICES.items():
        assert getattr(Preferences(), name) in values


@pytest.mark.parametrize("name", CHOICES)
def test_each_choice_is_kept(tmp_path, name):
    for value in CHOICES[name]:
        chosen = Preferences().with_choice(name, value)
        save_preferences(tmp_path / "preferences.json", chosen)
        assert load_preferences(tmp_path / "preferences.json") == chosen
    assert [path.name for path in tmp_path.iterdir()] == ["preferences.json"]


def test_what_makes_no_sense_is_the_default(tmp_path):
    path = tmp_path / "preferences.json"
    assert load_preferences(path) == Preferences()
    for text in ("", "[1]", "{", '{"theme": "pink", "interval": [], "more": 1}', "\x00"):
        path.write_text(text)
        assert load_preferences(path) == Preferences()
    path.write_text(json.dumps({"theme": "pink", "gate": "both"}))
    assert load_preferences(path) == Preferences(gate="both")


def test_what_cannot_be_chosen_is_refused():
    with pytest.raises(ValueError, match="interval cannot be 9"):
        Preferences().with_choice("interval", 9)
    with pytest.raises(ValueError, match="nothing"):
        Preferences().with_choice("nothing", 1)


def test_the_gate_is_asked_as_the_recogniser_takes_it():
    assert [Preferences(gate=gate).gender for gate in CHOICES["gate"]] == [
        None, "female", "male", "both"
    ]
