"""The voice of whoever owns the phone, in one small file; knows nothing of any screen."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.history import is_full
from edge import Prediction, SettingsError, Voice
from edge.prosody import Usual
from edge.voice import Example

FILE = "voice.json"

DAMAGED, OTHER_MODELS = "damaged", "other_models"

TELLS_NOTHING = ("no_speech", "too_short")
"""Flags of a sound from which nothing is learnt; the others are only told."""


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
        self.models = ""
        """Of those that answer now, such as "default 0.6.0"; "" until they are loaded."""
        self.usual: Usual | None = None
        """How the owner usually sounds, by the results that are kept; None unless it is always the
        owner who speaks."""
        self._lock = threading.Lock()
        for unfinished in folder.glob(f"{FILE}.*"):  # by a crash
            unfinished.unlink(missing_ok=True)
        if self.file.exists():
            self._read()

    @property
    def useful(self) -> bool:
        """Whether it changes anything: it takes two emotions to tell one from the other, or
        something that is usual."""
        return len(self.voice.counts()) >= 2 or self.usual is not None

    @property
    def in_use(self) -> Voice:
        """All that is known of it, of which the file holds what was taught."""
        if self.usual is None:
            return self.voice
        return replace(self.voice, usual=self.usual, models=self.models)

    def check_models(self, models: str) -> None:
        """Lets go of what was learnt from other models than these, which answer from now on."""
        with self._lock:
            self.models = models
            try:
                self.voice.check_models(models)
            except SettingsError as error:
                self._lose(OTHER_MODELS, error)

    def teach(self, prediction: Prediction, emotion: str) -> None:
        """One more example, which is kept; or none, if it cannot be. Raises OSError."""
        with self._lock:
            self._keep(self.voice.taught(prediction, emotion))

    def take_back(self, emotion: str) -> None:
        """The last example of that emotion, if there is one. Raises OSError."""
        with self._lock:
            of_it = [each for each in self.voice.examples if each.emotion == emotion]
            if of_it:
                voice = self.voice.without(of_it[-1])
                try:
                    self._keep(voice)
                except OSError as error:
                    if not is_full(error):
                        raise
                    self._keep_in_place(voice)

    @contextmanager
    def exchanging(
        self, former: Example | None, latter: Example | None, models: str
    ) -> Iterator[None]:
        """Takes an example back and learns another one, if what is done within succeeds.

        models: that answered to both. What was forgotten meanwhile is not there to be taken back.

        All that needs room on the disk is written before: if that fails, nothing is done within.
        Taking back alone needs none. Raises OSError.
        """
        with self._lock:
            voice = self.voice
            if former is not None and models == voice.models:
                voice = voice.without(former)
            if latter is not None:
                voice = voice.with_example(latter, models)
            if voice == self.voice:
                yield
                return
            aside = self.file.with_name(f"{self.file.name}.next")
            has_room = True
            try:
                if voice.examples:
                    try:
                        voice.save(aside)
                    except OSError as error:
                        has_room = False
                        if latter is not None or not is_full(error):
                            raise
                yield
                if has_room:
                    self._keep(voice, aside)
                else:
                    self._keep_in_place(voice)
            finally:
                aside.unlink(missing_ok=True)

    def forget(self) -> None:
        """All of it. Again does nothing. Raises OSError."""
        with self._lock:
            self.file.unlink(missing_ok=True)
            self.voice, self.lost, self.usual = Voice(), "", None

    def _keep(self, voice: Voice, aside: Path | None = None) -> None:
        """aside: where it is written already."""
        if not voice.examples:
            self.file.unlink(missing_ok=True)
        elif aside is not None:
            os.replace(aside, self.file)
        else:
            voice.save(self.file)
        self.voice, self.lost = voice, ""

    def _keep_in_place(self, voice: Voice) -> None:
        """Over what there is, which is longer: not safe from a crash, but in no need of room."""
        with self.file.open("r+b") as file:
            file.write(json.dumps(voice.to_dict()).encode())
            file.truncate()
        self.voice, self.lost = voice, ""

    def _read(self) -> None:
        try:
            self.voice = Voice.load(self.file)
        except SettingsError as error:
            self._lose(DAMAGED, error)

    def _lose(self, why: str, error: SettingsError) -> None:
        logging.getLogger(__name__).warning("%s", error)
        self.voice, self.lost = Voice(), why
