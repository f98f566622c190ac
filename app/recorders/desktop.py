"""The microphone of a desktop, by edge's own over PortAudio."""

from __future__ import annotations

import threading
from typing import Callable

from app.recorders.errors import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    MissingPackage,
    RecorderError,
    UnsupportedFormat,
)
from app.recorders.file import to_int16
from app.recorders.recorder import Recorder, RecorderState
from app.recorders.sound_queue import SoundQueue
from edge.errors import AudioError, MicrophoneError, MissingPackageError
from edge.microphone import Microphone

POLL_SECONDS = 0.1
"""So long the recording thread takes at most to see that it is to end."""


class DesktopRecorder(Recorder):
    """An input device of PortAudio: its number or (part of) its name, None for the default."""

    def __init__(
        self,
        device: int | str | None = None,
        state_changed: Callable[[RecorderState], None] | None = None,
    ) -> None:
        super().__init__(state_changed)
        self._device = device
        self._microphone: Microphone | None = None
        self._lost_before = 0  # buffers, in the microphones before the last pause
        self._given_up = threading.Event()
        self._thread: threading.Thread | None = None

    def _prepare(self) -> int:
        self._lost_before = 0
        self._microphone = self._opened(sample_rate=None)
        return self._microphone.sample_rate

    def _start(self, queue: SoundQueue) -> None:
        self._given_up = threading.Event()
        self._thread = threading.Thread(
            target=self._pump,
            args=(self._microphone, queue, self._given_up),
            name="desktop recorder",
            daemon=True,
        )
        self._thread.start()

    def _pause(self) -> None:
        self._stop()

    def _resume(self) -> None:
        # At the rate of before, whatever device is the default by now.
        self._microphone = self._opened(self._sample_rate)
        assert self._queue is not None
        self._start(self._queue)

    def _stop(self) -> None:
        self._given_up.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        microphone, self._microphone = self._microphone, None
        if microphone is not None:
            microphone.close()
            self._lost_before += microphone.over_runs

    def _system_overruns(self) -> int:
        microphone = self._microphone
        return self._lost_before + (microphone.over_runs if microphone is not None else 0)

    def _opened(self, sample_rate: int | None) -> Microphone:
        try:
            microphone = Microphone(self._device, sample_rate)
        except MissingPackageError as error:
            raise MissingPackage(str(error)) from error
        except MicrophoneError as error:
            raise MicrophoneMissing(
                f"No microphone was found ({error}); connect one and record again."
            ) from error
        except AudioError as error:
            raise UnsupportedFormat(str(error)) from error
        try:
            return microphone.__enter__()
        except MicrophoneError as error:
            raise MicrophoneBusy(str(error)) from error

    def _pump(self, microphone: Microphone, queue: SoundQueue, given_up: threading.Event) -> None:
        """The recording thread."""
        error: RecorderError | None = None
        while not given_up.is_set():
            ended = microphone.ended  # before reading, so that its last blocks are read
            block = microphone.read(timeout=POLL_SECONDS)
            if block is not None:
                queue.put(to_int16(block))
            elif ended:
                error = MicrophoneLost(
                    f"The microphone {microphone.name} is gone; connect it and record again."
                )
                break
        if error is not None:
            microphone.close()
            self._over(queue, error)
