"""The voice of whoever owns the phone, in one small file; knows nothing of any screen."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from edge import Prediction, SettingsError, Voice

FILE = "voice.json"

DAMAGED, OTHER_MODELS = "damaged", "other_models"


class OwnVoice:
    """What is known of it; any thread may ask.

    A file that cannot be used stays where it is, until the voice is taught anew or forgotten.

    folder: of everything that is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE
        self.voice = Voice()
        self.lost = ""
        """Why there is a file and no voice: DAMAGED, OTHER_MODELS, or "" if that is not so."""
        self._lock = threading.Lock()
        for unfinished in folder.glob(f"{FILE}.*"):  # by a crash
            unfinished.unlink(missing_ok=True)
        if self.file.exists():
            self._read()

    @property
    def useful(self) -> bool:
        """Whether it changes anything: it takes two emotions to tell one from the other."""
        return len(self.voice.counts()) >= 2

    def check_models(self, models: str) -> None:
        """Lets go of what was learnt from other models than these, such as "default 0.6.0"."""
        with self._lock:
            try:
                self.voice.check_models(models)
            except SettingsError as error:
                self._lose(OTHER_MODELS, error)

    def teach(self, prediction: Prediction, emotion: str) -> None:
        """One more example, which is kept; or none, if it cannot be. Raises OSError."""
        with self._lock:
            voice = self.voice.taught(prediction, emotion)
            voice.save(self.file)
            self.voice, self.lost = voice, ""

    def forget(self) -> None:
        """All of it. Again does nothing. Raises OSError."""
        with self._lock:
            self.file.unlink(missing_ok=True)
            self.voice, self.lost = Voice(), ""

    def _read(self) -> None:
        try:
            self.voice = Voice.load(self.file)
        except SettingsError as error:
            self._lose(DAMAGED, error)

    def _lose(self, why: str, error: SettingsError) -> None:
        logging.getLogger(__name__).warning("%s", error)
        self.voice, self.lost = Voice(), why
