"""Live sound from a microphone by PortAudio.

    with Microphone() as microphone, Recognizer().stream(microphone.sample_rate) as stream:
        for block in microphone:
            stream.accept_waveform(block)

Needs the package sounddevice and the PortAudio library, which are loaded at the first use only.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.audio import check_sample_rate
from edge.errors import MicrophoneError, MissingPackageError, SettingsError

BLOCK_SECONDS = 0.05
"""Length of the pieces in which the sound arrives."""

QUEUE_SECONDS = 10.0
"""So much sound waits for a reader that is late; what comes beyond it is lost, and counted."""


@dataclass(frozen=True)
class InputDevice:
    """A device that records."""

    number: int
    """By which PortAudio knows it, until devices come or go."""
    name: str
    """As the system calls it."""
    host: str
    """The system's sound interface, such as ALSA, Core Audio or Windows WASAPI."""
    channels: int
    """How many it has; `Microphone` takes the first."""
    sample_rate: int
    """The device's own, in hertz."""
    default: bool
    """Whether it is the one that is used when none is named."""


def input_devices() -> list[InputDevice]:
    """Every device that records, in PortAudio's order.

    Raises MissingPackageError without sounddevice or PortAudio, MicrophoneError when PortAudio
    cannot tell.
    """
    sounddevice = _load_sounddevice()
    try:
        hosts = [host["name"] for host in sounddevice.query_hostapis()]
        devices = list(sounddevice.query_devices())
        default = _default_number(sounddevice)
    except sounddevice.PortAudioError as error:
        raise MicrophoneError(f"the input devices cannot be listed: {error}") from error
    return [
        InputDevice(
            number,
            device["name"],
            hosts[device["hostapi"]],
            device["max_input_channels"],
            round(device["default_samplerate"]),
            number == default,
        )
        for number, device in enumerate(devices)
        if device["max_input_channels"] > 0
    ]


class Microphone:
    """An input device, from `__enter__` to `__exit__`; iterating gives its sound, block by block.

    device: number or (part of a) name of an input device, None for the system's default.
    sample_rate: hertz, 8000 ... 192000; None for the device's own.

    A block is (n,) float32, full scale 1, one channel. Blocks wait in a queue while the reader is
    busy. The iteration ends when the device does, for example because it was unplugged, or by
    `close`, from any thread.

    Raises MissingPackageError without sounddevice or PortAudio, MicrophoneError when there is no
    such device or it cannot be opened, SettingsError or AudioError for a bad sample rate.
    """

    def __init__(self, device: int | str | None = None, sample_rate: int | None = None) -> None:
        self._sounddevice = _load_sounddevice()
        try:
            found = self._sounddevice.query_devices(device, "input")
        except (self._sounddevice.PortAudioError, ValueError) as error:
            wanted = "no default input device" if device is None else f"no input {device!r}"
            raise MicrophoneError(f"{wanted} was found: {error}") from error
        self._device = device
        self.name: str = found["name"]
        """The device's own name."""
        own_rate = round(found["default_samplerate"])
        self.sample_rate: int = check_sample_rate(own_rate if sample_rate is None else sample_rate)
        """Of the blocks, in hertz."""
        self._block_length = max(1, round(BLOCK_SECONDS * self.sample_rate))
        most = math.ceil(QUEUE_SECONDS * self.sample_rate / self._block_length)
        self._blocks: queue.Queue[NDArray[np.float32]] = queue.Queue(most)
        self._ended = threading.Event()
        self._over_runs = 0
        self._stream: Any = None

    @property
    def over_runs(self) -> int:
        """How often sound was lost: in PortAudio's buffer, or since nobody read the blocks."""
        return self._over_runs

    @property
    def ended(self) -> bool:
        """Whether the device has stopped, or was closed."""
        return self._ended.is_set()

    def __enter__(self) -> Microphone:
        try:
            self._stream = self._sounddevice.InputStream(
                device=self._device,
                samplerate=self.sample_rate,
                blocksize=self._block_length,
                channels=1,
                dtype="float32",
                callback=self._take,
                finished_callback=self._ended.set,
            )
            self._stream.start()
        except (self._sounddevice.PortAudioError, ValueError) as error:
            self.close()
            raise MicrophoneError(
                f"{self.name} cannot record at {self.sample_rate} Hz: {error}; check that no other "
                "program holds it and that this one may use the microphone"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        while True:
            block = self.read(timeout=0.1)
            if block is not None:
                yield block
            elif self.ended and self._blocks.empty():
                return

    def read(self, timeout: float) -> NDArray[np.float32] | None:
        """The next block, (n,) float32, or None when none came within `timeout` seconds.

        Raises SettingsError before `__enter__`.
        """
        if self._stream is None and not self.ended:
            raise SettingsError("the microphone is not open; use it in a `with` statement")
        try:
            return self._blocks.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stops recording; blocks that are there can still be read. Again does nothing."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._ended.set()

    def _take(self, samples: NDArray[np.float32], count: int, time: Any, status: Any) -> None:
        """Called by PortAudio in a thread of its own, which must never wait."""
        if status.input_overflow:
            self._over_runs += 1
        try:
            self._blocks.put_nowait(samples[:, 0].copy())  # PortAudio uses the buffer again
        except queue.Full:
            self._over_runs += 1


def _default_number(sounddevice: Any) -> int:
    try:
        return int(sounddevice.query_devices(None, "input")["index"])
    except (sounddevice.PortAudioError, ValueError):
        return -1


def _load_sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise MissingPackageError(
            "the microphone needs sounddevice; run: pip install sounddevice"
        ) from error
    except OSError as error:  # the package without PortAudio's library
        raise MissingPackageError(
            f"the microphone needs the PortAudio library ({error}); on Debian and Ubuntu run: "
            "apt-get install libportaudio2"
        ) from error
    return sounddevice
