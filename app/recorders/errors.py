"""Every error of the recorders, under one base class; each message says what to do.

The app shows the message as it stands, so it speaks to the person who holds the phone.
"""

# ruff: noqa: N818 - they name what happened, as the screens say it

from __future__ import annotations


class RecorderError(Exception):
    """Base of all errors of the recorders."""


class PermissionDenied(RecorderError):
    """The app may not use the microphone.

    for_ever: the system will not ask again; only its settings can change that.
    """

    def __init__(self, for_ever: bool = False) -> None:
        self.for_ever = for_ever
        super().__init__(
            "The microphone is switched off for this app; allow it in the system's settings."
            if for_ever
            else "The microphone was not allowed; allow it to record."
        )


class MicrophoneMissing(RecorderError):
    """There is no microphone here."""


class MicrophoneBusy(RecorderError):
    """Another app, or a call, holds the microphone."""


class MicrophoneLost(RecorderError):
    """The microphone went away, or its driver died, in the midst of a recording."""


class UnsupportedFormat(RecorderError):
    """The microphone, or the file played in its place, gives no sound that can be used."""


class WrongState(RecorderError):
    """A recorder was asked for what it cannot do in its state: a mistake of the program."""


class MissingPackage(RecorderError):
    """A package or library that records on this platform is not installed."""
