"""The Recorder of Android."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable

from app.recorders.android.focus import AudioFocus
from app.recorders.android.microphone import (
    CALL_MESSAGE,
    AudioRecordMicrophone,
    DeadMicrophone,
)
from app.recorders.android.permission import MicrophonePermission, open_app_settings
from app.recorders.errors import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    PermissionDenied,
    RecorderError,
)
from app.recorders.recorder import (
    PREFERRED_SAMPLE_RATES,
    Permission,
    Recorder,
    RecorderState,
)
from app.recorders.sound_queue import SoundQueue

WATCH_SECONDS = 0.5
"""How often it looks whether Android silences it or switched to another device."""

SILENT_READS = 500
"""So many reads without sound, one each 10 ms, mean that the microphone is lost."""

REVIVALS = 3
"""How often in a row a new AudioRecord takes the place of a dead one that gave no sound."""


class AndroidRecorder(Recorder):
    """The phone's microphone by AudioRecord, read in a thread of its own.

    To be made in the main thread, which alone finds the classes of the app; then every thread may
    use it.
    """

    def __init__(self, state_changed: Callable[[RecorderState], None] | None = None) -> None:
        from jnius import autoclass

        super().__init__(state_changed)
        activity = autoclass("org.kivy.android.PythonActivity").mActivity
        context = autoclass("android.content.Context")
        packages = autoclass("android.content.pm.PackageManager")
        self._activity = activity
        self._sdk: int = autoclass("android.os.Build$VERSION").SDK_INT
        self._audio_manager = activity.getSystemService(context.AUDIO_SERVICE)
        self._has_microphone: bool = activity.getPackageManager().hasSystemFeature(
            packages.FEATURE_MICROPHONE
        )
        self._permission = MicrophonePermission(activity, self._sdk)
        self._focus = AudioFocus(self._sdk, self._focus_lost, self._focus_regained)
        self._recording: _Recording | None = None

    @property
    def route(self) -> str:
        """By which device it listens, in Android's words; empty if that is not known."""
        return self._recording.route if self._recording is not None else ""

    def has_permission(self) -> bool:
        return self._permission.is_granted()

    def should_explain(self) -> bool:
        return self._permission.should_explain()

    def request_permission(self, answered: Callable[[Permission], None]) -> None:
        self._permission.request(answered)

    def open_settings(self) -> bool:
        open_app_settings(self._activity)
        return True

    def _prepare(self) -> int:
        if not self._has_microphone:
            raise MicrophoneMissing("This phone has no microphone; connect one.")
        if not self._permission.is_granted():
            raise PermissionDenied(for_ever=self._permission.denied_for_ever())
        self._ask_for_focus()
        microphone = AudioRecordMicrophone(PREFERRED_SAMPLE_RATES, self._audio_manager, self._sdk)
        self._recording = _Recording(self, microphone, self._new_microphone)
        return microphone.sample_rate

    def _start(self, queue: SoundQueue) -> None:
        assert self._recording is not None
        self._recording.start(queue)

    def _pause(self) -> None:
        assert self._recording is not None
        self._recording.pause()
        self._focus.give_back(self._audio_manager)

    def _resume(self) -> None:
        assert self._recording is not None
        self._ask_for_focus()
        self._recording.resume()

    def _stop(self) -> None:
        recording = self._recording
        if recording is not None:
            recording.end()
        self._focus.give_back(self._audio_manager)

    def _system_overruns(self) -> int:
        return self._recording.overruns if self._recording is not None else 0

    def _ask_for_focus(self) -> None:
        if not self._focus.ask(self._audio_manager):
            raise MicrophoneBusy(CALL_MESSAGE)

    def _new_microphone(self) -> AudioRecordMicrophone:
        """In place of a dead one, whose rate the readers rely on."""
        return AudioRecordMicrophone((self._sample_rate,), self._audio_manager, self._sdk)

    def _focus_lost(self, for_a_while: bool) -> None:
        recording = self._recording
        if recording is not None:
            recording.lose_focus(for_a_while)

    def _focus_regained(self) -> None:
        recording = self._recording
        if recording is not None:
            recording.regain_focus()


