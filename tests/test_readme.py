"""What the README shows has to work as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) >= 10


def test_every_file_that_the_readme_links_to_is_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_target_of_make_that_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_accuracy_in_the_readme_is_that_of_the_shipped_bundle():
    from edge import Bundle

    rows = re.findall(r"^\| (\w[\w-]+), (validation|test) +\|(.*)\|$", README, re.MULTILINE)
    stated = {(corpus.lower(), part): cells.split("|") for corpus, part, cells in rows}
    metrics = {(row["corpus"], row["part"]): row for row in Bundle.load().metrics["emotion"]}
    assert set(stated) == set(metrics)
    for key, cells in stated.items():
        expected = [100 * metrics[key][name] for name in ("ua", "wa", "macro_f1")]
        found = [float(cell.split("(")[0]) for cell in cells[3:6]]
        assert all(abs(a - b) < 0.06 for a, b in zip(expected, found)), key
