"""A Java machine, in a process of its own, with classes of Android written for the tests."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import shutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.app.recorders import android_scenarios

JAVA = Path(__file__).with_name("java")


@pytest.fixture(scope="session")
def java_classes(tmp_path_factory) -> Path:
    """The folder of the compiled classes."""
    if shutil.which("javac") is None:
        pytest.skip("no Java compiler is here; on Debian: apt-get install default-jdk-headless")
    folder = tmp_path_factory.mktemp("classes")
    sources = sorted(map(str, JAVA.rglob("*.java")))
    done = subprocess.run(
        ["javac", "-Xlint:all", "-Werror", "-d", str(folder), *sources],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def on_phone(java_classes):
    """Runs a scenario of android_scenarios by the real pyjnius: `on_phone(scenario, ...)`."""
    if importlib.util.find_spec("jnius") is None:
        pytest.skip("pyjnius is not installed; run: pip install pyjnius")
    with ProcessPoolExecutor(
        max_workers=1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=android_scenarios.start_machine,
        initargs=(str(java_classes), python_for_android()),
    ) as pool:
        yield lambda scenario, *args, **kwargs: pool.submit(scenario, *args, **kwargs).result(60)


def python_for_android() -> str | None:
    """The folder of its module `android`, if it is installed."""
    spec = importlib.util.find_spec("pythonforandroid")
    if spec is None or spec.origin is None:
        return None
    folder = os.path.join(os.path.dirname(spec.origin), "recipes", "android", "src", "android")
    return folder if os.path.isdir(folder) else None
