"""Where the app starts: from a checkout, and from a phone's package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.app.phone import prepare_kivy
prepare_kivy(Path(sys.argv[2]))
from kivy.clock import Clock
from kivy.app import App

def stop_when_done(_):
    app = App.get_running_app()
    if app.screen.name == "result" and app.background.idle:
        print("result", app.screen.result.emotion)
        print("startup", app.startup.line())
        app.stop()
    elif app.session is None and app.screen.name == "listen":
        app.listen_or_stop()

Clock.schedule_interval(stop_when_done, 0.05)
"""


@pytest.mark.parametrize("flat", [False, True], ids=["checkout", "package"])
def test_the_app_runs_with_a_clip_from_its_first_frame_to_its_end(kivy, tmp_path, flat):
    folder = ROOT
    program = PROGRAM + "from app.main import main\nmain(sys.argv[3:])"
    if flat:
        folder = tmp_path / "package"
        shutil.copytree(ROOT / "app", folder, ignore=shutil.ignore_patterns("__pycache__", "bin"))
        (tmp_path / "elsewhere").mkdir()
        for package in ("edge", "tests"):
            (tmp_path / "elsewhere" / package).symlink_to(ROOT / package)
        program = PROGRAM + (
            "import runpy\nsys.argv = ['main.py', *sys.argv[3:]]\n"
            f"sys.path.insert(0, {str(folder)!r})\n"
            f"runpy.run_path({str(folder / 'main.py')!r}, run_name='__main__')"
        )
        folder = tmp_path / "elsewhere"
    clip = ROOT / "examples" / "clips" / "female_plain.wav"
    kept = tmp_path / "kept"
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-c", program, str(folder), str(tmp_path / "kivy")),
            *("--clip", str(clip), "--folder", str(kept)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr
    assert "result " in done.stdout
    startup = done.stdout.partition("startup ")[2]
    for stage in ("interpreter", "window", "imports", "screens", "first frame", "models"):
        assert f"{stage} " in startup, startup
    assert (kept / "history" / "history.sqlite").exists()
    assert not list(kept.rglob("*.wav"))


def test_a_clip_that_is_not_there_is_said():
    done = subprocess.run(
        [sys.executable, "-m", "app", "--clip", "nowhere.wav"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert done.stderr.strip() == "nowhere.wav: there is no such file"
