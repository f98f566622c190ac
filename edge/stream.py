"""Live recognition: sound in pieces, events out.

    with Recognizer().stream(sample_rate=48000) as stream:
        for chunk in microphone:
            stream.accept_waveform(chunk)
            for event in stream.poll():
                print(event)

A chunk costs the frames that it completes, and a decision every `interval` seconds of speech.
Memory is a handful of buffers that never grow. However the sound is cut, the events are the same,
to the last bit.
"""

from __future__ import annotations

import numbers
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from time import monotonic
from types import TracebackType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.audio import check_sample_rate, to_mono
from edge.decision import Judgement, Models, Question, likelier_gender
from edge.errors import SettingsError, StreamError
from edge.events import (
    SEGMENTS_OF_A_TURN,
    Decision,
    Event,
    Segment,
    SegmentEnded,
    SegmentStarted,
    Turn,
    TurnEnded,
    TurnStarted,
)
from edge.features import SILENCE_DB, LogMel
from edge.gender import Evidence
from edge.incremental import IncrementalLogMel
from edge.prediction import Window
from edge.quality import FLAGS, clipped_samples, flags_of
from edge.sliding import SlidingBuffer
from edge.steadiness import SteadyEmotion
from edge.turns import ONSET_GAP_SECONDS, ONSET_SECONDS, PAUSE_SECONDS, TurnFinder
from edge.voice import Voice
from edge.voice_activity import STEP, Activity, VoiceActivity
from edge.windows import active_span

LEAST_SPEECH_SECONDS = 0.5
"""A decision waits until the window holds so much speech; a turn with less gets none at all."""

FRESH_SPEECH_SECONDS = 0.128
"""A decision is left out when less speech than this came since the last one."""

PENDING_EVENTS = 10000
"""So many events wait to be taken; beyond that the oldest are dropped, and counted."""


