"""AVAudioSession: the app's part in the phone's sound."""

from __future__ import annotations

import struct
from typing import Any

from app.recorders.errors import MicrophoneBusy, MicrophoneMissing
from app.recorders.ios.objective_c import LOCK, classes, constant, get, text
from app.recorders.recorder import Permission

BUSY_MESSAGE = "A call or another app is using the microphone; end it, then record again."


def _code(letters: bytes) -> int:
    return int(struct.unpack(">I", letters)[0])


UNDETERMINED = _code(b"undt")
DENIED = _code(b"deny")
GRANTED = _code(b"grnt")


class AudioSession:
    """The session, shared by the whole app."""

    def __init__(self) -> None:
        with LOCK:
            (session_class,) = classes("AVAudioSession")
            self._session: Any = session_class.sharedInstance()

    def permission(self) -> Permission | None:
        """The answer of the person; None if never asked. iOS asks once, so a no is for ever."""
        with LOCK:
            code = int(get(self._session, "recordPermission")) & 0xFFFFFFFF
        return {GRANTED: Permission.GRANTED, DENIED: Permission.DENIED_FOR_EVER}.get(code)

    def activate(self) -> None:
        """Makes the app one that records, without processing of the voice.

        Raises MicrophoneBusy or MicrophoneMissing.
        """
        from pyobjus import objc_str

        with LOCK:
            category = objc_str(constant("AVAudioSessionCategoryRecord"))
            mode = objc_str(constant("AVAudioSessionModeMeasurement"))
            # NULL for the NSError, which pyobjus cannot give back: the answer says enough.
            allowed = self._session.setCategory_mode_options_error_(category, mode, 0, None)
            active = allowed and self._session.setActive_error_(True, None)
            available = get(self._session, "inputAvailable")
        if not active:
            raise MicrophoneBusy(BUSY_MESSAGE)
        if not available:
            raise MicrophoneMissing("There is no microphone here; connect one.")

    def deactivate(self) -> None:
        """Others may play on. iOS refuses while something still plays or records: no harm."""
        with LOCK:
            self._session.setActive_error_(False, None)

    def route(self) -> str:
        """The name of the input that it listens by; empty if there is none."""
        with LOCK:
            inputs = get(get(self._session, "currentRoute"), "inputs")
            if inputs is None or int(get(inputs, "count")) == 0:
                return ""
            return text(get(inputs.objectAtIndex_(0), "portName"))
