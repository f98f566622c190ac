"""Edge SER: gender and emotion from a voice, on the device.

    from edge import Recognizer

    prediction = Recognizer().predict("clip.wav")
    print(prediction.gender, prediction.emotion)

>>> prediction = Recognizer().predict("examples/clips/female_plain.wav")
>>> prediction.gender in GENDERS and prediction.emotion in LABELS
True
>>> round(sum(prediction.probabilities.values()), 6)
1.0
>>> [label for label, _ in prediction.top_k(1)] == [prediction.emotion]
True

Live sound goes to a stream, in pieces of any size:

>>> samples, sample_rate = read_audio("examples/clips/female_plain.wav")
>>> with Recognizer().stream(sample_rate) as stream:
...     for begin in range(0, len(samples), 1000):
...         stream.accept_waveform(samples[begin : begin + 1000])
>>> kinds = [event.kind for event in stream.events()]
>>> kinds[0], kinds[-1]
('turn_started', 'turn_ended')

Whatever is wrong is an `EdgeError`, whose message says what to do:

>>> to_mono_16k([0.5] * 100, sample_rate=16000)
Traceback (most recent call last):
edge.errors.TooShortAudioError: the sound is too short: 6.2 ms, and one frame of 64 ms is the ...

Names load at first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.audio import read_audio, to_mono_16k
    from edge.bundle import Bundle
    from edge.errors import (
        AudioError,
        BundleError,
        EdgeError,
        EmptyAudioError,
        MicrophoneError,
        MissingPackageError,
        NonFiniteAudioError,
        RuntimeMissingError,
        SettingsError,
        SilentAudioError,
        StreamError,
        TooLongAudioError,
        TooShortAudioError,
        UnreadableAudioError,
    )
    from edge.events import (
        Decision,
        Event,
        Segment,
        SegmentEnded,
        SegmentStarted,
        Timeline,
        Turn,
        TurnEnded,
        TurnStarted,
    )
    from edge.features import FrontEnd, LogMel
    from edge.labels import GENDERS, LABELS
    from edge.prediction import Prediction, Window
    from edge.quality import FLAGS
    from edge.recognizer import Recognizer
    from edge.stream import Stream
    from edge.voice import Voice

    __version__: str

_HOMES = {
    "edge.audio": ("read_audio", "to_mono_16k"),
    "edge.bundle": ("Bundle",),
    "edge.errors": (
        "AudioError",
        "BundleError",
        "EdgeError",
        "EmptyAudioError",
        "MicrophoneError",
        "MissingPackageError",
        "NonFiniteAudioError",
        "RuntimeMissingError",
        "SettingsError",
        "SilentAudioError",
        "StreamError",
        "TooLongAudioError",
        "TooShortAudioError",
        "UnreadableAudioError",
    ),
    "edge.events": (
        "Decision",
        "Event",
        "Segment",
        "SegmentEnded",
        "SegmentStarted",
        "Timeline",
        "Turn",
        "TurnEnded",
        "TurnStarted",
    ),
    "edge.features": ("FrontEnd", "LogMel"),
    "edge.labels": ("GENDERS", "LABELS"),
    "edge.prediction": ("Prediction", "Window"),
    "edge.quality": ("FLAGS",),
    "edge.recognizer": ("Recognizer",),
    "edge.stream": ("Stream",),
    "edge.voice": ("Voice",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "FLAGS",
    "GENDERS",
    "LABELS",
    "AudioError",
    "Bundle",
    "BundleError",
    "Decision",
    "EdgeError",
    "EmptyAudioError",
    "Event",
    "FrontEnd",
    "LogMel",
    "MicrophoneError",
    "MissingPackageError",
    "NonFiniteAudioError",
    "Prediction",
    "Recognizer",
    "RuntimeMissingError",
    "Segment",
    "SegmentEnded",
    "SegmentStarted",
    "SettingsError",
    "SilentAudioError",
    "Stream",
    "StreamError",
    "Timeline",
    "TooLongAudioError",
    "TooShortAudioError",
    "Turn",
    "TurnEnded",
    "TurnStarted",
    "UnreadableAudioError",
    "Voice",
    "Window",
    "__version__",
    "read_audio",
    "to_mono_16k",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            value = version("edge-ser")
        except PackageNotFoundError:  # copied into an app, rather than installed
            value = "unknown"
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
