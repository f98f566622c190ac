"""The recipe of `edge` for Android, by python-for-android, with Debian's Clang for the NDK's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.packaging.build_by_recipe import TARGETS, missing_tools

ROOT = Path(__file__).resolve().parents[3]
RECIPES = ROOT / "app" / "recipes"
KERNELS = ("_memoryview", "int8", "resample", "spectral")
MACHINES = {"arm64-v8a": "AArch64", "armeabi-v7a": "ARM", "x86_64": "Advanced Micro Devices X86-64"}
PAGE = 16 * 1024

pytest.importorskip("pythonforandroid")


def run(*arguments: object) -> str:
    """What a program printed; its errors, if it failed, in the assertion."""
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module", params=sorted(TARGETS))
def installed(request, tmp_path_factory) -> tuple[str, Path]:
    """Name of the processor, and the folder into which the recipe installed `edge`."""
    missing = missing_tools(request.param)
    if missing:
        pytest.skip(f"{', '.join(missing)} not here; make system-deps installs what is missing")
    script = Path(__file__).with_name("build_by_recipe.py")
    folder = tmp_path_factory.mktemp(request.param)
    printed = run(sys.executable, script, RECIPES, folder, request.param)
    return request.param, Path(printed.splitlines()[-1])


@pytest.fixture(params=KERNELS)
def kernel(request, installed) -> tuple[str, str, Path]:
    arch, packages = installed
    return arch, request.param, packages / "edge" / "_kernels" / f"{request.param}.so"


def test_python_for_android_lists_the_recipe(tmp_path):
    recipes = run(
        *(sys.executable, "-m", "pythonforandroid.toolchain", "recipes", "--compact"),
        *("--local-recipes", RECIPES, "--storage-dir", tmp_path),
    )
    assert "edge-ser" in recipes.split()


def test_the_recipe_is_of_this_version_and_never_of_an_index(tmp_path):
    printed = run(
        sys.executable,
        "-c",
        "import json, sys\n"
        "from pythonforandroid.build import Context\n"
        "from pythonforandroid.recipe import Recipe\n"
        "context = Context()\n"
        "context.setup_dirs(sys.argv[2])\n"
        "context.local_recipes = sys.argv[1]\n"
        "recipe = Recipe.get_recipe('edge-ser', context)\n"
        "print(json.dumps([recipe.version, recipe.url, recipe.check_prebuilt(None)]))\n",
        RECIPES,
        tmp_path,
    )
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.M)[1]
    assert json.loads(printed.splitlines()[-1]) == [version, None, False]


def test_the_spec_s_requirements_resolve_with_edge_after_python_and_numpy(tmp_path):
    printed = run(
        sys.executable,
        "-c",
        "import json, sys\n"
        "from pythonforandroid.build import Context\n"
        "from pythonforandroid.graph import get_recipe_order_and_bootstrap as resolve\n"
        "from buildozer.specparser import SpecParser\n"
        "spec = SpecParser()\n"
        "spec.read(sys.argv[3])\n"
        "wanted = [n.split('==')[0] for n in spec.getlist('app', 'requirements')]\n"
        "context = Context()\n"
        "context.setup_dirs(sys.argv[2])\n"
        "context.local_recipes = sys.argv[1]\n"
        "order, modules, bootstrap = resolve(context, wanted, None)\n"
        "from pythonforandroid.recipe import Recipe\n"
        "least = max(Recipe.get_recipe(n, context).min_ndk_api_support for n in order)\n"
        "asked = int(spec.get('app', 'android.minapi'))\n"
        "print(json.dumps([order, modules, bootstrap.name, least <= asked]))\n",
        RECIPES,
        tmp_path,
        ROOT / "app" / "buildozer.spec",
    )
    order, modules, bootstrap, api_is_enough = json.loads(printed.splitlines()[-1])
    assert order.index("edge-ser") > max(order.index("python3"), order.index("numpy"))
    assert {"kivy", "pyjnius"} <= set(order)
    assert "tflite-runtime" not in order  # the kernels run the experts
    assert not {"edge-ser", "numpy", "kivy"} & set(modules)  # which pip would look for
    assert bootstrap == "sdl2"
    assert api_is_enough


def test_the_package_is_installed_whole(installed):
    _, packages = installed
    tracked = run("git", "ls-files", "edge").split()
    expected = {name for name in tracked if not name.endswith(".gitignore")}
    found = {str(path.relative_to(packages)) for path in packages.rglob("*") if path.is_file()}
    assert expected - found == set()
    assert {name.split("/")[0].split("-")[0] for name in found} == {"edge", "edge_ser"}


def test_each_kernel_is_of_the_phone_s_processor(kernel):
    arch, name, library = kernel
    header = run("readelf", "-h", library)
    assert MACHINES[arch] in re.search(r"Machine:\s+(.*)", header)[1], name


def test_each_kernel_exports_its_module(kernel):
    _, name, library = kernel
    symbols = run("readelf", "--dyn-syms", "-W", library)
    assert re.findall(r"FUNC\s+GLOBAL DEFAULT\s+\d+ (\w+)", symbols) == [f"PyInit_{name}"]


def test_each_kernel_loads_on_pages_of_16_kb(kernel):
    _, _, library = kernel
    segments = re.findall(r"^\s+LOAD .* (0x\w+)$", run("readelf", "-lW", library), re.M)
    assert segments
    assert all(int(alignment, 16) % PAGE == 0 for alignment in segments)


def test_each_kernel_asks_for_nothing_that_android_lacks(kernel):
    arch, _, library = kernel
    needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-dW", library))
    assert all(re.match(r"lib(c|m|python[\d.]+|gcc_s)\.so", name) for name in needed), needed
    # A function that is chosen at load: only for the desktop's processors.
    assert "IRELATIV" not in run("readelf", "-rW", library), arch
    assert re.search(r"GNU_STACK .* RW ", run("readelf", "-lW", library))  # not executable
