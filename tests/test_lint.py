"""Style and types, as `make lint` checks them (but pyright, which takes longer)."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("command", ["ruff check .", "mypy --strict edge"])
def test_the_sources_pass(command):
    tool, *arguments = command.split()
    if importlib.util.find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kernel", ["resample", "spectral"])
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
