"""The examples in the docstrings say what they do."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import edge
from edge.bundle import DEFAULT_BUNDLE

MODULES = ["edge"] + [
    module.name
    for module in pkgutil.walk_packages(edge.__path__, "edge.")
    if not module.name.startswith(("edge._kernels", "edge.__main__", "edge.models"))
]
TESTS = {
    test.name: test
    for name in MODULES
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    if test.examples
}


@pytest.mark.parametrize("name", sorted(TESTS))
def test_an_example_prints_what_its_docstring_says(name, monkeypatch):
    test = TESTS[name]
    if not DEFAULT_BUNDLE.is_dir() and any("Recognizer()" in e.source for e in test.examples):
        pytest.skip("the models that ship are not here")
    monkeypatch.chdir(Path(__file__).parents[2])
    test.globs.update({each: getattr(edge, each) for each in edge.__all__})
    report = []
    options = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    doctest.DocTestRunner(optionflags=options).run(test, out=report.append)
    assert not report, "".join(report)


def test_the_main_paths_have_examples():
    assert {"edge", "edge.audio.to_mono_16k", "edge.features.LogMel"} <= set(TESTS)
