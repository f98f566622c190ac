"""What importing the package costs and shows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import edge

HEAVY = {
    *("tensorflow", "tf_keras", "keras", "tflite_runtime", "ai_edge_litert"),
    *("scipy", "sklearn", "librosa", "soundfile", "soxr", "matplotlib"),
}


def modules_after(statements: str) -> set[str]:
    """Top-level names in `sys.modules` of a fresh interpreter that ran the statements."""
    program = f"{statements}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return {name.split(".")[0] for name in json.loads(done.stdout)}


def test_importing_the_package_loads_nothing_heavy_not_even_numpy():
    loaded = modules_after("import edge")
    assert "edge" in loaded and not loaded & (HEAVY | {"numpy", "importlib_metadata"})


def test_the_command_lines_own_parts_load_without_numpy():
    loaded = modules_after("from edge.cli.program import make_parser; make_parser()")
    assert "edge" in loaded and not loaded & (HEAVY | {"numpy"})


def test_using_every_public_name_loads_neither_interpreter_nor_soundfile():
    loaded = modules_after("from edge import *")
    assert "numpy" in loaded and not loaded & HEAVY


def test_loading_a_bundle_and_judging_its_gate_loads_no_interpreter(bundle_copy):
    loaded = modules_after(f"from edge import Recognizer; Recognizer({str(bundle_copy)!r})")
    assert not loaded & HEAVY


def test_every_public_name_is_there_and_listed():
    for name in edge.__all__:
        assert getattr(edge, name) is not None
    assert set(edge.__all__) <= set(dir(edge))


def test_all_errors_are_of_one_family():
    for name in edge.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(edge, name), edge.EdgeError)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'edge' has no attribute 'Recogniser'"):
        edge.Recogniser  # noqa: B018
