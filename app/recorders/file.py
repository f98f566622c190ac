"""A sound file in place of a microphone, for demonstrations and tests."""

from __future__ import annotations

import os
import threading
from typing import Callable

import numpy as np
from numpy.typing import NDArray

from app.recorders.clock import Clock, RealClock
from app.recorders.errors import MicrophoneLost, PermissionDenied, RecorderError, UnsupportedFormat
from app.recorders.recorder import CHUNK_SECONDS, Permission, Recorder, RecorderState
from app.recorders.sound_queue import SoundQueue
from edge.audio import check_sample_rate, read_audio, to_mono
from edge.errors import EdgeError

FULL_SCALE = 32768  # of int16, by which -1.0 is the lowest sample


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """(n,) float32, full scale 1, as (n,) int16; louder samples are clipped."""
    scaled = np.rint(samples * np.float32(FULL_SCALE))
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled).astype(np.int16)


class FileRecorder(Recorder):
    """Plays a file as if a microphone heard it; at its end it closes, or begins again.

    path: any sound file that `edge.read_audio` reads; read at `open`.
    realtime: True for the pace of the sound; False for the pace of the reader, without any loss;
        a Clock for the pace of that one.
    repeat: whether the file begins again at its end.
    lost_after: seconds of sound after which the microphone is lost; None for never.
    permission: what `request_permission` answers; without GRANTED, `open` raises PermissionDenied.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        realtime: bool | Clock = True,
        repeat: bool = False,
        lost_after: float | None = None,
        permission: Permission = Permission.GRANTED,
        state_changed: Callable[[RecorderState], None] | None = None,
    ) -> None:
        super().__init__(state_changed)
        self.path = path
        self.permission = permission
        self._clock: Clock | None
        if isinstance(realtime, bool):
            self._clock = RealClock() if realtime else None
        else:
            self._clock = realtime
        self._repeat = repeat
        self._lost_after = lost_after
        self._sound: NDArray[np.int16] = np.zeros(0, np.int16)
        self._given_up = threading.Event()
        self._running = threading.Condition()  # guards _paused
        self._paused = False
        self._thread: threading.Thread | None = None

    def has_permission(self) -> bool:
        return self.permission is Permission.GRANTED

    def should_explain(self) -> bool:
        return self.permission is Permission.DENIED

    def request_permission(self, answered: Callable[[Permission], None]) -> None:
        answered(self.permission)

    def _prepare(self) -> int:
        if self.permission is not Permission.GRANTED:
            raise PermissionDenied(for_ever=self.permission is Permission.DENIED_FOR_EVER)
        try:
            samples, sample_rate = read_audio(self.path)
            check_sample_rate(sample_rate)
        except EdgeError as error:
            raise UnsupportedFormat(str(error)) from error
        if not len(samples):
            raise UnsupportedFormat(f"{os.fspath(self.path)}: no sound in it; choose another file")
        self._sound = to_int16(to_mono(samples))
        return sample_rate

    def _start(self, queue: SoundQueue) -> None:
        self._given_up = threading.Event()
        self._paused = False
        begun = self._clock.now() if self._clock is not None else 0.0
        self._thread = threading.Thread(
            target=self._play,
            args=(queue, self._given_up, begun),
            name="file recorder",
            daemon=True,
        )
        self._thread.start()

    def _pause(self) -> None:
        with self._running:
            self._paused = True

    def _resume(self) -> None:
        with self._running:
            self._paused = False
            self._running.notify_all()

    def _stop(self) -> None:
        self._given_up.set()
        with self._running:
            self._running.notify_all()
        if self._clock is not None:
            self._clock.wake()
        if self._queue is not None:
            self._queue.end()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _play(self, queue: SoundQueue, given_up: threading.Event, begun: float) -> None:
        """The recording thread; begun: by the clock, however late the thread itself begins."""
        rate, sound = self._sample_rate, self._sound
        length = max(1, round(CHUNK_SECONDS * rate))
        lost_at = None if self._lost_after is None else round(self._lost_after * rate)
        error: RecorderError | None = None
        position = played = 0  # samples: in the file, and in all
        due = begun
        while not given_up.is_set():
            if lost_at is not None and played >= lost_at:
                error = MicrophoneLost("The microphone is gone; connect it and record again.")
                break
            if position >= len(sound):
                if not self._repeat:
                    break
                position = 0
            end = position + length
            if lost_at is not None:
                end = min(end, position + lost_at - played)
            chunk = sound[position:end]
            if self._clock is None:
                self._wait_while_paused(given_up)
                if not queue.put_when_read(chunk):
                    break
            else:
                due += len(chunk) / rate  # a chunk is there when its last sample was heard
                self._clock.wait_until(due, given_up)
                if self._wait_while_paused(given_up):
                    due = self._clock.now()
                if given_up.is_set():
                    break
                queue.put(chunk)
            position += len(chunk)
            played += len(chunk)
        if self._clock is None:
            queue.wait_until_read()
        if not given_up.is_set():
            self._over(queue, error)

    def _wait_while_paused(self, given_up: threading.Event) -> bool:
        """Whether there was a pause."""
        with self._running:
            paused = self._paused
            self._running.wait_for(lambda: given_up.is_set() or not self._paused)
        return paused
