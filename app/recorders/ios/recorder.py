"""The Recorder of iOS without the shim: AVAudioRecorder writes a file, which is read as it grows.

Selectors alone: pyobjus cannot pass the blocks by which AVAudioEngine gives its sound. The price is
that the sound comes in as large pieces as iOS writes, and that a recording needs its size on disk
until it is closed.
"""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
import threading
from typing import Any, Callable

from app.recorders.errors import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    PermissionDenied,
    RecorderError,
    UnsupportedFormat,
)
from app.recorders.ios.growing_caf import GrowingCaf
from app.recorders.ios.objective_c import LOCK, classes, constant
from app.recorders.ios.session import BUSY_MESSAGE, AudioSession
from app.recorders.ios.settings import open_app_settings
from app.recorders.recorder import (
    CHUNK_SECONDS,
    PREFERRED_SAMPLE_RATES,
    Permission,
    Recorder,
    RecorderState,
)
from app.recorders.sound_queue import SoundQueue

POLL_SECONDS = CHUNK_SECONDS
"""How often it looks for new sound in the file."""

LOOK_SECONDS = 0.5
"""How often it looks at the route, and tries to record again after an interruption."""

SILENT_SECONDS = 5.0
"""So long the file may not grow while it is said to be recorded to."""

PERMISSION_POLL_SECONDS = 0.2

_LINEAR_PCM = int.from_bytes(b"lpcm", "big")
_NAME = "recording-"


class FileGrowingRecorder(Recorder):
    """The phone's microphone by AVAudioRecorder; its level is native."""

    def __init__(self, state_changed: Callable[[RecorderState], None] | None = None) -> None:
        super().__init__(state_changed)
        self._session = AudioSession()
        self._recording: _FileRecording | None = None
        self._level: float | None = None
        self._route = ""
        self._wishes = threading.Condition()
        self._ended = False
        self._paused = False
        self._thread: threading.Thread | None = None

    @property
    def level(self) -> float | None:
        return self._level

    @property
    def route(self) -> str:
        """The name of the input that it listens by."""
        return self._route

    def has_permission(self) -> bool:
        return self._session.permission() is Permission.GRANTED

    def request_permission(self, answered: Callable[[Permission], None]) -> None:
        answer = self._session.permission()
        if answer is not None:
            answered(answer)
            return
        threading.Thread(
            target=self._ask, args=(answered,), name="microphone permission", daemon=True
        ).start()

    def open_settings(self) -> bool:
        return open_app_settings()

    def _ask(self, answered: Callable[[Permission], None]) -> None:
        """iOS asks by itself when an app begins to record; its answer is then waited for."""
        answer = None
        recording: _FileRecording | None = None
        try:
            self._session.activate()
            recording = _FileRecording(PREFERRED_SAMPLE_RATES)
            recording.record()
            waiting = threading.Event()
            while (answer := self._session.permission()) is None:
                waiting.wait(PERMISSION_POLL_SECONDS)
        except RecorderError:
            pass  # in a call, for example: not asked, so not denied for ever
        if recording is not None:
            recording.stop()
            recording.delete()
        self._session.deactivate()
        answered(answer or Permission.DENIED)

    def _prepare(self) -> int:
        permission = self._session.permission()
        if permission is not Permission.GRANTED:
            raise PermissionDenied(for_ever=permission is Permission.DENIED_FOR_EVER)
        self._session.activate()
        self._recording = _FileRecording(PREFERRED_SAMPLE_RATES)
        return self._recording.sample_rate

    def _start(self, queue: SoundQueue) -> None:
        assert self._recording is not None
        self._ended = self._paused = False
        self._level = None
        self._route = self._session.route()
        if not self._recording.record():
            raise MicrophoneBusy(BUSY_MESSAGE)
        self._thread = threading.Thread(
            target=self._run, args=(self._recording, queue), name="ios recorder", daemon=True
        )
        self._thread.start()

    def _pause(self) -> None:
        assert self._recording is not None
        with self._wishes:
            self._paused = True
            self._recording.pause()

    def _resume(self) -> None:
        assert self._recording is not None
        self._session.activate()
        with self._wishes:
            if not self._recording.record():
                raise MicrophoneBusy(BUSY_MESSAGE)
            self._paused = False

    def _stop(self) -> None:
        with self._wishes:
            self._ended = True
            self._wishes.notify_all()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.stop()
            recording.delete()
            self._session.deactivate()

    def _run(self, recording: _FileRecording, queue: SoundQueue) -> None:
        """The recording thread."""
        file = GrowingCaf(recording.path)
        error: RecorderError | None = None
        try:
            error = self._follow(recording, file, queue)
            recording.stop()
            self._put(file, queue, finished=True)
        except RecorderError as failure:
            error = failure
        finally:
            file.close()
        with self._wishes:
            ended = self._ended
        if not ended:
            self._over(queue, error)

    def _follow(
        self, recording: _FileRecording, file: GrowingCaf, queue: SoundQueue
    ) -> RecorderError | None:
        """Until the end is wanted; the error that came before it, if one did."""
        silent = since_look = 0.0
        while True:
            with self._wishes:
                if not self._ended:
                    self._wishes.wait(POLL_SECONDS)
                if self._ended:
                    return None
            came = self._put(file, queue)
            since_look += CHUNK_SECONDS
            look = since_look >= LOOK_SECONDS
            if look:
                since_look = 0.0
                self._route = self._session.route()
            listens = self._listens(recording, look)
            silent = silent + CHUNK_SECONDS if listens and not came else 0.0
            if silent > SILENT_SECONDS:
                return MicrophoneLost("The microphone gives no sound any more; record again.")

    def _listens(self, recording: _FileRecording, retry: bool) -> bool:
        """Whether iOS records; if not, it was interrupted, and is begun again when that is over."""
        with self._wishes:
            if self._paused:
                return False
            level = recording.level()
            if level is None:
                self._interruption_began()
                if retry:
                    self._begin_again(recording)
                return False
        self._level = level
        self._interruption_ended()
        return True

    def _begin_again(self, recording: _FileRecording) -> None:
        """Succeeds when the call is over; `_listens` sees it."""
        with contextlib.suppress(MicrophoneBusy, MicrophoneMissing):
            self._session.activate()
            recording.record()

    def _put(self, file: GrowingCaf, queue: SoundQueue, finished: bool = False) -> bool:
        """Whether there was new sound."""
        chunk = file.new(finished)
        if not len(chunk):
            return False
        if file.sample_rate != self._sample_rate:
            raise UnsupportedFormat(
                f"iOS recorded at {file.sample_rate} Hz, not {self._sample_rate}; record again."
            )
        queue.put(chunk)
        return True


