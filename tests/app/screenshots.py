"""Pictures of every screen in both themes: python -m tests.app.screenshots FOLDER

With --all also in German, with the largest text, on a small phone and in landscape. With --docs
only those that the documentation shows, at half the size: the folder is docs/screenshots then.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLIPS = [ROOT / "examples" / "clips" / f"{name}.wav" for name in (
    "female_lively", "male_plain", "male_loud", "female_slow", "male_slow")]
DENSITY = 2.0
PORTRAIT, LANDSCAPE, SMALL = (412, 892), (892, 412), (320, 568)
SHOWN_IN_DOCS = {
    "dark-listen",
    "dark-recording",
    "dark-result",
    "light-recording",
    "light-result-below",
    "light-history",
    "light-settings",
    "light-own-voice-teaching",
    "landscape-dark-recording",
    "landscape-light-result",
}
NOTES = ("Call with Anna", "", "Before the match", "Reading aloud", "")
MEANT = ("", "", "angry", "", "")


@dataclass(frozen=True)
class Setting:
    """One way in which somebody may use it."""

    name: str
    theme: str
    size: tuple[int, int] = PORTRAIT
    language: str = "en"
    text_size: float = 1.0


SETTINGS = [
    Setting("dark", "dark"),
    Setting("light", "light"),
    Setting("landscape-dark", "dark", LANDSCAPE),
    Setting("landscape-light", "light", LANDSCAPE),
]
FURTHER = [
    Setting("german", "light", language="de"),
    Setting("german-large", "dark", language="de", text_size=1.5),
    Setting("german-small-large", "light", SMALL, "de", 1.5),
    Setting("small", "dark", SMALL),
    Setting("landscape-german-large", "dark", LANDSCAPE, "de", 1.5),
]


def main() -> None:
    """Writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="every language, size and text size")
    parser.add_argument("--docs", action="store_true", help="those of the documentation, small")
    parser.add_argument("--only", help="the settings whose name contains this")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    from tests.app.phone import prepare_kivy

    with tempfile.TemporaryDirectory() as home:
        prepare_kivy(Path(home), DENSITY, side=int(DENSITY * max(PORTRAIT)), samples=4)
        for setting in [*SETTINGS, *(FURTHER if options.all else [])]:
            if options.only is None or options.only in setting.name:
                _take_all(setting, Path(home) / setting.name, options.folder, options.docs)


def _take_all(setting: Setting, home: Path, folder: Path, docs: bool) -> None:
    from app.application import EdgeApp
    from app.preferences import Preferences, save_preferences
    from app.recorders import FileRecorder
    from app.recorders.clock import ManualClock
    from tests.app.phone import Phone

    home.mkdir()
    save_preferences(
        home / "preferences.json",
        Preferences(
            theme=setting.theme,
            language=setting.language,
            text_size=setting.text_size,
            keep_recordings=True,
        ),
    )
    clock = ManualClock()
    recorders: list[Any] = []
    app = EdgeApp(lambda: recorders.pop(0), folder=home)
    phone = Phone(app, tuple(int(DENSITY * side) for side in setting.size))

    def take(name: str) -> None:
        name = f"{setting.name}-{name}"
        if docs and name not in SHOWN_IN_DOCS:
            return
        phone.until(lambda: app.background.idle)
        phone.frames(10)
        _write(folder / f"{name}.png", phone.picture(), small=docs)

    take("listen")
    # The results of before, then one whose recording is stopped in its midst.
    for clip, note, meant in zip(CLIPS, NOTES, MEANT):
        recorders.append(FileRecorder(clip, realtime=False))
        phone.tap("record")
        phone.until(lambda: app.screen.name == "result")
        phone.until(lambda: app.background.idle)
        app.screen.note.text = note
        if meant:
            phone.tap(f"meant.{meant}")
            phone.until(lambda: app.background.idle)
            app.frame.toast.close()
        phone.tap("back")
    long_clip = home / "long.wav"
    _join(CLIPS, long_clip)
    recorders.append(FileRecorder(long_clip, realtime=clock))
    phone.tap("record")
    phone.until(lambda: app.session.level is not None)
    for _ in range(230):
        clock.advance(0.05)
        wanted = app.session.time + 0.049
        phone.until(lambda wanted=wanted: app.session.time >= wanted)
    take("recording")
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result")
    take("result")
    columns = [widget for widget in phone.widgets() if type(widget).__name__ == "Scroll"]
    for column in columns:
        column.scroll_y = 0.0
    take("result-below")
    app.go("history")
    take("history")
    app.ask_to_delete_all()
    take("question")
    app.dialog.back()
    app.go("settings")
    take("settings")
    app.screen.scroll.scroll_y = 0.0
    take("settings-below")
    app.go("own_voice")
    phone.until(lambda: app.complete)
    for emotion, clip in zip(("happy", "neutral", "angry"), CLIPS):
        recorders.append(FileRecorder(clip, realtime=False))
        app.teaching.begin_or_stop(emotion)
        phone.until(lambda: app.teaching.session is None and app.background.idle)
    app.frame.toast.close()
    take("own-voice")
    recorders.append(FileRecorder(long_clip, realtime=clock))
    phone.tap("teach.sad")
    session = app.teaching.session
    phone.until(lambda: session.level is not None)
    for _ in range(20):
        clock.advance(0.05)
        wanted = session.time + 0.049
        phone.until(lambda wanted=wanted: session.time >= wanted)
    phone.until(lambda: app.screen.meter.reached)
    take("own-voice-teaching")
    app.teaching.cancel()
    phone.until(lambda: app.teaching.session is None)
    app.screen.scroll.scroll_y = 0.0
    take("own-voice-below")
    app.go("privacy")
    take("privacy")
    app.go("model_card")
    take("model-card")
    app.go("benchmark")
    phone.tap("run")
    phone.until(lambda: app.background.idle)
    take("benchmark")
    phone.close()


def _join(clips: list[Path], path: Path) -> None:
    import numpy as np

    from app.sound import Sound, read_wav, write_wav

    sounds = [read_wav(clip) for clip in clips]
    pause = np.zeros(sounds[0].sample_rate // 3, np.int16)
    pieces = [piece for sound in sounds for piece in (sound.samples, pause)]
    write_wav(path, Sound(np.concatenate(pieces), sounds[0].sample_rate))


def _write(path: Path, picture: Any, small: bool) -> None:
    from PIL import Image

    image = Image.fromarray(picture)
    if small:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
        image = image.quantize(256, dither=Image.Dither.NONE)
    image.save(path, optimize=True)


if __name__ == "__main__":
    main()
