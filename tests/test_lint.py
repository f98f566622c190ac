"""Style and types, as `make lint` checks them, and the types that a caller sees."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("command", ["ruff check .", "mypy --strict edge", "pyright edge"])
def test_the_sources_pass(command):
    tool, *arguments = command.split()
    if importlib.util.find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed")
    if tool == "pyright":
        if shutil.which("node") is None:
            pytest.skip("pyright runs in Node.js, which is not installed")
        arguments = ["--pythonpath", sys.executable, *arguments]
    done = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


CALLER = """\
from typing_extensions import assert_type

import numpy as np
from edge import Decision, Prediction, Recognizer, Timeline, TurnEnded

recognizer = Recognizer()
prediction = recognizer.predict(np.zeros(16000, np.int16), 16000, gender="both", labels=["sad"])
assert_type(prediction, Prediction)
assert_type(prediction.windows[0].snr_db, float | None)
assert_type(prediction.top_k(3), list[tuple[str, float]])
assert_type(recognizer.timeline("talk.wav"), Timeline)
with recognizer.stream(sample_rate=48000) as stream:
    stream.accept_waveform([0.0, 0.1])
    for event in stream.events():
        if isinstance(event, Decision):
            assert_type(event.flags, tuple[str, ...])
        elif event.kind == "turn_ended":
            assert_type(event, TurnEnded)
"""


def test_a_caller_sees_the_types(tmp_path):
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    caller = tmp_path / "caller.py"
    caller.write_text(CALLER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(caller)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kernel", ["int8", "resample", "spectral"])
def test_a_kernels_stub_names_what_the_kernel_has(kernel):
    stub = ast.parse((ROOT / f"edge/_kernels/{kernel}.pyi").read_text(encoding="utf-8"))
    module = importlib.import_module(f"edge._kernels.{kernel}")
    stubbed = {node.name: node for node in stub.body if hasattr(node, "name")}
    assert set(stubbed) == {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
    for name, node in stubbed.items():
        if isinstance(node, ast.ClassDef):
            methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            fields = {part.target.id for part in node.body if isinstance(part, ast.AnnAssign)}
            public = {each for each in vars(getattr(module, name)) if not each.startswith("_")}
            assert (methods | fields) - {"__init__"} == public, name
