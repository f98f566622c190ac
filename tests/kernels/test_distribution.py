"""What is packed: the wheel holds `edge` alone, with its kernels; the sdist can build them."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

pytest.importorskip("Cython")
pytest.importorskip("setuptools")
pytest.importorskip("wheel")

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def unpacked_sdist(tmp_path_factory) -> pathlib.Path:
    """A copy of the sources as the sdist holds them, unpacked again."""
    folder = tmp_path_factory.mktemp("distribution")
    source = folder / "source"
    shutil.copytree(
        ROOT, source,
        ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "*.so", "__pycache__"),
    )  # fmt: skip
    run_setup(source, "sdist", "--formats=gztar", "--dist-dir", str(folder))
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel_names(unpacked_sdist) -> list[str]:
    run_setup(unpacked_sdist, "bdist_wheel", "--dist-dir", str(unpacked_sdist / "dist"))
    (wheel,) = (unpacked_sdist / "dist").glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def run_setup(folder: pathlib.Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", *command],
        cwd=folder, env={**os.environ, "CFLAGS": "-O0"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def files_of_edge(*patterns: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for pattern in patterns
        for path in (ROOT / "edge").rglob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_adds_one_top_level_name(wheel_names):
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"edge"}


def test_the_wheel_holds_every_module_every_stub_and_every_kernel(wheel_names):
    assert files_of_edge("*.py", "*.pyi", "py.typed") <= set(wheel_names)
    for kernel in (ROOT / "kernels").glob("*.pyx"):
        assert any(name.startswith(f"edge/_kernels/{kernel.stem}.") and not name.endswith(".pyi")
                   for name in wheel_names)  # fmt: skip


def test_the_wheel_holds_the_models_and_nothing_else_beside_the_code(wheel_names):
    models = {path for path in files_of_edge("*") if path.startswith("edge/models/")}
    assert models == {name for name in wheel_names if name.startswith("edge/models/")}
    assert not [name for name in wheel_names if name.endswith((".c", ".pyx", ".h5"))]


def test_the_sdist_holds_the_kernels_sources_and_no_tests(unpacked_sdist):
    assert {path.name for path in (unpacked_sdist / "kernels").iterdir()} >= {
        path.name for path in (ROOT / "kernels").glob("*.pyx")
    }
    assert not (unpacked_sdist / "training").exists()
    assert not (unpacked_sdist / "tests").exists()