class Stream:
    """One live sound; made by `Recognizer.stream`.

    Every method may be called from any thread: they take turns. A decision is made in the thread
    whose `accept_waveform` completed its frames. As a context manager it finishes the input (but
    not after an error) and closes.

    It lives in the process that made it: in a forked one, its methods raise StreamError.
    """

    def __init__(
        self,
        models: Models,
        log_mel: LogMel,
        sample_rate: int = 16000,
        *,
        interval: float = 0.5,
        gender: str | None = None,
        labels: Iterable[str] | None = None,
        voice: Voice | None = None,
        learns: bool = False,
        voice_activity: bool = True,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._question = Question.checked(gender, labels, voice, models.name)
        self._models = models
        self._learns = bool(learns)
        self._sample_rate = check_sample_rate(sample_rate)
        window = models.front_end.window_frames
        self._interval = _seconds(interval, "interval", 0.05, window * models.seconds_per_frame)
        pause = _seconds(pause, "pause", 0.2, 10.0)
        self._frames_per_decision = self._interval / models.seconds_per_frame
        self._least_speech = self._frames(LEAST_SPEECH_SECONDS)
        self._fresh_speech = self._frames(FRESH_SPEECH_SECONDS)
        self._turns = TurnFinder(
            self._frames(ONSET_SECONDS), self._frames(ONSET_GAP_SECONDS), self._frames(pause)
        )
        # A block of evidence, the window after it, and the pause that passes before a turn ends.
        keep = 2 * window + self._frames(self._interval) + self._frames(pause) + 2 * STEP
        self._sound = IncrementalLogMel(log_mel, self._sample_rate, keep)
        self._detector = VoiceActivity(models.front_end)
        self._detects = bool(voice_activity)
        self._speech = SlidingBuffer(keep, STEP, dtype=np.bool_)
        self._power = SlidingBuffer(keep, STEP)
        self._noise = SlidingBuffer(keep, STEP)
        self._clipped = SlidingBuffer(keep, self._sound.frames_of_a_block, dtype=np.int32)
        self._pending: deque[Event] = deque(maxlen=PENDING_EVENTS)
        self._changed = threading.Condition(threading.RLock())
        self._process = os.getpid()
        self._closed = self._finished = False
        self._clear()

    def _frames(self, seconds: float) -> int:
        return max(1, round(seconds / self._models.seconds_per_frame))

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if os.getpid() != self._process:
            return  # a child that leaves its parent's block
        if kind is None:
            self.input_finished()
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a stream is live and cannot be pickled; pickle its Recognizer instead")

    def __repr__(self) -> str:
        state = "closed" if self._closed else "finished" if self._finished else "open"
        return f"<Stream at {self._sample_rate} Hz, {state}, {self.time:.2f} s>"

    @property
    def sample_rate(self) -> int:
        """Of the sound that it takes, in hertz."""
        return self._sample_rate

    @property
    def interval(self) -> float:
        """Seconds from one decision to the next."""
        return self._interval

    @property
    def time(self) -> float:
        """Seconds of sound taken so far."""
        return self._accepted / self._sample_rate

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks, or pauses within a turn."""
        return self._turns.speaking

    @property
    def finished(self) -> bool:
        """Whether `input_finished` or `close` was called, so that no more sound is taken."""
        return self._finished

    @property
    def dropped_events(self) -> int:
        """Events that nobody took in time; see PENDING_EVENTS."""
        return self._dropped

    @property
    def nbytes(self) -> int:
        """Bytes of the stream's buffers; they never change."""
        buffers = (self._sound, self._speech, self._power, self._noise, self._clipped)
        return sum(buffer.nbytes for buffer in buffers)

    @property
    def voice(self) -> Voice | None:
        """The speaker's, as far as it is known by now; None where it is not."""
        return self._question.voice

    def know(self, voice: Voice | None) -> None:
        """From the next decision on, it is this voice that speaks.

        Raises SettingsError when it was taught to other models.
        """
        with self._held():
            question = self._question
            self._question = Question.checked(
                question.gender, question.labels, voice, self._models.name
            )

    def accept_waveform(self, samples: ArrayLike) -> None:
        """Takes the next piece of the sound.

        samples: (n,) or (n, channels), any n; float of full scale 1, int16, int32 or uint8.

        Raises StreamError after `input_finished` or `close`; NonFiniteAudioError or SettingsError
        for samples that are none, which are then left out: the stream goes on with the next piece.
        """
        try:
            channels = np.asarray(samples)
            sound = to_mono(channels)
        except (TypeError, ValueError) as error:
            if isinstance(error, SettingsError):
                raise
            raise SettingsError(f"samples must be an array of numbers: {error}") from error
        with self._held():
            if self._finished:
                raise StreamError(
                    "the stream has ended and takes no more sound; reset() begins another one"
                    if not self._closed
                    else "the stream is closed; make another one"
                )
            for begin in range(0, len(sound), self._sound.block):
                stop = begin + self._sound.block
                self._count_clipped(channels[begin:stop])
                self._accepted += len(sound[begin:stop])
                self._sound.accept(sound[begin:stop])
                self._advance()

    def input_finished(self) -> None:
        """The sound has ended: makes the last frames, ends the turn. Again does nothing."""
        with self._held():
            if self._finished:
                return
            self._sound.finish()
            self._finished = True
            self._advance()
            if self._turn is not None:
                self._end_turn(self._sound.frames_ready)
            self._changed.notify_all()

    def poll(self) -> list[Event]:
        """Takes the events that are there, oldest first; never waits."""
        with self._held():
            events = list(self._pending)
            self._pending.clear()
            return events

    def events(self, wait: bool = False, timeout: float | None = None) -> Iterator[Event]:
        """Takes one event after the other, oldest first.

        wait: False ends when there is none for now. True waits for more, until the sound ends by
            `input_finished` or `close` in another thread.
        timeout: seconds to wait for each event at most; then the iteration ends. None is for ever.
        """
        while True:
            with self._held():
                deadline = None if timeout is None else monotonic() + timeout
                while wait and not self._pending and not self._finished:
                    left = None if deadline is None else deadline - monotonic()
                    if left is not None and left <= 0.0:
                        break
                    self._changed.wait(left)
                if not self._pending:
                    return
                event = self._pending.popleft()
            yield event

    def reset(self) -> None:
        """Forgets all sound and all events; the next piece begins another sound.

        Raises StreamError after `close`.
        """
        with self._held():
            if self._closed:
                raise StreamError("the stream is closed; make another one")
            self._clear()

    def _held(self) -> threading.Condition:
        """The lock, to be entered. A fork copies it in whatever state another thread left it."""
        if os.getpid() != self._process:
            raise StreamError(
                "the stream was made by another process; make one of its own in this one"
            )
        return self._changed

    def _clear(self) -> None:
        self._sound.clear()
        for buffer in (self._speech, self._power, self._noise, self._clipped):
            buffer.clear()
        self._detector.clear()
        self._last_sample: NDArray[np.float32] | None = None  # (channels,), of full scale 1
        self._turns.clear()
        self._turn: _Turn | None = None
        self._pending.clear()
        self._accepted = 0  # samples
        self._decisions = 0  # that were due, whether made or left out
        self._dropped = 0
        self._finished = False

    def close(self) -> None:
        """Takes no more sound; events that are there can still be taken. Again does nothing."""
        with self._held():
            self._closed = self._finished = True
            self._changed.notify_all()

    def _advance(self) -> None:
        """Works through the frames that are ready, step by step."""
        while True:
            first = self._speech.stop
            stop = first + STEP
            if stop > self._sound.frames_ready:
                stop = self._sound.frames_ready
                if not self._finished or stop <= first:
                    return
            log_mel = self._sound.frames(first, stop)
            activity = self._detector.step(log_mel)
            speech = activity.speech if self._detects else log_mel.max(axis=1) > SILENCE_DB
            for buffer, values in (
                (self._speech, speech),
                (self._power, activity.power),
                (self._noise, activity.noise),
            ):
                buffer.extend(len(values))[:] = values
            for frame, heard in enumerate(speech.tolist(), first):
                self._hear(frame, heard)

    def _count_clipped(self, samples: NDArray[Any]) -> None:
        """Books each clipped sample to the frame whose hop it is in."""
        clipped, self._last_sample = clipped_samples(samples, self._last_sample)
        rate = self._models.front_end.sample_rate
        hop = self._models.front_end.hop_length * self._sample_rate  # in ticks of both rates
        stop = (self._accepted + len(samples) - 1) * rate // hop + 1
        first = self._clipped.stop
        if stop > first:
            self._clipped.extend(stop - first)[:] = 0
        if len(clipped):
            frames = (self._accepted + clipped.astype(np.int64)) * rate // hop
            oldest = int(frames[0])
            np.add.at(self._clipped.rows(oldest, stop), frames - oldest, 1)

    def _hear(self, frame: int, speech: bool) -> None:
        """One frame's verdict: turns begin and end, and now and then a decision is due."""
        changed = self._turns.step(speech)
        if self._turn is not None and speech:
            self._turn.fresh_speech += 1
        if changed and self._turns.speaking and self._turn is None:
            start = self._turns.start
            self._turn = _Turn(start, self._speech_within(start, frame + 1))
            self._tell(TurnStarted(self._seconds(frame + 1), self._seconds(start)))
        elif changed and self._turn is not None and not self._turns.speaking:
            self._end_turn(frame + 1)
        due = int((self._decisions + 1) * self._frames_per_decision + 1e-9)
        if frame + 1 >= due:
            self._decisions += 1
            if self._turn is not None:
                self._settle_evidence(self._turn, frame + 1)
                self._decide_if_worth_it(self._turn, frame + 1)

    def _decide_if_worth_it(self, turn: _Turn, now: int) -> None:
        if turn.fresh_speech < self._fresh_speech:
            return
        start = max(turn.start, now - self._models.front_end.window_frames)
        if self._speech_within(start, now) >= self._least_speech:
            self._decide(turn, now, now)

    def _speech_within(self, start: int, stop: int) -> int:
        return int(self._speech.rows(start, stop).sum())

    def _decide(self, turn: _Turn, stop: int, now: int) -> None:
        """A decision on the window of the turn that ends with frame `stop`."""
        models, question = self._models, self._question
        start = max(turn.start, stop - models.front_end.window_frames)
        log_mel = self._sound.frames(start, stop)
        turn.fresh_speech = 0
        first, end = active_span(log_mel, models.blend.active_span_db)
        judgement = Judgement(models, log_mel[first:end])
        alone = 0.5
        if question.asks_the_gate:
            evidence = judgement.evidence()
            alone = models.gate.posterior(evidence)
            self._gather_evidence(turn, start, stop, evidence)
        manner = judgement.manner()
        if manner is not None:
            turn.manners = manner if turn.manners is None else turn.manners + manner
        alone = question.female(alone)
        so_far = self._female(turn)
        window = self._window(
            start + first,
            start + end,
            alone,
            question.answer(judgement, judgement.emotions(question.weight(alone))),
            judgement.unfamiliar(),
        )
        emotions = judgement.emotions(question.weight(so_far))
        distribution = question.answer(judgement, emotions)
        time = self._seconds(stop)
        change = turn.emotion.update(distribution, time, 0.5 * (window.start + window.end))
        if turn.segment is not None and change is not None:
            self._end_segment(turn, turn.segment, change, now)
        if turn.segment is None:
            begin = self._seconds(turn.start) if change is None else change
            turn.segment = _Segment(begin, turn.emotion.label, len(question.labels))
            emotion = question.labels[turn.emotion.label]
            self._tell(SegmentStarted(self._seconds(now), begin, emotion))
        smoothed = turn.emotion.probabilities
        assert smoothed is not None
        turn.segment.add(smoothed, window)
        turn.decisions += 1
        self._tell(
            Decision(
                time,
                self._seconds(start),
                self._seconds(stop),
                *likelier_gender(so_far),
                question.labels[turn.emotion.label],
                question.probabilities(smoothed),
                bool(smoothed[turn.emotion.label] < models.thresholds.uncertain),
                window.flags,
                window.snr_db,
                window,
            )
        )

    def _window(
        self,
        start: int,
        stop: int,
        female: float,
        distribution: NDArray[np.float64],
        unfamiliar: float,
    ) -> Window:
        return Window(
            self._seconds(start),
            self._seconds(stop),
            *likelier_gender(female),
            self._question.likeliest(distribution),
            self._question.probabilities(distribution),
            bool(distribution.max() < self._models.thresholds.uncertain),
            *self._flags(start, stop, unfamiliar),
        )

    def _flags(
        self, start: int, stop: int, unfamiliar: float
    ) -> tuple[tuple[str, ...], float | None]:
        activity = Activity(
            *(rows.rows(start, stop) for rows in (self._speech, self._power, self._noise))
        )
        seconds = self._models.seconds_per_frame
        # The sound's last frame may stand just behind its last sample.
        clipped = int(self._clipped.rows(start, min(stop, self._clipped.stop)).sum())
        share = clipped / ((stop - start) * seconds * self._sample_rate)
        return flags_of(activity, share, seconds, unfamiliar=unfamiliar)

    def _settle_evidence(self, turn: _Turn, stop: int) -> None:
        """Adds up what the turn says of the gender, each of its frames counted once.

        The turn is cut into windows without overlap: those that are whole give their evidence
        here for good, the last one what it has so far, with each decision.
        """
        length = self._models.front_end.window_frames
        while self._question.asks_the_gate and stop - turn.block > length:
            whole = self._evidence(turn.block, turn.block + length)
            turn.evidence = _sum(turn.evidence, whole)
            turn.block += length

    def _gather_evidence(self, turn: _Turn, start: int, stop: int, of_window: Evidence) -> None:
        self._settle_evidence(turn, stop)
        latest = of_window if turn.block == start else self._evidence(turn.block, stop)
        turn.evidence_so_far = _sum(turn.evidence, latest)

    def _evidence(self, first: int, stop: int) -> Evidence | None:
        if self._speech_within(first, stop) < self._fresh_speech:
            return None  # a pause has no voice, however loud its noise against itself
        log_mel = self._sound.frames(first, stop)
        begin, end = active_span(log_mel, self._models.blend.active_span_db)
        return Judgement(self._models, log_mel[begin:end]).evidence()

    def _female(self, turn: _Turn) -> float:
        heard = turn.evidence_so_far
        posterior = 0.5 if heard is None else self._models.gate.posterior(heard)
        return self._question.female(posterior)

    def _end_segment(self, turn: _Turn, segment: _Segment, end: float, now: int) -> None:
        mean = segment.mean()
        probability = float(mean[segment.label])
        ended = Segment(
            segment.start,
            end,
            *likelier_gender(self._female(turn)),
            self._question.labels[segment.label],
            probability,
            self._question.probabilities(mean),
            probability < self._models.thresholds.uncertain,
            *segment.quality(),
        )
        turn.segments.append(ended)
        turn.segment = None
        self._tell(SegmentEnded(self._seconds(now), ended))

    def _end_turn(self, now: int) -> None:
        turn = self._turn
        assert turn is not None
        stop = self._turns.last + 1
        start = max(turn.start, stop - self._models.front_end.window_frames)
        if turn.segment is None and self._speech_within(start, stop) >= self._least_speech:
            self._decide(turn, stop, now)  # it ended before a decision was due
        end = self._seconds(stop)
        gender: str | None = None
        posterior = 0.5
        if turn.segment is not None:
            self._end_segment(turn, turn.segment, end, now)
            gender, posterior = likelier_gender(self._female(turn))
        manners = [] if turn.manners is None else [turn.manners / turn.decisions]
        ended = Turn(
            self._seconds(turn.start), end, gender, posterior, tuple(turn.segments),
            self._models.manner_of(manners), self._models.name,
        )
        if self._learns and ended.manner:
            self.know((self.voice or Voice()).heard(ended))
        self._tell(TurnEnded(self._seconds(now), ended))
        self._turn = None

    def _seconds(self, frame: int) -> float:
        """Where frames [.., frame) end; no later than the sound, whose last frame sticks out."""
        seconds = frame * self._models.seconds_per_frame
        return min(seconds, self.time) if self._finished else seconds

    def _tell(self, event: Event) -> None:
        if len(self._pending) == PENDING_EVENTS:
            self._dropped += 1
        self._pending.append(event)
        self._changed.notify_all()


class _Turn:
    """What is known of the turn that goes on."""

    def __init__(self, start: int, fresh_speech: int) -> None:
        self.start = start
        self.fresh_speech = fresh_speech  # frames since the last decision
        self.block = start  # first frame whose evidence is not yet in `evidence`
        self.evidence: Evidence | None = None
        self.evidence_so_far: Evidence | None = None
        self.manners: NDArray[np.float64] | None = None  # added up
        self.decisions = 0
        self.emotion = SteadyEmotion()
        self.segment: _Segment | None = None
        self.segments: deque[Segment] = deque(maxlen=SEGMENTS_OF_A_TURN)


class _Segment:
    """What is known of the segment that goes on."""

    def __init__(self, start: float, label: int, labels: int) -> None:
        self.start = start
        self.label = label
        self._sum = np.zeros(labels)
        self._decisions = 0
        self._flagged = dict.fromkeys(FLAGS, 0)  # decisions with each
        self._ratios = 0.0  # dB
        self._with_ratio = 0

    def add(self, probabilities: NDArray[np.float64], window: Window) -> None:
        self._sum += probabilities
        self._decisions += 1
        for flag in window.flags:
            self._flagged[flag] += 1
        if window.snr_db is not None:
            self._ratios += window.snr_db
            self._with_ratio += 1

    def mean(self) -> NDArray[np.float64]:
        """(labels,) mean probabilities of the decisions so far."""
        mean: NDArray[np.float64] = self._sum / self._decisions
        return mean

    def quality(self) -> tuple[tuple[str, ...], float | None]:
        """The flags of half of the decisions or more, and the mean of their SNRs in dB."""
        flags = (flag for flag, count in self._flagged.items() if 2 * count >= self._decisions)
        return tuple(flags), self._ratios / self._with_ratio if self._with_ratio else None


def _sum(one: Evidence | None, other: Evidence | None) -> Evidence | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other


def _seconds(value: Any, name: str, least: float, most: float) -> float:
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not least <= float(value) <= most:  # nor is NaN
        raise SettingsError(
            f"{name}: seconds from {least:g} to {most:g} are wanted, not {value!r}"
        )
    return float(value)
