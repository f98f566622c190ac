"""Who may import whom, and how much ships."""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("edge", "training", "quantize", "app", "benchmarks", "tests", "kernels", "examples")
MAY_IMPORT = {
    "kernels": set(),
    "edge": {"edge"},
    "training": {"edge", "training"},
    "quantize": {"edge", "training", "quantize"},
    "app": {"edge", "app"},
}
SIZE_LIMIT = 1_500_000  # bytes, as installed


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of everything that is imported anywhere below the node."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            names |= {
                argument.value.split(".")[0]
                for argument in node.args[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            }
    return names


def at_import_time(tree: ast.Module) -> ast.Module:
    """The module without the bodies of its functions and of `if TYPE_CHECKING`."""

    class Strip(ast.NodeTransformer):
        def visit_FunctionDef(self, node):
            return None

        visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

        def visit_If(self, node):
            return None if "TYPE_CHECKING" in ast.unparse(node.test) else node

    return Strip().visit(tree)


@pytest.mark.parametrize("room", [room for room in MAY_IMPORT if room != "kernels"])
def test_a_room_imports_only_the_rooms_that_it_may_know(room):
    forbidden = set(ROOMS) - MAY_IMPORT[room]
    for path in sources(room):
        wrong = imported(ast.parse(path.read_bytes())) & forbidden
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_the_kernels_know_nothing_of_the_project():
    kernels = sorted((ROOT / "kernels").glob("*.p*"))
    assert kernels
    for path in kernels:
        statements = re.findall(r"^\s*(?:from|c?import)\s+([\w.]+)", path.read_text(), re.MULTILINE)
        wrong = {name.split(".")[0] for name in statements} & set(ROOMS)
        assert not wrong, f"{path.name} imports {', '.join(sorted(wrong))}"


def test_importing_the_runtime_needs_numpy_alone():
    allowed = set(sys.stdlib_module_names) | {"edge", "numpy"}
    for path in sources("edge"):
        wrong = imported(at_import_time(ast.parse(path.read_bytes()))) - allowed
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_the_runtime_never_unpickles():
    for path in sources("edge"):
        text = path.read_text(encoding="utf-8")
        assert not imported(ast.parse(text)) & {"pickle", "dill", "joblib", "shelve", "marshal"}
        assert "allow_pickle=True" not in text, path


def test_the_runtime_is_under_one_and_a_half_megabytes_with_kernels_and_models():
    kernel = f"{sysconfig.get_config_var('SOABI') or ''}.so"
    sizes = {
        path.relative_to(ROOT).as_posix(): path.stat().st_size
        for path in (ROOT / "edge").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
        if path.suffix != ".so" or path.name.endswith(kernel)  # not those of another Python
    }
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    total = sum(sizes.values())
    assert total < SIZE_LIMIT, f"{total} bytes; the largest: {largest}"
