"""Stands in for the package sounddevice: devices, and a stream that plays what it was given."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np


@dataclass
class FakePortAudio:
    """Put it into `sys.modules["sounddevice"]`.

    sound: (n,) float32 that the microphone hears; it ends, as if unplugged, unless `endless`.
    overflows: numbers of the blocks before which PortAudio's own buffer overflowed.
    interrupt_after: blocks after which Ctrl-C is pressed.
    """

    sound: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    sample_rate: int = 16000
    overflows: tuple[int, ...] = ()
    endless: bool = False
    refuses: str | None = None
    opened: list[dict] = field(default_factory=list)
    closed: int = 0

    class PortAudioError(Exception):
        pass

    def query_hostapis(self):
        return ({"name": "Fake Audio"},)

    def query_devices(self, device=None, kind=None):
        devices = [
            self._device(0, "Loudspeaker", 0),
            self._device(1, "Built-in Microphone", 2),
            self._device(2, "Head\033set", 1),
        ]
        if kind is None and device is None:
            return devices
        inputs = [each for each in devices if each["max_input_channels"]]
        if device is None:
            return inputs[0]
        found = [e for e in inputs if device == e["index"] or str(device) in e["name"]]
        if len(found) != 1:
            raise ValueError(f"{len(found)} input devices match {device!r}")
        return found[0]

    def _device(self, index, name, channels):
        return {
            "index": index,
            "name": name,
            "hostapi": 0,
            "max_input_channels": channels,
            "default_samplerate": float(self.sample_rate),
        }

    def InputStream(self, **settings):  # noqa: N802 - sounddevice's own name
        if self.refuses:
            raise self.PortAudioError(self.refuses)
        self.opened.append(settings)
        return _Stream(self, settings)


class _Stream:
    def __init__(self, portaudio: FakePortAudio, settings: dict) -> None:
        self._portaudio = portaudio
        self._settings = settings
        self._thread = threading.Thread(target=self._play)

    def start(self) -> None:
        """Plays everything at once, in another thread as PortAudio does."""
        self._thread.start()
        self._thread.join()

    def _play(self) -> None:
        length, play = self._settings["blocksize"], self._portaudio
        for number, begin in enumerate(range(0, len(play.sound) - length + 1, length)):
            status = SimpleNamespace(input_overflow=number in play.overflows)
            block = play.sound[begin : begin + length, None].copy()
            self._settings["callback"](block, length, None, status)
            block[:] = np.nan  # the buffer belongs to PortAudio
        if not play.endless:
            self._settings["finished_callback"]()

    def close(self) -> None:
        self._portaudio.closed += 1
