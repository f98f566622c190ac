"""The microphone of iOS: streamed by our own shim where it is built in, else by AVAudioRecorder.

Nothing here imports pyobjus, or looks for the shim, before it is used.
"""

from __future__ import annotations

from typing import Callable

from app.recorders.ios.recorder import FileGrowingRecorder
from app.recorders.ios.shim import shim_library
from app.recorders.ios.stream import StreamingRecorder
from app.recorders.recorder import Recorder, RecorderState


def ios_recorder(state_changed: Callable[[RecorderState], None] | None = None) -> Recorder:
    """The better of the two that this build of the app has."""
    library = shim_library()
    if library is not None:
        return StreamingRecorder(library, state_changed)
    return FileGrowingRecorder(state_changed)


__all__ = ["FileGrowingRecorder", "StreamingRecorder", "ios_recorder"]
