"""The Recorder of iOS by the shim: AVAudioEngine's tap fills a ring, which is read at once."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np

from app.recorders.errors import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    PermissionDenied,
    RecorderError,
    UnsupportedFormat,
)
from app.recorders.ios.session import BUSY_MESSAGE
from app.recorders.recorder import CHUNK_SECONDS, Permission, Recorder, RecorderState
from app.recorders.sound_queue import SoundQueue

PERMISSION_POLL_SECONDS = 0.2
WAIT_MILLISECONDS = 100
"""So long one read waits for sound, at most."""

# Of edge_microphone.h.
_PERMISSIONS = {1: Permission.DENIED_FOR_EVER, 2: Permission.GRANTED}
_RUNNING, _INTERRUPTED, _LOST = 0, 1, 2
_ERRORS: dict[int, tuple[type[RecorderError], str]] = {
    -1: (MicrophoneBusy, BUSY_MESSAGE),
    -2: (MicrophoneMissing, "There is no microphone here; connect one."),
    -3: (UnsupportedFormat, "The microphone gives sound in no format of use; connect another one."),
    -4: (MicrophoneLost, "The sound service of iOS stopped; record again."),
}


class StreamingRecorder(Recorder):
    """The phone's microphone by the shim's functions; its level is native.

    library: `shim_library()`.
    """

    def __init__(
        self, library: Any, state_changed: Callable[[RecorderState], None] | None = None
    ) -> None:
        super().__init__(state_changed)
        self._library = library
        self._handle = ctypes.c_void_p()
        self._last_overruns = 0
        self._last_level: float | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def level(self) -> float | None:
        with self._held() as handle:
            if handle:
                level = float(self._library.edge_microphone_level(handle))
                self._last_level = min(0.0, max(-160.0, level))
        return self._last_level

    @property
    def route(self) -> str:
        """The name of the input that it listens by."""
        with self._held() as handle:
            if not handle:
                return ""
            name = ctypes.create_string_buffer(256)
            self._library.edge_microphone_route(handle, name, len(name))
            return name.value.decode("utf-8", "replace")

    def has_permission(self) -> bool:
        return self._permission() is Permission.GRANTED

    def request_permission(self, answered: Callable[[Permission], None]) -> None:
        answer = self._permission()
        if answer is not None:
            answered(answer)
            return
        self._library.edge_microphone_ask_permission()
        threading.Thread(
            target=self._await_permission,
            args=(answered,),
            name="microphone permission",
            daemon=True,
        ).start()

    def open_settings(self) -> bool:
        return bool(self._library.edge_microphone_open_settings())

    def _permission(self) -> Permission | None:
        """None if never asked."""
        return _PERMISSIONS.get(self._library.edge_microphone_permission())

    def _await_permission(self, answered: Callable[[Permission], None]) -> None:
        waiting = threading.Event()
        while (answer := self._permission()) is None:
            waiting.wait(PERMISSION_POLL_SECONDS)
        answered(answer)

    def _prepare(self) -> int:
        permission = self._permission()
        if permission is not Permission.GRANTED:
            raise PermissionDenied(for_ever=permission is Permission.DENIED_FOR_EVER)
        self._last_overruns, self._last_level = 0, None
        _check(self._library.edge_microphone_open(ctypes.byref(self._handle)))
        return round(self._library.edge_microphone_sample_rate(self._handle))

    def _start(self, queue: SoundQueue) -> None:
        self._ended = threading.Event()
        _check(self._library.edge_microphone_start(self._handle))
        self._thread = threading.Thread(
            target=self._run, args=(queue, self._ended), name="ios recorder", daemon=True
        )
        self._thread.start()

    def _pause(self) -> None:
        self._library.edge_microphone_pause(self._handle)

    def _resume(self) -> None:
        _check(self._library.edge_microphone_start(self._handle))

    def _stop(self) -> None:
        self._ended.set()
        if self._handle:
            self._library.edge_microphone_pause(self._handle)  # also wakes the read
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        if self._handle:
            self._last_overruns = self._library.edge_microphone_overruns(self._handle)
            self._library.edge_microphone_close(self._handle)
            self._handle = ctypes.c_void_p()

    def _system_overruns(self) -> int:
        with self._held() as handle:
            if handle:
                self._last_overruns = int(self._library.edge_microphone_overruns(handle))
        return self._last_overruns

    @contextlib.contextmanager
    def _held(self) -> Iterator[ctypes.c_void_p]:
        """The handle, which is not closed meanwhile; NULL if it is being opened or closed: whoever
        draws a meter shall not wait for that."""
        if self._lifecycle.acquire(blocking=False):
            try:
                yield self._handle
            finally:
                self._lifecycle.release()
        else:
            yield ctypes.c_void_p()

    def _run(self, queue: SoundQueue, ended: threading.Event) -> None:
        """The recording thread."""
        length = max(1, round(CHUNK_SECONDS * self._sample_rate))
        error: RecorderError | None = None
        while True:
            chunk = np.empty(length, np.int16)  # the shim writes into the reader's own array
            count = self._library.edge_microphone_read(
                self._handle, chunk.ctypes.data, length, WAIT_MILLISECONDS
            )
            if count > 0:
                queue.put(chunk[:count])
            elif ended.is_set():
                return
            state = self._library.edge_microphone_state(self._handle)
            if state == _LOST:
                error = MicrophoneLost("The microphone is gone; record again.")
                break
            if state == _INTERRUPTED:
                self._interruption_began()
            elif count > 0:
                self._interruption_ended()
        if not ended.is_set():
            self._over(queue, error)


def _check(code: int) -> None:
    if code:
        kind, message = _ERRORS.get(code, (MicrophoneLost, f"The microphone failed ({code})."))
        raise kind(message)
