from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.recorders import platform_recorder
from app.recorders.desktop import DesktopRecorder
from app.recorders.platform import platform_name

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("system", "environment", "name"),
    [
        ("linux", {}, "desktop"),
        ("darwin", {}, "desktop"),
        ("win32", {}, "desktop"),
        ("linux", {"ANDROID_ARGUMENT": "/data"}, "android"),
        ("android", {}, "android"),
        ("ios", {}, "ios"),
        ("darwin", {"KIVY_BUILD": "ios"}, "ios"),
    ],
)
def test_the_platform_is_told_by_its_build(monkeypatch, system, environment, name):
    monkeypatch.setattr(sys, "platform", system)
    for variable in ("ANDROID_ARGUMENT", "KIVY_BUILD"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert platform_name() == name


def test_the_desktop_records_by_portaudio(monkeypatch):
    for variable in ("ANDROID_ARGUMENT", "KIVY_BUILD"):
        monkeypatch.delenv(variable, raising=False)
    changed = [].append
    recorder = platform_recorder(state_changed=changed)
    assert isinstance(recorder, DesktopRecorder)
    assert recorder.state_changed is changed


def test_every_module_is_imported_without_any_bridge_to_a_phone():
    program = (
        "import sys; import app.recorders, app.recorders.android, app.recorders.ios, "
        "app.recorders.desktop; "
        "wrong = {'jnius', 'android', 'pyobjus', 'sounddevice', 'kivy'} & set(sys.modules); "
        "sys.exit(', '.join(wrong) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
