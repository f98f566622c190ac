"""Builds `edge` with its kernels for Android, from the checkout that this recipe stands in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

import toml
from pythonforandroid.logger import info
from pythonforandroid.recipe import PyProjectRecipe

CHECKOUT = Path(__file__).resolve().parents[3]
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "kernels", "edge")
PAGE_SIZE = 16_384
"""Bytes: https://developer.android.com/guide/practices/page-sizes"""


class EdgeSerRecipe(PyProjectRecipe):
    """A wheel by the project's own build; the compiler and its flags are the toolchain's."""

    version = toml.load(CHECKOUT / "pyproject.toml")["project"]["version"]
    url = None
    depends: ClassVar = ["python3", "numpy"]
    site_packages_name = "edge"

    def prepare_build_dir(self, arch: str) -> None:
        """Copies the sources, and nothing that a desktop built of them."""
        folder = Path(self.get_build_dir(arch))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        info(f"Copying the sources of edge from {CHECKOUT}")
        built = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.c", "*.html")
        for name in SOURCES:
            source = CHECKOUT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=built)
            else:
                shutil.copy2(source, folder / name)

    def check_prebuilt(self, arch: Any, msg: str = "") -> bool:
        """Never: a package of this name on an index would not be this checkout."""
        return False

    def get_recipe_env(self, arch: Any, **kwargs: Any) -> dict[str, str]:
        env: dict[str, str] = super().get_recipe_env(arch, **kwargs)
        env["LDFLAGS"] += f" -Wl,-z,max-page-size={PAGE_SIZE}"
        return env


recipe = EdgeSerRecipe()
