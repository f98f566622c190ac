"""Every error that edge raises on purpose, under one base class.

A caller who embeds edge can catch `EdgeError` for all of them, `AudioError` for anything that is
wrong with a sound, or one of the small subclasses to answer a single outcome.
"""

from __future__ import annotations


class EdgeError(Exception):
    """Base of all errors of this package."""


class SettingsError(EdgeError, ValueError):
    """An argument or a setting is outside what is allowed."""


class BundleError(EdgeError):
    """A model bundle is missing, altered, truncated or inconsistent."""


class MissingPackageError(EdgeError, ImportError):
    """An optional package is needed here, and not installed; the message says which."""


class RuntimeMissingError(MissingPackageError):
    """A TFLite interpreter is asked for, and none is installed."""


class MicrophoneError(EdgeError):
    """A microphone is not there, or cannot be opened."""


class StreamError(EdgeError):
    """A stream was given sound after its end."""


class AudioError(EdgeError):
    """A sound cannot be used."""


class UnreadableAudioError(AudioError):
    """A file is no sound, is damaged, or is in a format that cannot be decoded here."""


class EmptyAudioError(AudioError):
    """A sound has no samples."""


class NonFiniteAudioError(AudioError):
    """A sample is NaN or infinite."""


class SilentAudioError(AudioError):
    """No part of a sound rises above the -100 dB floor of the log-mel spectrum."""


class TooShortAudioError(AudioError):
    """A sound is shorter than one analysis frame."""


class TooLongAudioError(AudioError):
    """A sound is longer than the caller's limit."""

    @classmethod
    def beyond(cls, limit: float, duration: float, source: str = "") -> TooLongAudioError:
        """The error for a sound of so many seconds, named by its source if it has one."""
        return cls(
            f"{source}{': ' if source else ''}{duration:.1f} s of sound, and the limit is "
            f"{limit:g} s; cut it, or raise max_duration"
        )
