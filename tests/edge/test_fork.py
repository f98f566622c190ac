"""What a forked process can do with the recogniser and the streams of its parent."""

from __future__ import annotations

import dataclasses
import os
import pickle
import signal
import threading

import numpy as np
import pytest

from edge.emotion import NativeExpert, TFLiteExpert
from edge.errors import StreamError
from edge.features import EmotionFeatures, FrontEnd
from edge.recognizer import Recognizer
from tests.edge.fakes import LevelGate
from tests.synthetic_speech import synthesise

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def in_a_fork(work):
    """What `work` returns in a forked process; fails when it has not returned within 30 s."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(30)  # a lock that nobody releases would be waited for in vain
            os.write(writing, pickle.dumps(work()))
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "the forked process failed, or waited for ever"
    return pickle.loads(answer)


def judged(recognizer, samples):
    return dataclasses.replace(recognizer.predict(samples, 16000), timings={})


def told(recognizer, samples):
    with recognizer.stream() as stream:
        stream.accept_waveform(samples)
    return stream.poll()


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return synthesise("female", "happy", seconds=2.0)


def test_a_fork_judges_as_its_parent_does(tiny_bundle, samples):
    recognizer = Recognizer(tiny_bundle)
    expected = judged(recognizer, samples), told(recognizer, samples)
    assert in_a_fork(lambda: (judged(recognizer, samples), told(recognizer, samples))) == expected
    assert (judged(recognizer, samples), told(recognizer, samples)) == expected


def test_a_fork_of_a_fork_judges_too(tiny_bundle, samples):
    recognizer = Recognizer(tiny_bundle)
    expected = judged(recognizer, samples)
    assert in_a_fork(lambda: in_a_fork(lambda: judged(recognizer, samples))) == expected


@pytest.mark.parametrize("kind", [NativeExpert, TFLiteExpert])
def test_a_fork_does_not_wait_for_the_threads_of_its_parent(tiny_models, samples, kind):
    experts = {gender: kind(model.int8) for gender, model in tiny_models.items()}
    recognizer = Recognizer.from_parts(
        front_end=FrontEnd(), emotion_features=EmotionFeatures(), gate=LevelGate(), experts=experts
    )
    expected = judged(recognizer, samples)
    inside, leave = threading.Event(), threading.Event()

    def be_in_the_middle() -> None:
        with experts["female"]._lock, experts["male"]._lock:  # as any thread that judges just then
            inside.set()
            leave.wait()

    thread = threading.Thread(target=be_in_the_middle)
    thread.start()
    inside.wait()
    try:
        assert in_a_fork(lambda: judged(recognizer, samples)) == expected
    finally:
        leave.set()
        thread.join()


def test_a_stream_of_the_parent_is_refused_not_waited_for(tiny_bundle, samples):
    stream = Recognizer(tiny_bundle).stream()
    stream.accept_waveform(samples[:20000])

    def use() -> list[str]:
        reasons = []
        for call in (
            lambda: stream.accept_waveform(samples),
            stream.poll,
            lambda: list(stream.events(wait=True)),
            stream.input_finished,
            stream.reset,
            stream.close,
        ):
            try:
                call()
            except StreamError as error:
                reasons.append(str(error))
        with stream:
            pass
        return reasons

    with stream._changed:  # as a thread of the parent that feeds it just then
        reasons = in_a_fork(use)
    assert len(reasons) == 6 and all("another process" in reason for reason in reasons)
    stream.accept_waveform(samples[20000:])
    stream.input_finished()
    assert stream.poll() == told(Recognizer(tiny_bundle), samples)