class _Recording:
    """The recording thread, and what the others want of it.

    The thread alone starts, reads and releases the microphone. Others say what they want under
    `_wishes`, and stop the microphone to cut short a read that waits.
    """

    def __init__(
        self,
        recorder: AndroidRecorder,
        microphone: AudioRecordMicrophone,
        new_microphone: Callable[[], AudioRecordMicrophone],
    ) -> None:
        self._recorder = recorder
        self._microphone: AudioRecordMicrophone | None = microphone
        self._new_microphone = new_microphone
        self._wishes = threading.Condition()
        self._ended = False
        self._paused = False
        self._focus_lost = False
        self._asked_to_resume = False
        self._refused: RecorderError | None = None  # why that wish failed
        self._listening = True  # what the thread has come to
        self._earlier_overruns = 0
        self._thread: threading.Thread | None = None
        self.route = microphone.route()

    @property
    def overruns(self) -> int:
        microphone = self._microphone
        return self._earlier_overruns + (microphone.overruns if microphone is not None else 0)

    def start(self, queue: SoundQueue) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(queue,), name="android recorder", daemon=True
        )
        self._thread.start()

    def pause(self) -> None:
        with self._wishes:
            self._paused = True
            self._cut_short()

    def resume(self) -> None:
        """Waits until the thread listens again. Raises why it does not."""
        with self._wishes:
            self._paused = self._focus_lost = False
            self._asked_to_resume = True
            self._refused = None
            self._wishes.notify_all()
            self._wishes.wait_for(lambda: self._listening or self._refused or self._ended)
            self._asked_to_resume = False
            if self._refused is not None:
                raise self._refused

    def lose_focus(self, for_a_while: bool) -> None:
        with self._wishes:
            self._focus_lost = True
            self._paused |= not for_a_while  # only its owner can take it up again
            self._cut_short()

    def regain_focus(self) -> None:
        with self._wishes:
            self._focus_lost = False
            self._wishes.notify_all()

    def end(self) -> None:
        """Ends the thread, and waits for it."""
        with self._wishes:
            self._ended = True
            self._cut_short()
        if self._thread is None:  # never started
            self._release()
        else:
            self._thread.join()

    def _cut_short(self) -> None:
        self._listening = False
        self._wishes.notify_all()
        if self._microphone is not None:
            self._microphone.stop()

    def _may_listen(self) -> bool:
        return not (self._ended or self._paused or self._focus_lost)

    def _run(self, queue: SoundQueue) -> None:
        """The recording thread."""
        import jnius

        try:
            error = self._outcome(queue)
            with self._wishes:
                ended, self._ended = self._ended, True
                self._wishes.notify_all()
            if not ended:
                self._recorder._over(queue, error)
        finally:
            jnius.detach()  # or Java keeps a thread that is no more

    def _outcome(self, queue: SoundQueue) -> RecorderError | None:
        from jnius import JavaException

        try:
            return self._record(queue)
        except JavaException as error:
            return MicrophoneLost(f"The microphone failed ({error}); record again.")
        finally:
            self._release()

    def _record(self, queue: SoundQueue) -> RecorderError | None:
        """Until the end is wanted; the error that came before it, if one did."""
        _take_the_priority_of_sound()
        watched_at = time.monotonic()
        silent_reads = deaths = 0
        silenced = False
        while True:
            try:
                if not self._listens():
                    return None
                microphone = self._microphone
                assert microphone is not None
                chunk = microphone.read()
            except DeadMicrophone as error:
                deaths += 1
                if deaths > REVIVALS:
                    return MicrophoneLost(str(error))
                failure = self._revive()
                if failure is not None:
                    return failure
                silenced = False
                continue
            except RecorderError as error:
                with self._wishes:
                    if not self._listening:
                        continue  # it was stopped under the read
                return error
            if len(chunk):
                silent_reads = deaths = 0
            else:
                silent_reads += 1
                if silent_reads > SILENT_READS:
                    return MicrophoneLost("The microphone gives no sound any more; record again.")
                with self._wishes:
                    if self._listening:
                        self._wishes.wait(0.01)
                continue
            if time.monotonic() - watched_at > WATCH_SECONDS:
                watched_at = time.monotonic()
                self.route = microphone.route()
                silenced = self._watched_silence(microphone, silenced)
            if not silenced:
                queue.put(chunk)  # also what was heard just before a pause

    def _watched_silence(self, microphone: AudioRecordMicrophone, before: bool) -> bool:
        """Whether Android gives it silence now, of which the state tells."""
        now = microphone.silenced()
        if now:
            self._recorder._interruption_began()
        elif before:
            self._recorder._interruption_ended()
        return now

    def _listens(self) -> bool:
        """Waits until it may listen, and does; False if the end is wanted instead."""
        while True:
            with self._wishes:
                if self._ended:
                    return False
                if self._listening:
                    return True
                interrupted = self._focus_lost and not self._paused
            assert self._microphone is not None
            self._microphone.stop()
            if interrupted:
                self._recorder._interruption_began()
            else:
                self._recorder._set_state(RecorderState.PAUSED, only_from=RecorderState.OPEN)
            with self._wishes:
                self._wishes.wait_for(lambda: self._ended or self._may_listen())
                if self._ended:
                    return False
            try:
                self._microphone.start()
            except MicrophoneBusy as error:
                self._refuse(error)
                continue
            self._now_listening()

    def _now_listening(self) -> None:
        with self._wishes:
            self._listening = listening = self._may_listen()
            self._wishes.notify_all()
        if listening:
            self._recorder._interruption_ended()

    def _refuse(self, error: MicrophoneBusy) -> None:
        """Tells who asked for sound; after an interruption nobody did, and it tries again later."""
        with self._wishes:
            if self._asked_to_resume:
                self._paused = True
                self._refused = error
                self._wishes.notify_all()
            else:
                self._wishes.wait_for(
                    lambda: self._asked_to_resume or not self._may_listen(), timeout=WATCH_SECONDS
                )

    def _revive(self) -> RecorderError | None:
        """A new microphone in place of a dead one; why there is none, if so."""
        self._release()
        try:
            microphone = self._new_microphone()
        except RecorderError as error:
            return MicrophoneLost(f"The microphone is gone. {error}")
        with self._wishes:
            self._microphone = microphone
        self._now_listening()
        return None

    def _release(self) -> None:
        with self._wishes:
            microphone, self._microphone = self._microphone, None
        if microphone is not None:
            self._earlier_overruns += microphone.overruns
            microphone.release()


def _take_the_priority_of_sound() -> None:
    """Before others of this app, as Android's own recorders are."""
    from jnius import JavaException, autoclass

    process: Any = autoclass("android.os.Process")
    try:
        process.setThreadPriority(process.THREAD_PRIORITY_URGENT_AUDIO)
    except JavaException:  # SecurityException: not on every phone
        pass
