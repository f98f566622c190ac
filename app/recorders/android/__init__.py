"""The microphone of Android: `android.media.AudioRecord` by pyjnius.

Nothing here imports jnius or python-for-android's module `android` before it is used, so that the
modules can be imported everywhere.
"""

from __future__ import annotations

from app.recorders.android.recorder import AndroidRecorder

__all__ = ["AndroidRecorder"]
