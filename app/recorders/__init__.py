"""Microphones of every platform, and a file in place of one, behind one interface."""

from __future__ import annotations

from app.recorders.errors import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    MissingPackage,
    PermissionDenied,
    RecorderError,
    UnsupportedFormat,
    WrongState,
)
from app.recorders.file import FileRecorder
from app.recorders.platform import platform_recorder
from app.recorders.recorder import Permission, Recorder, RecorderState

__all__ = [
    "FileRecorder",
    "MicrophoneBusy",
    "MicrophoneLost",
    "MicrophoneMissing",
    "MissingPackage",
    "Permission",
    "PermissionDenied",
    "Recorder",
    "RecorderError",
    "RecorderState",
    "UnsupportedFormat",
    "WrongState",
    "platform_recorder",
]
