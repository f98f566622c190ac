"""The catalogue: the same keys and places in each language, all of them used."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from app.preferences import CHOICES
from app.strings import CATALOGUES, Catalogue
from edge import FLAGS, GENDERS, LABELS

APP = Path(__file__).resolve().parents[2] / "app"
languages = pytest.mark.parametrize("language", CATALOGUES)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def written_in_the_code() -> set[str]:
    """Every string of the app but the catalogues, with a * for each place of an f-string."""
    found = set()
    for path in APP.rglob("*.py"):
        if path.parent.name == "strings" and path.name != "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.add(
                    "".join(
                        part.value if isinstance(part, ast.Constant) else "*"
                        for part in node.values
                    )
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def matches(key: str, pattern: str) -> bool:
    if "*" not in pattern or pattern.strip("*.") == "":
        return key == pattern
    head, tail = pattern.split("*", 1)[0], pattern.rsplit("*", 1)[1]
    return key.startswith(head) and key.endswith(tail) and len(key) > len(head) + len(tail)


@languages
def test_each_language_has_the_same_keys_and_places(language):
    english, other = CATALOGUES["en"], CATALOGUES[language]
    assert set(other) == set(english)
    for key, text in english.items():
        assert other[key].strip(), key
        if key != "date":
            assert places(other[key]) == places(text), key


@languages
def test_what_is_named_by_edge_and_by_the_preferences_has_words(language):
    words = Catalogue(language)
    keys = [f"emotion.{label}" for label in LABELS] + [f"gender.{gender}" for gender in GENDERS]
    keys += [f"flag.{flag}" for flag in FLAGS] + [f"flag.{flag}.name" for flag in FLAGS]
    keys += [
        f"{name}.{value}"
        for name, values in CHOICES.items()
        if name not in ("keep_recordings", "hear_by_voice", "always_me")
        for value in values
    ]
    assert [key for key in keys if not words.has(key)] == []


def test_no_text_is_forgotten():
    written = written_in_the_code()
    parts = [key for key in CATALOGUES["en"] if not any(matches(key, text) for text in written)]
    # `ask("delete")` says delete.title and delete.text, `count("lost")` lost.one and lost.many.
    stems = ("title", "text", "one", "many")
    unused = [key for key in parts if key.rpartition(".")[2] not in stems]
    unused += [key for key in parts if key not in unused and key.rpartition(".")[0] not in written]
    assert unused == []


def test_numbers_and_moments_are_written_as_the_language_does():
    english, german = Catalogue("en"), Catalogue("de")
    assert (english.seconds(7.25), german.seconds(7.25)) == ("7.2\u00a0s", "7,2\u00a0s")
    assert (english.percent(0.724), german.percent(0.724)) == ("72%", "72\u00a0%")
    assert english.percent(0.9999) == "99%" and english.percent(1.0) == "100%"
    assert (english.clock(67.9), english.clock(0)) == ("1:07", "0:00")
    assert "März" in german.moment(1_772_625_600.0) and "Mar" in english.moment(1_772_625_600.0)
    assert english.count("history.count", 1) != english.count("history.count", 2)


def test_an_unknown_language_speaks_english():
    assert Catalogue("fr").language == "en"
