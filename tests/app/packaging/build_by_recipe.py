"""Drives the recipe of `edge` by python-for-android itself, with Debian's Clang for the NDK's.

    python build_by_recipe.py RECIPES FOLDER ARCH [optimised]

A folder is laid out like the NDK, whose `clang` passes everything on, but for the system: GNU's
libraries stand for Android's. Unless asked, it does not optimise, to save time; C sources that the
checkout has of its kernels are taken over. This Python stands for the host's Python that
python-for-android builds first, and its headers for those of Android's. All the rest is
python-for-android's own: the environment, the wheel's build, its tag, and the installation. Prints
the folder of the packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import unittest.mock
from pathlib import Path

TARGETS = {
    "arm64-v8a": "aarch64-linux-gnu",
    "armeabi-v7a": "arm-linux-gnueabihf",
    "x86_64": "x86_64-linux-gnu",
}
NDK_API = 24
GENERATED = Path(__file__).resolve().parents[3] / "build" / "kernels"

CLANG = """#!{python}
import subprocess
import sys

passed = ["--target={target}", "-fuse-ld=lld", "-D__ANDROID__"]
arguments = iter(sys.argv[1:])
for argument in arguments:
    if argument == "-target":
        next(arguments)
    elif argument != "-mfloat-abi=softfp":  # Debian's ARM is of the hard kind
        passed.append({levels}.get(argument, argument))
sys.exit(subprocess.call(["{clang}", *passed]))
"""


def missing_tools(arch: str) -> list[str]:
    """What this machine lacks for the processor."""
    tools = ["clang", "ld.lld", "ar", "ranlib", "strip", "readelf", "objcopy"]
    tools.append(f"{TARGETS[arch]}-gcc")  # it brings the system's headers and libraries
    return [tool for tool in tools if shutil.which(tool) is None]


def lay_out_ndk(folder: Path, target: str, optimised: bool) -> Path:
    """A folder like the NDK's, as far as a Python package's build looks."""
    programs = folder / "toolchains" / "llvm" / "prebuilt" / f"{sys.platform}-x86_64" / "bin"
    programs.mkdir(parents=True)
    levels = {} if optimised else {"-O3": "-O0", "-Os": "-O0"}
    for name in ("clang", "clang++"):
        (programs / name).write_text(
            CLANG.format(
                python=sys.executable,
                clang=shutil.which("clang"),  # by its path: this folder comes first in PATH
                target=target,
                levels=levels,
            )
        )
        (programs / name).chmod(0o755)
    for name in ("ar", "ranlib", "strip", "readelf", "objcopy"):
        (programs / f"llvm-{name}").symlink_to(shutil.which(name))
    return folder


def context(recipes: Path, folder: Path, arch: str, optimised: bool):
    """As python-for-android's own tests set one up."""
    from pythonforandroid.androidndk import AndroidNDK
    from pythonforandroid.bootstrap import Bootstrap
    from pythonforandroid.build import Context
    from pythonforandroid.distribution import Distribution
    from pythonforandroid.recipe import Recipe

    made = Context()
    made.setup_dirs(str(folder / "storage"))
    made.ensure_dirs()
    made.local_recipes = str(recipes)
    made.android_api, made.ndk_api = 36, NDK_API
    made.ndk_dir = str(lay_out_ndk(folder / "ndk", TARGETS[arch], optimised))
    made.ndk = AndroidNDK(made.ndk_dir)
    made.env["PATH"] = os.pathsep.join([made.ndk.llvm_bin_dir, os.environ["PATH"]])
    made.set_archs([arch])
    made.recipe_build_order = ["hostpython3", "python3", "numpy", "edge-ser"]
    made.bootstrap = Bootstrap.get_bootstrap("sdl2", made)
    made.bootstrap.distribution = Distribution.get_distribution(
        made, name="edge_ser", recipes=["python3", "edge-ser"], archs=[arch]
    )
    made.python_recipe = Recipe.get_recipe("python3", made)
    return made


def stand_in_for_pythons(made, arch: str) -> None:
    """This Python where the host's would be, its headers and an empty library for Android's."""
    from pythonforandroid.recipe import Recipe

    host = Recipe.get_recipe("hostpython3", made)
    programs = Path(host.local_bin)
    programs.mkdir(parents=True)
    python = programs / Path(host.python_exe).name
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "pip3").write_text("#!/bin/sh\nexit 1  # nothing is fetched\n")
    for program in (python, programs / "pip3"):
        program.chmod(0o755)
    made.hostpython = str(python)

    target = made.python_recipe
    headers = Path(target.include_root(arch))
    shutil.copytree(sysconfig.get_path("include"), headers)
    if TARGETS[arch].startswith("arm-"):
        narrow = headers / "pyconfig.h"
        text = narrow.read_text()
        for name in ("LONG", "SIZE_T", "VOID_P", "TIME_T", "UINTPTR_T", "PTHREAD_T"):
            text = text.replace(f"#define SIZEOF_{name} 8", f"#define SIZEOF_{name} 4")
        narrow.write_text(text)
    library = Path(target.link_root(arch)) / f"libpython{target.link_version}.so"
    subprocess.run(
        [made.ndk.clang, "-shared", "-nostdlib", "-o", library, "-x", "c", "-"],
        input=b"",
        check=True,
    )


def main(recipes: Path, folder: Path, arch_name: str, optimised: bool) -> None:
    from pythonforandroid.recipe import Recipe

    made = context(recipes, folder, arch_name, optimised)
    stand_in_for_pythons(made, arch_name)
    (arch,) = made.archs
    recipe = Recipe.get_recipe("edge-ser", made)
    recipe.extra_build_args = ["--no-isolation"]  # this Python has what the build requires
    with unittest.mock.patch.object(recipe, "install_hostpython_prerequisites"):
        recipe.prebuild_arch(arch)
        recipe.prepare_build_dir(arch.arch)
        if GENERATED.is_dir():
            shutil.copytree(GENERATED, Path(recipe.get_build_dir(arch.arch)) / "build" / "kernels")
        recipe.build_arch(arch)
        recipe.postbuild_arch(arch)
    packages = made.get_python_install_dir(arch.arch)
    made.python_recipe.reduce_object_file_names(packages)
    print(packages)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]).resolve(),
        Path(sys.argv[2]).resolve(),
        sys.argv[3],
        optimised=sys.argv[4:] == ["optimised"],
    )
