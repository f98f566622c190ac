"""The one small interface behind which every platform's microphone stands.

    with platform_recorder() as recorder:
        for chunk in recorder.chunks():
            stream.accept_waveform(chunk)

A recorder is CLOSED, then OPEN, perhaps PAUSED for a while, and CLOSED again or FAILED. `open`,
`pause`, `resume` and `close` may be called from any thread; `chunks` is for a worker thread, since
it waits.
"""

from __future__ import annotations

import abc
import enum
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Callable, TypeVar

from app.recorders.errors import MicrophoneBusy, RecorderError, WrongState
from app.recorders.sound_queue import Chunk, SoundQueue

QUEUE_SECONDS = 10.0
"""So much sound waits for a reader that is late; what comes beyond it is lost, and counted."""

CHUNK_SECONDS = 0.05
"""Length of the chunks in which the sound arrives, about."""

PREFERRED_SAMPLE_RATES = (16000, 48000, 44100)
"""In hertz, best first: the recogniser's own, then those that every phone has."""

AnyRecorder = TypeVar("AnyRecorder", bound="Recorder")


class RecorderState(enum.Enum):
    """What a recorder is doing."""

    CLOSED = "closed"
    """Not opened yet, or closed; `open` begins a recording."""
    OPEN = "open"
    """Sound arrives."""
    PAUSED = "paused"
    """Open, but no sound arrives: by `pause`, or `interrupted` by the system."""
    FAILED = "failed"
    """Ended by the error in `error`; `open` tries again."""


class Permission(enum.Enum):
    """The answer to a question for the microphone."""

    GRANTED = "granted"
    DENIED = "denied"
    """Not now; it may be asked for again, with an explanation."""
    DENIED_FOR_EVER = "denied for ever"
    """The system will not ask again: only `open_settings` leads on."""


