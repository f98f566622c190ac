"""Builds `edge` with its kernels for iOS, from the checkout that this recipe stands in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

import tomllib
from kivy_ios.toolchain import CythonRecipe, cache_execution, logger

CHECKOUT = Path(__file__).resolve().parents[4]
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "kernels", "edge")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


class EdgeSerRecipe(CythonRecipe):
    """A static library of the kernels; their build calls Cython by itself."""

    version = PROJECT["project"]["version"]
    url = ""
    archive_root = "edge-ser"
    library = "libedge_ser.a"
    depends: ClassVar = ["python", "numpy"]
    cythonize = False
    hostpython_prerequisites: ClassVar = [
        name for name in PROJECT["build-system"]["requires"] if name.startswith("Cython")
    ]

    @cache_execution
    def download(self) -> None:
        """Nothing: the sources are here."""

    def extract_platform(self, plat: Any) -> None:
        """Copies the sources, and nothing that a desktop built of them."""
        folder = Path(self.get_build_dir(plat))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        logger.info(f"Copy the sources of edge from {CHECKOUT}")
        built = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.c", "*.html")
        for name in SOURCES:
            source = CHECKOUT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=built)
            else:
                shutil.copy2(source, folder / name)


recipe = EdgeSerRecipe()
