"""docs/api.md, and that it is what the docstrings say."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import edge

ROOT = Path(__file__).parents[2]
specification = importlib.util.spec_from_file_location("build_api", ROOT / "docs/build_api.py")
build_api = importlib.util.module_from_spec(specification)
sys.modules["build_api"] = build_api
specification.loader.exec_module(build_api)


def test_the_page_is_up_to_date():
    done = subprocess.run(
        [sys.executable, ROOT / "docs/build_api.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_public_name_is_on_the_page_once():
    page = build_api.build()
    for name in set(edge.__all__) - {"__version__", "Event"}:
        assert len(re.findall(rf"^#### \*\*{name}\*\*$", page, re.MULTILINE)) == 1, name


def test_every_public_thing_has_a_docstring():
    page = build_api.build()
    silent = re.findall(r"^(#####? .+)\n\n```python\n[^`]+\n```\n\n+(?=#|\Z)", page, re.MULTILINE)
    assert silent == []


def test_every_field_of_what_can_be_imported_from_edge_is_described():
    silent = []
    for name in (name for chapter in build_api.CHAPTERS.values() for name in chapter):
        module = build_api.Module.read(name)
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and node.name in edge.__all__:
                silent += [
                    f"edge.{name}.{node.name}.{ast.unparse(field.target)}"
                    for field, text in module.fields(node)
                    if text is None
                ]
    assert silent == []


def test_links_lead_to_headings():
    page = build_api.build()
    headings = {
        build_api._anchor(heading.replace("*", ""))
        for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= headings


def test_docstrings_become_markdown():
    docstring = """First line.

    samples: (n,) float32, full
        scale 1
    rate, other: hertz
    Raises SettingsError.

        code  ->  more

        after a gap

    >>> 1 + 1
    2

    Source: a paper.
    """
    assert build_api.markdown(docstring) == (
        "First line.\n\n- `samples`: (n,) float32, full scale 1\n- `rate, other`: hertz\n\n"
        "Raises SettingsError.\n\n```\ncode  ->  more\n\nafter a gap\n```\n\n"
        "```pycon\n>>> 1 + 1\n2\n```\n\nSource: a paper."
    )