class _FileRecording:
    """An AVAudioRecorder that is ready to write a file of its own.

    sample_rates: hertz, tried in this order. Raises UnsupportedFormat.
    """

    def __init__(self, sample_rates: tuple[int, ...]) -> None:
        _remove_leftovers()
        handle, self.path = tempfile.mkstemp(prefix=_NAME, suffix=".caf", dir=_folder())
        os.close(handle)
        for sample_rate in sample_rates:
            with LOCK:
                recorder = _new_recorder(self.path, sample_rate)
                if recorder is not None and recorder.prepareToRecord():
                    recorder.setMeteringEnabled_(True)
                    self._recorder = recorder
                    self.sample_rate = sample_rate
                    return
        self.delete()
        raise UnsupportedFormat(
            f"The microphone gives none of {', '.join(map(str, sample_rates))} Hz; connect another "
            "one."
        )

    def record(self) -> bool:
        """Begins, or goes on; False while a call has the microphone."""
        with LOCK:
            return bool(self._recorder.record())

    def pause(self) -> None:
        with LOCK:
            self._recorder.pause()

    def stop(self) -> None:
        """Finishes the file."""
        with LOCK:
            self._recorder.stop()

    def level(self) -> float | None:
        """The mean power of the last moment, -160 ... 0 dB full scale; None if it was stopped."""
        with LOCK:
            if not self._recorder.isRecording():
                return None
            self._recorder.updateMeters()
            return min(0.0, max(-160.0, float(self._recorder.averagePowerForChannel_(0))))

    def delete(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


def _folder() -> str:
    """In the app's own container, and not in its backups."""
    folder = os.path.join(tempfile.gettempdir(), "recorder")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def _remove_leftovers() -> None:
    """Recordings of an app that was killed in the midst."""
    for path in glob.glob(os.path.join(_folder(), f"{_NAME}*")):
        with contextlib.suppress(OSError):
            os.unlink(path)


def _new_recorder(path: str, sample_rate: int) -> Any:
    """An AVAudioRecorder, or None if it refuses the settings."""
    from pyobjus import objc_b, objc_d, objc_dict, objc_i, objc_str

    recorder_class, url_class = classes("AVAudioRecorder", "NSURL")
    settings = objc_dict(
        {
            constant("AVFormatIDKey"): objc_i(_LINEAR_PCM),
            constant("AVSampleRateKey"): objc_d(float(sample_rate)),
            constant("AVNumberOfChannelsKey"): objc_i(1),
            constant("AVLinearPCMBitDepthKey"): objc_i(16),
            constant("AVLinearPCMIsFloatKey"): objc_b(False),
            constant("AVLinearPCMIsBigEndianKey"): objc_b(False),
        }
    )
    url = url_class.fileURLWithPath_(objc_str(path))
    return recorder_class.alloc().initWithURL_settings_error_(url, settings, None)
