"""The app on a window without a display, for every test that needs one."""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.app.phone import Phone, prepare_kivy

ROOT = Path(__file__).resolve().parents[2]
PROBE = """
import sys
from pathlib import Path
from tests.app.phone import prepare_kivy
prepare_kivy(Path(sys.argv[1]), side=64)
from kivy.core.window import Window
assert Window is not None
from kivy.base import EventLoop
EventLoop.ensure_window()
EventLoop.idle()
"""


@functools.cache
def _why_no_window(home: Path) -> str:
    """Tried in a process of its own, since a missing driver may end the whole of it."""
    if importlib.util.find_spec("kivy") is None:
        return "kivy is not installed"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(home)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode == 0:
        return ""
    last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
    return f"no window without a display here (see .ci/system-deps): {last}"


@pytest.fixture(scope="session")
def kivy(tmp_path_factory) -> None:
    """Kivy, ready to open a window."""
    why = _why_no_window(tmp_path_factory.mktemp("probe"))
    if why:
        pytest.skip(why)
    prepare_kivy(tmp_path_factory.mktemp("kivy"))


@pytest.fixture(scope="session")
def recognizer():
    """The recogniser that ships."""
    from edge import Recognizer

    return Recognizer()


@pytest.fixture(scope="session")
def speech_file(tmp_path_factory, speech) -> Path:
    """Four seconds of two manners of speech, in a WAV file."""
    pieces = [
        speech("female", emotion, seconds=2.0, take=take)
        for take, emotion in enumerate(("angry", "happy"))
    ]
    return write_wav(tmp_path_factory.mktemp("speech") / "speech.wav", np.concatenate(pieces))


def write_wav(path: Path, samples: np.ndarray, sample_rate: int = 16000) -> Path:
    """samples: (n,), of full scale 1."""
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(sample_rate)
        wav.writeframes((32767 * samples).astype("<i2").tobytes())
    return path


class Shares:
    """Remembers what was shared, in place of a share sheet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts: list[str] = []
        self.files: list[Path] = []

    def text(self, text: str) -> str | None:
        self.texts.append(text)
        return None

    def file(self, path: Path) -> Path | None:
        saved = self.folder / path.name
        saved.write_bytes(path.read_bytes())
        self.files.append(saved)
        return saved


@pytest.fixture
def shares(tmp_path) -> Shares:
    folder = tmp_path / "shared"
    folder.mkdir()
    return Shares(folder)


@pytest.fixture
def open_phone(kivy, tmp_path, shares, recognizer, speech_file):
    """A function that opens the app: settings are preferences; recorder: makes one.

    folder: of the app; the same one for all of a test if it is not told.
    """
    from app.application import EdgeApp
    from app.preferences import Preferences, save_preferences
    from app.recorders import FileRecorder

    phones: list[Phone] = []

    def open_(recorder=None, size=(412, 892), folder=None, **preferences) -> Phone:
        folder = folder or tmp_path / "private"
        folder.mkdir(exist_ok=True)
        if preferences:
            chosen = {"language": "en", "theme": "dark", **preferences}
            save_preferences(folder / "preferences.json", Preferences(**chosen))
        elif not (folder / "preferences.json").exists():
            chosen = Preferences(language="en", theme="dark")
            save_preferences(folder / "preferences.json", chosen)
        app = EdgeApp(
            recorder or (lambda: FileRecorder(speech_file, realtime=False)),
            folder=folder,
            sharing=shares,
            make_recognizer=lambda: recognizer,
        )
        phone = Phone(app, size)
        phones.append(phone)
        return phone

    yield open_
    for phone in phones:
        if not phone.closed:
            phone.close()
