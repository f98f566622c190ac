"""One recording, from the microphone to its result; knows nothing of any screen.

    recorder's thread ──chunks──► worker thread: stream, level, outline ──► result
    control thread: open, pause, resume, close                               │
    screen's thread: reads the fields below, as often as it draws  ◄─────────┘

The screen asks, and is never called: however late it draws, the sound flows from the recorder to
the worker without it. What the recorder had to drop all the same is counted.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable

import numpy as np
from numpy.typing import NDArray

from app.envelope import RollingEnvelope
from app.level import Level
from app.recorders import Recorder, RecorderError, RecorderState
from app.recording import Recording
from app.result import Result
from app.ribbon import Ribbon
from app.sound import Sound
from edge import (
    Decision,
    EdgeError,
    Event,
    Prediction,
    Recognizer,
    TurnEnded,
    TurnStarted,
    Voice,
)

LIMIT_SECONDS = 300.0
"""A recording ends by itself after so long, since its sound is held in memory."""

WORTH_JUDGING_SECONDS = 0.5
"""What was heard before a microphone was lost is judged if it is as long as this."""


class SessionState(enum.Enum):
    """Where a session stands."""

    OPENING = "opening"
    """The microphone is being opened, the models perhaps still loaded."""
    LISTENING = "listening"
    PAUSED = "paused"
    JUDGING = "judging"
    """The recording is over, its result not yet there."""
    DONE = "done"
    """`result` and `recording` are there; `problem`, too, if the recording ended by one."""
    FAILED = "failed"
    """There is no result; `problem` says why."""
    CANCELLED = "cancelled"


OVER = frozenset((SessionState.DONE, SessionState.FAILED, SessionState.CANCELLED))
"""The states that do not change any more."""


@dataclass(frozen=True)
class Question:
    """What the recogniser is asked."""

    gender: str | None = None
    """None for automatic, or "female", "male", "both"."""
    interval: float = 0.5
    """Seconds from one decision to the next."""
    limit: float = LIMIT_SECONDS
    one_sentence: bool = False
    """Whether the recording ends by itself when somebody has spoken and pauses."""


class Session:
    """Records and recognises, from `start` to one of the states in OVER.

    recognizer: gives the models; called in the worker thread, and may wait until they are loaded.
    recorder: not yet open; the session opens and closes it.
    voice: gives the speaker's, None if it is not known; called when the models are loaded, in the
        worker thread.
    """

    def __init__(
        self,
        recognizer: Callable[[], Recognizer],
        recorder: Recorder,
        question: Question | None = None,
        voice: Callable[[], Voice | None] = lambda: None,
    ) -> None:
        self._recognizer = recognizer
        self._recorder = recorder
        self._question = question or Question()
        self._voice = voice
        self._control = ThreadPoolExecutor(1, "session control")
        self._worker = threading.Thread(target=self._run, name="session", daemon=True)
        self._chunks: list[NDArray[np.int16]] = []
        self._opened: Future[None] | None = None
        self._cancelled = False
        self._finish: SessionState | None = None
        self._judging = False
        self._said = False
        self._over = threading.Event()
        self.began = time.time()
        """Seconds since 1970, UTC."""
        self.time = 0.0
        """Seconds of sound heard so far."""
        self.level: Level | None = None
        self.envelope: RollingEnvelope | None = None
        self.ribbon = Ribbon()
        self.decision: Decision | None = None
        """The latest one."""
        self.decisions = 0
        self.speaking = False
        self.voice: Voice | None = None
        """The speaker's, by which the sound is heard."""
        self.judged = 0.0
        """Seconds of sound that the final judgement is through with."""
        self.problem: Exception | None = None
        self.prediction: Prediction | None = None
        """The recogniser's own, of which `result` is made."""
        self.result: Result | None = None
        self.recording: Recording | None = None

    @property
    def state(self) -> SessionState:
        """Where it stands."""
        if self._finish is not None:
            return self._finish
        if self._judging:
            return SessionState.JUDGING
        if self._opened is None or not self._opened.done() or self.level is None:
            return SessionState.OPENING
        if self._recorder.state is RecorderState.PAUSED:
            return SessionState.PAUSED
        return SessionState.LISTENING

    @property
    def interrupted(self) -> bool:
        """Whether it was the system that paused it, as for a call."""
        return self._recorder.interrupted

    @property
    def lost_buffers(self) -> int:
        """Pieces of sound that were lost, in the system or since the worker was late."""
        return self._recorder.overruns

    def start(self) -> None:
        """Begins. Returns at once, as do all these verbs."""
        self._opened = self._control.submit(self._recorder.open)
        self._worker.start()

    def pause(self) -> None:
        """Stops listening until `resume`."""
        self._submit(self._recorder.pause)

    def resume(self) -> None:
        """Listens again."""
        self._submit(self._resume)

    def stop(self) -> None:
        """Ends the recording; the result comes."""
        self._submit(self._recorder.close)

    def cancel(self) -> None:
        """Ends the recording and forgets it."""
        self._cancelled = True
        self._submit(self._recorder.close)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it is over; False if the time passed first. Not for the screen's thread."""
        return self._over.wait(timeout)

    def _submit(self, verb: Callable[[], None]) -> None:
        try:
            self._control.submit(verb)
        except RuntimeError:
            pass  # it has ended by itself, and there is nothing left to control

    def _resume(self) -> None:
        try:
            self._recorder.resume()
        except RecorderError as error:  # the microphone is busy: it stays paused
            self.problem = error

    def _run(self) -> None:
        """The worker thread."""
        finish = SessionState.FAILED
        try:
            try:
                self._listen()
            except RecorderError as error:
                self.problem = error
            if self._cancelled:
                finish = SessionState.CANCELLED
                return
            self._judging = True
            heard = self.time if self.problem is None else self.time - WORTH_JUDGING_SECONDS
            if heard >= 0.0 and self._chunks:
                self._judge()
                finish = SessionState.CANCELLED if self._cancelled else SessionState.DONE
            elif self.problem is None:
                self.problem = NothingRecorded("nothing was recorded; record again")
        except EdgeError as error:
            self.problem = self.problem or error
        except Exception as error:
            logging.getLogger(__name__).exception("the session failed")
            self.problem = error
        finally:
            self._chunks = []
            self._control.submit(self._recorder.close)
            self._control.shutdown(wait=False)
            self._finish = finish
            self._over.set()

    def _listen(self) -> None:
        assert self._opened is not None
        self._opened.result()
        recorder, question = self._recorder, self._question
        recognizer = self._recognizer()
        self.voice = self._voice()
        stream = recognizer.stream(
            recorder.sample_rate,
            interval=question.interval,
            gender=question.gender,
            voice=self.voice,
        )
        self.envelope = RollingEnvelope(recorder.sample_rate)
        self.level = Level(recorder.sample_rate)
        with stream:
            for chunk in recorder.chunks():
                if self._cancelled:
                    return
                self._chunks.append(chunk)
                self.level.hear(chunk)
                self.envelope.hear(chunk)
                stream.accept_waveform(chunk)
                self.time = stream.time
                for event in stream.poll():
                    self._told(event)
                if self.time >= question.limit or (question.one_sentence and self._said):
                    self.stop()
                    break
        for event in stream.poll():
            self._told(event)

    def _told(self, event: Event) -> None:
        self.ribbon.told(event)
        if isinstance(event, Decision):
            self.decision = event
            self.decisions += 1
        elif isinstance(event, TurnStarted):
            self.speaking = True
        elif isinstance(event, TurnEnded):
            self.speaking = False
            self._said |= event.turn.duration >= WORTH_JUDGING_SECONDS

    def _judge(self) -> None:
        sound = Sound(np.concatenate(self._chunks), self._recorder.sample_rate)
        self._chunks = []
        prediction = self._recognizer().predict(
            sound.samples,
            sound.sample_rate,
            gender=self._question.gender,
            voice=self.voice,
            progress=self._judged,
        )
        self.prediction = prediction
        self.recording = Recording.of(sound)
        self.result = Result.of(prediction, self.began, self.lost_buffers)

    def _judged(self, seconds: float) -> None:
        self.judged = seconds


class NothingRecorded(RecorderError):  # noqa: N818 - as the recorders name theirs
    """The recording ended before any sound came."""
