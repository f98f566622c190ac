"""Bytes on disk of installed packages, with everything that they require, as pip laid it down.

Bytecode is left out on all sides: Python writes it at will.
"""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Callable

from packaging.requirements import Requirement

Find = Callable[[str], Distribution]


def distribution_size(installed: Distribution) -> int:
    """Bytes of the files that the installer recorded, wherever they lie."""
    if installed.files is None:
        raise LookupError(f"{installed.name}: the installer kept no record of its files")
    paths = {Path(str(file.locate())) for file in installed.files if file.suffix != ".pyc"}
    return sum(path.stat().st_size for path in paths if path.is_file())


def requirements(names: Iterable[str], find: Find = distribution) -> dict[str, Distribution]:
    """The distributions themselves and all that they require here, by normalised name.

    Extras are not followed, unless asked for as "name[extra]". A requirement that is not installed
    is left out (an application can lack it, if the import succeeds nevertheless); of `names` every
    one has to be there, or PackageNotFoundError is raised.
    """
    found: dict[str, Distribution] = {}
    visited: set[tuple[str, str]] = set()
    pending = [(Requirement(name), True) for name in names]
    while pending:
        requirement, asked_for = pending.pop()
        name = normalised(requirement.name)
        try:
            found[name] = found.get(name) or find(requirement.name)
        except PackageNotFoundError:
            if asked_for:
                raise
            continue
        for extra in ("", *requirement.extras):
            if (name, extra) in visited:
                continue
            visited.add((name, extra))
            for text in found[name].requires or ():
                wanted = Requirement(text)
                if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                    pending.append((wanted, False))
    return found


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def folder_size(folder: Path) -> int:
    """Bytes of a package's folder, as a wheel for this Python would lay it down."""
    own = f"{sysconfig.get_config_var('SOABI') or ''}.so"
    return sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
        if path.suffix != ".so" or path.name.endswith(own)  # not those of another Python
    )


def compare_sizes() -> list[dict[str, Any]]:
    """Rows of the table of sizes, as plain JSON values; the second is the one to compare with.

    Libraries that are not installed are left out.
    """
    import edge

    package = Path(edge.__file__).parent
    own = folder_size(package)
    if not list((package / "_kernels").glob("*.so")):
        raise LookupError(f"{package / '_kernels'} has no compiled kernels: nothing to measure")
    needed = _sizes(["numpy"])
    models = "models" if (package / "models" / "default").is_dir() else "no models"
    rows = [
        _row(f"edge alone: code, kernels, {models}", {"edge": own}),
        _row("edge with numpy, which is all that it requires", {"edge": own, **needed}, True),
    ]
    for entry, names in (
        ("librosa and what it requires", ["librosa"]),
        ("scikit-learn and what it requires", ["scikit-learn"]),
        ("python_speech_features with numpy and scipy", ["python_speech_features", "scipy"]),
        ("tensorflow-cpu and what it requires", ["tensorflow-cpu"]),
    ):
        try:
            rows.append(_row(entry, _sizes(names)))
        except PackageNotFoundError:
            continue
    return rows


def _sizes(names: Iterable[str]) -> dict[str, int]:
    return {name: distribution_size(each) for name, each in requirements(names).items()}


def _row(entry: str, sizes: dict[str, int], baseline: bool = False) -> dict[str, Any]:
    if not all(sizes.values()):
        empty = ", ".join(sorted(name for name, size in sizes.items() if not size))
        raise LookupError(f"{entry}: no bytes of {empty} were found")
    return {"entry": entry, "baseline": baseline, "bytes": sum(sizes.values()), "parts": sizes}
