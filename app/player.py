"""Plays a recorded sound from any moment of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

from kivy.clock import Clock
from kivy.core.audio import SoundLoader

from app.background import Background
from app.sound import Sound, write_wav


class Player:
    """Plays one sound at a time.

    What is played lies in a file of the app's private folder for so long, since the systems play
    files alone; `stop` deletes it, and a new player what a crash left.

    moved: called with the position in seconds while it plays, and with None at its end.
    """

    def __init__(self, folder: Path, background: Background) -> None:
        self._folder = folder
        self._background = background
        self._playing: Any = None
        self._file: Path | None = None
        self._start = 0.0
        self._number = 0
        self._ticking: Any = None
        self._moved: Callable[[float | None], None] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob("playing-*"):
            left_over.unlink(missing_ok=True)

    @property
    def active(self) -> bool:
        """Whether something plays, or is about to."""
        return self._moved is not None

    def play(
        self,
        sound: Sound,
        start: float,
        moved: Callable[[float | None], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Plays from `start` seconds on."""
        self.stop()
        self._number += 1
        number, path = self._number, self._folder / f"playing-{self._number}.wav"
        self._moved, self._start = moved, start

        def written(_: Any) -> None:
            if number == self._number and self.active:
                self._begin(path)
            else:
                path.unlink(missing_ok=True)

        def not_written(error: Exception) -> None:
            self.stop()
            failed(error)

        self._background.run(
            lambda: write_wav(path, sound.since(start)), then=written, failed=not_written
        )

    def stop(self) -> None:
        """Silence, at once; again does nothing."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        if self._playing is not None:
            self._playing.stop()
            self._playing.unload()
            self._playing = None
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None
        self._moved = None

    def _begin(self, path: Path) -> None:
        self._file = path
        self._playing = SoundLoader.load(str(path))
        if self._playing is None:
            self._end()
            return
        self._playing.play()
        self._ticking = Clock.schedule_interval(self._tick, 1 / 20)

    def _tick(self, _: float) -> None:
        if self._playing is None or self._moved is None:
            return
        if self._playing.state != "play":
            self._end()
        else:
            self._moved(self._start + self._playing.get_pos())

    def _end(self) -> None:
        moved = self._moved
        self.stop()
        if moved is not None:
            moved(None)
