"""Audio focus: Android's word on who may be heard, which calls and other apps take away."""

from __future__ import annotations

import functools
from typing import Any, Callable

FOCUS_REQUEST_CLASS_SINCE = 26


class AudioFocus:
    """Asks for the focus of a voice memo, and tells when it is lost and given back.

    lost: called with whether it comes back by itself, in a thread of Java.
    regained: called when it does, in a thread of Java.

    The first one is to be made in the main thread: others find no class of the app in Android.
    """

    def __init__(
        self, sdk: int, lost: Callable[[bool], None], regained: Callable[[], None]
    ) -> None:
        from jnius import autoclass

        self._sdk = sdk
        self._lost, self._regained = lost, regained
        self._manager_class = autoclass("android.media.AudioManager")
        self._listener = _listener()
        self._request: Any = None
        self._asked = False

    def changed(self, change: int) -> None:
        """By Android's word for it."""
        if change == self._manager_class.AUDIOFOCUS_GAIN:
            self._regained()
        elif change == self._manager_class.AUDIOFOCUS_LOSS_TRANSIENT:
            self._lost(True)
        elif change == self._manager_class.AUDIOFOCUS_LOSS:
            self._lost(False)
        # To be ducked concerns those who play alone.

    def ask(self, audio_manager: Any) -> bool:
        """Whether it was granted; False in a call, for example."""
        from jnius import autoclass

        manager = self._manager_class
        gain = manager.AUDIOFOCUS_GAIN_TRANSIENT_EXCLUSIVE
        self._asked = True
        self._listener.focus = self
        if self._sdk >= FOCUS_REQUEST_CLASS_SINCE:
            builder = autoclass("android.media.AudioFocusRequest$Builder")(gain)
            builder.setOnAudioFocusChangeListener(self._listener)
            self._request = builder.build()
            answer = audio_manager.requestAudioFocus(self._request)
        else:
            answer = audio_manager.requestAudioFocus(self._listener, manager.STREAM_MUSIC, gain)
        return answer == manager.AUDIOFOCUS_REQUEST_GRANTED

    def give_back(self, audio_manager: Any) -> None:
        """Others may play on. Does nothing unless asked for."""
        asked, self._asked = self._asked, False
        if not asked:
            return
        if self._listener.focus is self:
            self._listener.focus = None
        if self._sdk >= FOCUS_REQUEST_CLASS_SINCE:
            audio_manager.abandonAudioFocusRequest(self._request)
            self._request = None
        else:
            audio_manager.abandonAudioFocus(self._listener)


@functools.cache
def _listener() -> Any:
    """The one that Java calls: for good, since Java does not keep its Python side alive."""
    from jnius import PythonJavaClass, java_method

    class Listener(PythonJavaClass):
        __javainterfaces__ = ("android/media/AudioManager$OnAudioFocusChangeListener",)
        __javacontext__ = "system"  # whose loader sees the interface from every thread

        focus: AudioFocus | None = None
        """Whose focus it is about."""

        @java_method("(I)V")
        def onAudioFocusChange(self, change: int) -> None:  # noqa: N802 - Android's name
            focus = self.focus
            if focus is not None:
                focus.changed(change)

    return Listener()
