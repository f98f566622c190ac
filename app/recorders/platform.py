"""Which recorder is the one of this platform."""

from __future__ import annotations

import os
import sys
from typing import Callable

from app.recorders.recorder import Recorder, RecorderState


def platform_name() -> str:
    """android, ios or desktop."""
    # python-for-android sets ANDROID_ARGUMENT; Python 3.13 says sys.platform == "android", too.
    if sys.platform == "android" or "ANDROID_ARGUMENT" in os.environ:
        return "android"
    if sys.platform == "ios" or os.environ.get("KIVY_BUILD") == "ios":
        return "ios"
    return "desktop"


def platform_recorder(
    state_changed: Callable[[RecorderState], None] | None = None,
) -> Recorder:
    """The recorder over the microphone of the platform that this runs on."""
    name = platform_name()
    if name == "android":
        from app.recorders.android import AndroidRecorder

        return AndroidRecorder(state_changed=state_changed)
    if name == "ios":
        from app.recorders.ios import ios_recorder

        return ios_recorder(state_changed)
    from app.recorders.desktop import DesktopRecorder

    return DesktopRecorder(state_changed=state_changed)
