from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from benchmarks import android_sound
android_sound.REPEATS = android_sound.CALLS = 1
print(android_sound.table())
"""


def test_every_way_from_java_to_numpy_gives_the_sound_and_is_timed():
    if importlib.util.find_spec("jnius") is None or shutil.which("javac") is None:
        pytest.skip("pyjnius or a Java compiler is not here")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    head, rule, *rows = done.stdout.strip().splitlines()
    assert head.split("|")[1].strip() == "way" and set(rule) <= set("|-: ")
    assert len(rows) == 6
    for row in rows:
        assert all(float(cell) > 0 for cell in row.split("|")[2:4])
