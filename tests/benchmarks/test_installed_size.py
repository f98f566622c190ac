"""Sizes come from what the installer recorded, followed through requirements."""

from __future__ import annotations

import sysconfig
from importlib.metadata import Distribution, PackageNotFoundError

import pytest

from benchmarks.installed_size import (
    compare_sizes,
    distribution_size,
    folder_size,
    normalised,
    requirements,
)


@pytest.fixture
def site(tmp_path):
    """A site-packages of three distributions; `site.find` looks among them."""
    _install(tmp_path, "alpha", 1000, ["Beta_B>=1", "gamma; extra == 'more'", "absent"])
    _install(tmp_path, "beta-b", 200, ["alpha", "never; python_version < '3'"])
    _install(tmp_path, "gamma", 30, [])
    return tmp_path


def _install(site, name, size, requires):
    folder = site / name
    folder.mkdir()
    (folder / "code.py").write_bytes(b"#" * size)
    (folder / "code.pyc").write_bytes(b"x" * 10_000)
    info = site / f"{name}.dist-info"
    info.mkdir()
    lines = [f"Name: {name}", "Version: 1", *(f"Requires-Dist: {text}" for text in requires)]
    lines.insert(0, "Metadata-Version: 2.1")
    lines.append("Provides-Extra: more")
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "RECORD").write_text(
        f"{name}/code.py,,{size}\n{name}/code.pyc,,\n{name}/gone.py,,5\n{name}/code.py,,{size}\n"
    )


@pytest.fixture
def find(site):
    def find(name):
        info = site / f"{normalised(name)}.dist-info"
        if not info.is_dir():
            raise PackageNotFoundError(name)
        return Distribution.at(info)

    return find


def test_a_distribution_is_as_large_as_its_recorded_files_without_bytecode(find):
    assert distribution_size(find("alpha")) == 1000


def test_a_distribution_without_record_is_refused_by_name(find, site):
    (site / "alpha.dist-info" / "RECORD").unlink()
    with pytest.raises(LookupError, match="alpha"):
        distribution_size(find("alpha"))


def test_requirements_are_followed_once_and_across_spellings(find):
    assert set(requirements(["alpha"], find)) == {"alpha", "beta-b"}


def test_extras_count_only_when_asked_for(find):
    assert set(requirements(["alpha[more]"], find)) == {"alpha", "beta-b", "gamma"}


def test_a_distribution_that_was_asked_for_must_be_there(find):
    with pytest.raises(PackageNotFoundError):
        requirements(["absent"], find)


def test_a_packages_folder_counts_the_kernels_of_this_python_alone(tmp_path):
    own = f"kernel.{sysconfig.get_config_var('SOABI')}.so"
    for name, size in ((own, 100), ("kernel.cpython-399-other.so", 1000), ("code.py", 10)):
        (tmp_path / name).write_bytes(b"#" * size)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "code.pyc").write_bytes(b"#" * 5000)
    assert folder_size(tmp_path) == 110


def test_edge_with_what_it_requires_is_the_size_to_compare_with():
    pytest.importorskip("librosa")
    rows = compare_sizes()
    (baseline,) = (row for row in rows if row["baseline"])
    assert {"edge", "numpy"} == set(baseline["parts"])
    assert baseline["bytes"] == sum(baseline["parts"].values())
    (librosa,) = (row for row in rows if row["entry"].startswith("librosa"))
    assert {"librosa", "numba", "llvmlite", "scipy", "scikit-learn", "numpy"} <= set(
        librosa["parts"]
    )
