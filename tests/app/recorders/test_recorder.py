"""What every recorder has of its base class, on one without any sound."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.recorders import (
    MicrophoneBusy,
    MicrophoneLost,
    Permission,
    Recorder,
    RecorderError,
    RecorderState,
    WrongState,
)
from app.recorders import errors as module

CLOSED, OPEN = RecorderState.CLOSED, RecorderState.OPEN
PAUSED, FAILED = RecorderState.PAUSED, RecorderState.FAILED


class Scripted(Recorder):
    """Raises what it is given at each step, and keeps the steps."""

    def __init__(self, **errors: Exception) -> None:
        self.states: list[RecorderState] = []
        super().__init__(self.states.append)
        self.errors = errors
        self.steps: list[str] = []

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name in self.errors:
            raise self.errors[name]

    def _prepare(self) -> int:
        self._step("prepare")
        return 8000

    def _start(self, queue) -> None:
        self.queue = queue
        self._step("start")

    def _pause(self) -> None:
        self._step("pause")

    def _resume(self) -> None:
        self._step("resume")

    def _stop(self) -> None:
        self._step("stop")


def test_it_lets_go_of_everything_at_the_end_of_with():
    with Scripted() as recorder:
        assert recorder.state is OPEN
        recorder.queue.put(np.zeros(5, np.int16))
    assert recorder.states == [OPEN, CLOSED]
    assert recorder.steps[-1] == "stop"
    assert [len(chunk) for chunk in recorder.chunks()] == [5]
    assert recorder.sample_rate == 8000


@pytest.mark.parametrize("step", ["prepare", "start"])
def test_what_cannot_be_opened_is_let_go_of_and_can_be_tried_again(step):
    recorder = Scripted(**{step: MicrophoneBusy("held")})
    with pytest.raises(MicrophoneBusy):
        recorder.open()
    assert recorder.state is FAILED and str(recorder.error) == "held"
    assert recorder.steps[-1] == "stop"
    recorder.errors = {}
    recorder.open()
    assert recorder.state is OPEN and recorder.error is None


@pytest.mark.parametrize("step", ["prepare", "start"])
def test_even_a_mistake_of_the_program_leaves_nothing_open(step):
    recorder = Scripted(**{step: ZeroDivisionError()})
    with pytest.raises(ZeroDivisionError):
        recorder.open()
    assert recorder.state is CLOSED
    assert recorder.steps[-1] == "stop"


def test_resuming_that_is_refused_for_now_leaves_it_paused():
    recorder = Scripted(resume=MicrophoneBusy("a call"))
    recorder.open()
    recorder.pause()
    with pytest.raises(MicrophoneBusy):
        recorder.resume()
    assert recorder.state is PAUSED
    recorder.errors = {}
    recorder.resume()
    assert recorder.states == [OPEN, PAUSED, OPEN]


def test_resuming_that_fails_ends_the_recording():
    recorder = Scripted(resume=MicrophoneLost("gone"))
    recorder.open()
    recorder.pause()
    with pytest.raises(MicrophoneLost):
        recorder.resume()
    assert recorder.state is FAILED
    with pytest.raises(MicrophoneLost, match="gone"):
        next(recorder.chunks())


def test_an_interruption_ends_by_itself_but_a_pause_in_it_does_not():
    recorder = Scripted()
    recorder.open()
    recorder._interruption_began()
    assert recorder.state is PAUSED and recorder.interrupted
    recorder._interruption_ended()
    assert recorder.state is OPEN and not recorder.interrupted
    recorder._interruption_began()
    recorder.pause()
    assert not recorder.interrupted
    recorder._interruption_ended()
    assert recorder.state is PAUSED
    assert recorder.states == [OPEN, PAUSED, OPEN, PAUSED]


def test_an_interruption_of_a_pause_or_after_the_end_changes_nothing():
    recorder = Scripted()
    recorder.open()
    recorder.pause()
    recorder._interruption_began()
    assert not recorder.interrupted
    recorder.close()
    recorder._interruption_began()
    assert recorder.states == [OPEN, PAUSED, CLOSED]


def test_the_end_of_an_older_recording_does_not_touch_the_newer():
    recorder = Scripted()
    recorder.open()
    old = recorder.queue
    recorder.close()
    recorder.open()
    recorder._over(old, MicrophoneLost("late"))
    assert recorder.state is OPEN and recorder.error is None


def test_a_thread_that_fails_never_waits_for_one_that_closes():
    recorder = Scripted()
    recorder.open()
    failing = threading.Thread(target=recorder._over, args=(recorder.queue, MicrophoneLost("gone")))
    with recorder._lifecycle:  # as in `close`, which waits for the recording thread
        failing.start()
        failing.join()
    assert recorder.state is FAILED


def test_before_it_is_open_there_is_nothing_to_read():
    recorder = Scripted()
    with pytest.raises(WrongState):
        recorder.chunks()
    with pytest.raises(WrongState):
        _ = recorder.sample_rate
    assert recorder.overruns == 0 and recorder.level is None and recorder.error is None


def test_without_a_question_to_ask_permission_is_granted():
    answers = []
    Scripted().request_permission(answers.append)
    assert answers == [Permission.GRANTED]


def test_every_error_is_of_one_family():
    kinds = [each for each in vars(module).values() if isinstance(each, type)]
    assert len(kinds) == 8
    assert all(issubclass(each, RecorderError) for each in kinds)
    assert all(each.__doc__ for each in kinds)
