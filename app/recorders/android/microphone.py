"""One `android.media.AudioRecord`: made, started, read, stopped and released."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from app.recorders.android.sound import BYTES_PER_SAMPLE, Sound, best_sound
from app.recorders.errors import (
    MicrophoneBusy,
    MicrophoneLost,
    RecorderError,
    UnsupportedFormat,
)
from app.recorders.recorder import CHUNK_SECONDS
from app.recorders.sound_queue import Chunk

BUFFER_SECONDS = 1.0
"""So much sound waits in the system, at least, while Python is busy elsewhere."""

CALL_MESSAGE = "A call is using the microphone; end it, then record again."
BUSY_MESSAGE = (
    "Another app is using the microphone; close it, then record again. If none is, restart the "
    "phone."
)


class DeadMicrophone(MicrophoneLost):
    """Android's sound service was restarted: a new AudioRecord may work."""


class AudioRecordMicrophone:
    """The phone's microphone, started at construction.

    sample_rates: hertz, tried in this order.
    audio_manager: the system's android.media.AudioManager.
    sdk: the version of Android's interface (android.os.Build.VERSION.SDK_INT).

    Raises MicrophoneBusy or UnsupportedFormat.
    """

    def __init__(self, sample_rates: tuple[int, ...], audio_manager: Any, sdk: int) -> None:
        from jnius import autoclass

        self._sdk = sdk
        self._class = autoclass("android.media.AudioRecord")
        self._format = autoclass("android.media.AudioFormat")
        self._record, self.sample_rate = self._started(sample_rates, audio_manager)
        self._sound: Sound | None = None
        buffer_length = self._buffer_size(self.sample_rate) / BYTES_PER_SAMPLE
        self._buffer_seconds = buffer_length / self.sample_rate
        self._read_at: float | None = None
        self.overruns = 0
        """How often the system's buffer was full before it was read."""

    def read(self) -> Chunk:
        """The next sound, (n,) int16; n may be small, and 0 when `stop` ended the wait.

        Raises DeadMicrophone, MicrophoneLost or UnsupportedFormat.
        """
        if self._sound is None:  # made in the thread that reads
            self._sound = best_sound(max(1, round(CHUNK_SECONDS * self.sample_rate)))
        if self._read_at is not None and time.monotonic() - self._read_at > self._buffer_seconds:
            self.overruns += 1
        count = self._sound.read(self._record)
        self._read_at = time.monotonic()
        if count < 0:
            raise self._read_error(count)
        return self._sound.taken(count)

    def start(self) -> None:
        """Listens again after `stop`. Raises MicrophoneBusy or DeadMicrophone."""
        self._read_at = None
        if self._record.getState() != self._class.STATE_INITIALIZED:
            raise DeadMicrophone(BUSY_MESSAGE)
        if not self._starts(self._record):
            raise MicrophoneBusy(BUSY_MESSAGE)

    def stop(self) -> None:
        """Stops listening; a `read` that waits in another thread returns."""
        from jnius import JavaException

        try:
            self._record.stop()
        except JavaException:  # IllegalStateException: its service died before
            pass

    def release(self) -> None:
        """Lets go of the microphone for good."""
        self.stop()
        self._record.release()
        self._sound = None

    def silenced(self) -> bool:
        """Whether Android gives silence, since a call or an app of more weight listens."""
        if self._sdk < 29:
            return False
        configuration = self._record.getActiveRecordingConfiguration()
        return configuration is not None and configuration.isClientSilenced()

    def route(self) -> str:
        """The name of the device that it listens by; empty if Android does not tell."""
        if self._sdk < 24:
            return ""
        device = self._record.getRoutedDevice()
        if device is None:
            return ""
        return f"{device.getProductName()} ({device.getId()})"

    def _started(self, sample_rates: tuple[int, ...], audio_manager: Any) -> tuple[Any, int]:
        """An AudioRecord that records, by the first rate and source that work; its rate."""
        from jnius import autoclass

        error: RecorderError = UnsupportedFormat(
            f"The microphone gives none of {', '.join(map(str, sample_rates))} Hz in 16 bits; "
            "connect another one."
        )
        for sample_rate in sample_rates:
            if self._buffer_size(sample_rate) == 0:
                continue
            for source in self._sources(audio_manager):
                record = self._made(source, sample_rate)
                if record is None:
                    continue
                error = MicrophoneBusy(BUSY_MESSAGE)
                if record.getState() == self._class.STATE_INITIALIZED and self._starts(record):
                    return record, sample_rate
                record.release()
        manager = autoclass("android.media.AudioManager")
        if audio_manager.getMode() in (manager.MODE_IN_CALL, manager.MODE_IN_COMMUNICATION):
            raise MicrophoneBusy(CALL_MESSAGE)
        raise error

    def _sources(self, audio_manager: Any) -> Iterator[int]:
        """Those for recognisers first: neither gain nor noise reduction shall change the voice."""
        from jnius import autoclass

        source = autoclass("android.media.MediaRecorder$AudioSource")
        yield source.VOICE_RECOGNITION
        if self._sdk >= 24:
            manager = autoclass("android.media.AudioManager")
            supported = manager.PROPERTY_SUPPORT_AUDIO_SOURCE_UNPROCESSED
            if audio_manager.getProperty(supported) == "true":
                yield source.UNPROCESSED
        yield source.MIC

    def _made(self, source: int, sample_rate: int) -> Any:
        """An AudioRecord, perhaps not initialised; None if it refuses the arguments."""
        from jnius import JavaException

        try:
            return self._class(
                source,
                sample_rate,
                self._format.CHANNEL_IN_MONO,
                self._format.ENCODING_PCM_16BIT,
                self._buffer_size(sample_rate),
            )
        except JavaException:  # IllegalArgumentException
            return None

    def _buffer_size(self, sample_rate: int) -> int:
        """Bytes for `BUFFER_SECONDS`, and twice what the system needs; 0 if it has no such rate."""
        least = self._class.getMinBufferSize(
            sample_rate, self._format.CHANNEL_IN_MONO, self._format.ENCODING_PCM_16BIT
        )
        if least <= 0:  # ERROR_BAD_VALUE, or ERROR
            return 0
        wanted = math.ceil(BUFFER_SECONDS * sample_rate) * BYTES_PER_SAMPLE
        return max(2 * least, wanted)

    def _starts(self, record: Any) -> bool:
        from jnius import JavaException

        try:
            record.startRecording()
        except JavaException:  # IllegalStateException
            return False
        return record.getRecordingState() == self._class.RECORDSTATE_RECORDING

    def _read_error(self, code: int) -> RecorderError:
        if self._sdk >= 24 and code == self._class.ERROR_DEAD_OBJECT:
            return DeadMicrophone(
                "Android's sound service stopped (ERROR_DEAD_OBJECT); record again."
            )
        if code == self._class.ERROR_INVALID_OPERATION:
            return MicrophoneLost(
                "The microphone was taken away (ERROR_INVALID_OPERATION); record again."
            )
        if code == self._class.ERROR_BAD_VALUE:
            return UnsupportedFormat(
                "The microphone refused the format of the sound (ERROR_BAD_VALUE); connect another "
                "one."
            )
        if code == self._class.ERROR:
            return MicrophoneLost(
                "The microphone failed (ERROR); record again, and restart the phone if it stays so."
            )
        return MicrophoneLost(f"The microphone failed with code {code}; record again.")