class Recorder(abc.ABC):
    """A microphone, from `open` to `close`.

    state_changed: called with each new state, in whatever thread caused it (a Kivy app passes it on
    with `Clock.schedule_once` or `mainthread`). It must be quick, and must not call the recorder.
    """

    def __init__(self, state_changed: Callable[[RecorderState], None] | None = None) -> None:
        self.state_changed = state_changed
        self._lifecycle = threading.RLock()  # one of open, pause, resume, close at a time
        self._states = threading.RLock()  # never held while waiting for another thread
        self._state = RecorderState.CLOSED
        self._interrupted = False
        self._error: RecorderError | None = None
        self._sample_rate = 0
        self._queue: SoundQueue | None = None

    @property
    def state(self) -> RecorderState:
        """What the recorder is doing."""
        return self._state

    @property
    def error(self) -> RecorderError | None:
        """Why the recorder is FAILED; None otherwise."""
        return self._error if self._state is RecorderState.FAILED else None

    @property
    def interrupted(self) -> bool:
        """Whether it was the system that paused it, as for a call; it then resumes by itself."""
        return self._interrupted and self._state is RecorderState.PAUSED

    @property
    def sample_rate(self) -> int:
        """Of the chunks, in hertz; readable after `close`, too. Raises WrongState before `open`."""
        if not self._sample_rate:
            raise WrongState("the sample rate is known once the recorder is open")
        return self._sample_rate

    @property
    def overruns(self) -> int:
        """Buffers of this recording that were lost, in the system or since nobody read them."""
        dropped = self._queue.dropped if self._queue is not None else 0
        return dropped + self._system_overruns()

    @property
    def level(self) -> float | None:
        """The loudness now, -160 ... 0 dB full scale, if the system measures it; otherwise None,
        and the chunks tell."""
        return None

    def open(self) -> None:
        """Begins to record.

        Raises a RecorderError, and is FAILED, if it cannot; WrongState if it is open already.
        """
        with self._lifecycle:
            if self._state in (RecorderState.OPEN, RecorderState.PAUSED):
                raise WrongState("the recorder is open already; close it first")
            self._stop()  # what a failed recording left
            self._interrupted = False
            self._queue = None
            try:
                self._sample_rate = self._prepare()
                queue = self._queue = SoundQueue(round(QUEUE_SECONDS * self._sample_rate))
                self._set_state(RecorderState.OPEN)
                self._start(queue)
            except RecorderError as error:
                self._stop()
                self._over(self._queue, error)
                raise
            except BaseException:  # a mistake of ours, or Ctrl-C: hold nothing all the same
                self.close()
                raise

    def chunks(self) -> Iterator[Chunk]:
        """The sound, as (n,) int16 arrays of one channel, read-only for the reader's sake of speed.

        Waits for the next chunk, also while paused. Ends after `close`, when what was heard is
        read. Raises the RecorderError by which the recorder failed, if it did, after what was
        heard before; WrongState if it was never open.
        """
        if self._queue is None:
            raise WrongState("the recorder was not opened; call open() first")
        return iter(self._queue)

    def pause(self) -> None:
        """Stops listening, until `resume`; an interruption becomes a pause that does not end by
        itself. Does nothing unless OPEN or PAUSED."""
        with self._lifecycle:
            if self._state in (RecorderState.OPEN, RecorderState.PAUSED):
                self._pause()
                with self._states:
                    self._interrupted = False
                    self._set_state(RecorderState.PAUSED, only_from=RecorderState.OPEN)

    def resume(self) -> None:
        """Listens again. Does nothing unless PAUSED.

        Raises MicrophoneBusy, and stays PAUSED, while another app or a call has the microphone;
        another RecorderError, and is FAILED, if it cannot be had again.
        """
        with self._lifecycle:
            if self._state is RecorderState.PAUSED:
                try:
                    self._resume()
                except MicrophoneBusy:
                    raise
                except RecorderError as error:
                    self._stop()
                    self._over(self._queue, error)
                    raise
                self._interrupted = False
                self._set_state(RecorderState.OPEN, only_from=RecorderState.PAUSED)

    def close(self) -> None:
        """Ends the recording and lets go of the microphone. Again does nothing."""
        with self._lifecycle:
            try:
                self._stop()  # before the end of the queue, which takes the last of the sound
            finally:
                if self._queue is not None:
                    self._queue.end()
                self._set_state(RecorderState.CLOSED)

    def __enter__(self: AnyRecorder) -> AnyRecorder:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def has_permission(self) -> bool:
        """Whether the microphone may be used now, without a question."""
        return True

    def should_explain(self) -> bool:
        """Whether to say first what the microphone is for, since it was refused once before."""
        return False

    def request_permission(self, answered: Callable[[Permission], None]) -> None:
        """Asks for the microphone; `answered` is called once, perhaps later and in any thread."""
        answered(Permission.GRANTED)

    def open_settings(self) -> bool:
        """Shows the system's settings of this app; False where there are none to show."""
        return False

    @abc.abstractmethod
    def _prepare(self) -> int:
        """Gets hold of the microphone; its sample rate in hertz."""

    @abc.abstractmethod
    def _start(self, queue: SoundQueue) -> None:
        """Begins to put sound into the queue."""

    @abc.abstractmethod
    def _pause(self) -> None:
        """Stops putting sound into the queue; again does nothing."""

    @abc.abstractmethod
    def _resume(self) -> None:
        """Puts sound into the queue again."""

    @abc.abstractmethod
    def _stop(self) -> None:
        """Lets go of everything, whatever the state; leaves no thread behind."""

    def _system_overruns(self) -> int:
        """Buffers that the system lost before they reached the queue."""
        return 0

    def _over(self, queue: SoundQueue | None, error: RecorderError | None) -> None:
        """The recording into that queue has ended by itself: FAILED by the error, or CLOSED.

        The recording thread calls it last, and never waits in it: another thread may be in `close`,
        waiting for this one.
        """
        if queue is not None:
            queue.end(error)
        with self._states:
            if queue is self._queue and self._state is not RecorderState.FAILED:
                self._error = error
                self._set_state(RecorderState.FAILED if error else RecorderState.CLOSED)

    def _interruption_began(self) -> None:
        """The system took the microphone for a while. Any thread may call it; it never waits."""
        with self._states:
            if self._state is RecorderState.OPEN:
                self._interrupted = True
                self._set_state(RecorderState.PAUSED)

    def _interruption_ended(self) -> None:
        """Sound arrives again. Any thread may call it; it never waits."""
        with self._states:
            if self.interrupted:
                self._interrupted = False
                self._set_state(RecorderState.OPEN)

    def _set_state(self, state: RecorderState, only_from: RecorderState | None = None) -> None:
        with self._states:
            if state is self._state or only_from not in (None, self._state):
                return
            self._state = state
            if self.state_changed is not None:
                self.state_changed(state)
