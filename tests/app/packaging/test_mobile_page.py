"""What docs/mobile.md states is what the tools and the project's files state."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "mobile.md").read_text(encoding="utf-8")


def row(name: str) -> list[str]:
    """The cells of the first table's row."""
    cells = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", PAGE, re.M)
    assert cells, name
    return [cell.strip() for cell in cells[1].split("|")]


def recipe_version(module: str, recipe: str) -> str:
    package = pytest.importorskip(module)
    path = Path(package.__file__).parent / "recipes" / recipe / "__init__.py"
    found = re.search(r"""^    version = ["']v?([\d.]+)["']""", path.read_text(), re.M)
    return found[1]


@pytest.mark.parametrize("column, module", [(0, "pythonforandroid"), (1, "kivy_ios")])
def test_it_names_the_versions_that_the_recipes_build(column, module):
    stated = row("Python, numpy, Kivy")[column].split(", ")
    assert stated == [recipe_version(module, name) for name in ("python3", "numpy", "kivy")]


def test_it_names_the_tools_that_the_tests_ran():
    android, ios = row("built by")
    assert f"Buildozer {version('buildozer')}," in android
    year, month, day = map(int, version("python-for-android").split("."))
    assert f"python-for-android {year}.{month:02}.{day:02}," in android
    assert ios.startswith(f"kivy-ios {version('kivy-ios')},")
    assert f"pip install buildozer=={version('buildozer')}\n" in PAGE
    assert f"pip install kivy-ios=={version('kivy-ios')} " in PAGE


def test_it_names_the_spec_s_levels_and_processors():
    spec = (ROOT / "app" / "buildozer.spec").read_text()
    option = dict(re.findall(r"^([\w.]+) = (.*)$", spec, re.M))
    assert f"NDK r{option['android.ndk']}, API {option['android.api']}" in row("built by")[0]
    assert f"(API {option['android.minapi']})" in row("runs on")[0]
    assert row("runs on")[0].endswith(option["android.archs"])
    archs = option["android.archs"].replace(", ", "_")
    project = (ROOT / "pyproject.toml").read_text()
    name = f"{option['package.name']}-{re.search(r'^version = .(.*).$', project, re.M)[1]}-{archs}"
    assert f"dist/{name}-debug.apk" in PAGE and f"dist/{name}-release.aab" in PAGE


def test_it_names_the_least_ios_that_the_project_sets():
    complete = (ROOT / "app" / "ios" / "complete.py").read_text()
    target = re.search(r'^DEPLOYMENT_TARGET = "(.*)"$', complete, re.M)[1]
    assert row("runs on")[1].startswith(f"iOS {float(target):g} ")


def test_files_and_targets_that_it_names_are_there():
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
    for path in re.findall(r"`((?:app|docs|edge|tests)/[\w./-]+)`", PAGE):
        assert (ROOT / path).exists(), path
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z-]+)", PAGE):
        assert re.search(rf"^{target}:", makefile, re.M), target
