"""Drives the recipe of `edge` for iOS by kivy-ios itself, with GNU tools for Xcode's.

    python build_by_ios_recipe.py RECIPE FOLDER

Everything but the compiler and the linker is kivy-ios's own: the order of the recipes, the links
that it redirects into a static library, and the installation beside it. Prints, as JSON, the order,
the library and the folder of the packages.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import types
import unittest.mock
from pathlib import Path

GENERATED = Path(__file__).resolve().parents[3] / "build" / "kernels"
LINKER = """#!/bin/sh
# Apple's options out of the way: -r -o OUT -platform_version NAME LEAST SDK -arch NAME OBJECTS
out=$3
shift 9
exec ld -r -o "$out" "$@"
"""


class Platform:
    """A phone, as far as kivy-ios asks."""

    sdk = "iphoneos"
    arch = "arm64"
    name = "iphoneos-arm64"
    sysroot = "/"

    def __init__(self, linker: Path) -> None:
        self.linker = linker

    def __str__(self) -> str:
        return self.name

    def get_env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "CC": shutil.which("cc"),
            "AR": shutil.which("ar"),
            "LD": str(self.linker),
            "CFLAGS": "-O0",
            "LDFLAGS": "",
        }


def main(path: Path, folder: Path) -> None:
    os.chdir(folder)
    import kivy_ios.toolchain as toolchain

    linker = folder / "ld"
    linker.write_text(LINKER)
    linker.chmod(0o755)
    packages = folder / "root" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    platform = Platform(linker)
    context = types.SimpleNamespace(
        root_dir=str(Path(toolchain.__file__).parent),
        build_dir=str(folder / "build"),
        dist_dir=str(folder / "dist"),
        cache_dir=str(folder / "cache"),
        include_dir=str(folder / "include"),
        include_dirs=[],
        custom_recipes_paths=[str(path)],
        selected_platforms=[platform],
        hostpython=sys.executable,
        python_prefix=str(folder / "root"),
        site_packages_dir=str(packages / "site-packages"),
        state=toolchain.JsonStore(str(folder / "state.db")),
    )

    order: list[str] = []
    recipe = toolchain.Recipe
    with contextlib.ExitStack() as patches:
        patch = unittest.mock.patch.object
        pythons = [type(recipe.get_recipe(name, context)) for name in ("hostpython3", "python3")]
        for kind in (recipe, *pythons):
            patches.enter_context(patch(kind, "init_with_ctx"))
        patches.enter_context(
            patch(
                recipe, "execute", autospec=True, side_effect=lambda self: order.append(self.name)
            )
        )
        toolchain.build_recipes(["edge_ser"], context)

    edge = recipe.get_recipe("edge_ser", context)
    edge.init_with_ctx(context)
    edge.download()
    edge.extract()
    if GENERATED.is_dir():  # sources in C that the checkout has: Cython need not make them again
        shutil.copytree(GENERATED, Path(edge.get_build_dir(platform)) / "build" / "kernels")
    edge.build(platform)
    edge.install()
    library = Path(edge.get_build_dir(platform)) / edge.library
    print(json.dumps([order, str(library), context.site_packages_dir]))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
