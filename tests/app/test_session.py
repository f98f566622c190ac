"""A session without any screen: recorder, stream, result."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import edge
from app.recorders import FileRecorder, MicrophoneMissing, Permission, PermissionDenied
from app.recorders.clock import ManualClock
from app.session import Question, Session, SessionState
from app.spectrogram import picture
from tests.app.conftest import write_wav

ROOT = Path(__file__).resolve().parents[2]


def finished(recorder, recognizer, question=None) -> Session:
    session = Session(lambda: recognizer, recorder, question)
    session.start()
    assert session.wait(60)
    return session


def test_the_result_is_the_recognisers_and_the_ribbon_the_streams(recognizer, speech_file):
    session = finished(FileRecorder(speech_file, realtime=False), recognizer)
    expected = recognizer.predict(speech_file)
    timeline = recognizer.timeline(speech_file)
    assert session.state is SessionState.DONE and session.problem is None
    assert session.result.probabilities == pytest.approx(expected.probabilities)
    assert session.result.windows == expected.windows
    assert session.result.flags == expected.flags
    assert session.decisions == len(timeline.decisions)
    ribbon = [(part.start, part.end, part.emotion) for part in session.ribbon.stretches()]
    assert ribbon == [(part.start, part.end, part.emotion) for part in timeline.segments]
    assert session.lost_buffers == 0
    picture = session.recording.picture
    assert picture.shape[0] == 128 and picture.dtype == np.uint8


def test_the_question_reaches_the_recogniser(recognizer, speech_file):
    session = finished(
        FileRecorder(speech_file, realtime=False), recognizer, Question("male", interval=0.25)
    )
    assert session.result.gender == "male" and session.decision.gender == "male"
    assert session.decisions > 4


def test_the_speakers_voice_reaches_the_stream_and_the_judgement(recognizer, speech_file):
    plain = recognizer.predict(speech_file)
    voice = edge.Voice().taught(plain, "sad").taught(plain, "fearful")
    asked = []

    def known() -> edge.Voice:
        asked.append(True)
        return voice

    session = Session(lambda: recognizer, FileRecorder(speech_file, realtime=False), voice=known)
    session.start()
    assert session.wait(60) and len(asked) == 1
    expected = recognizer.predict(speech_file, voice=voice)
    assert session.result.by_voice and session.prediction.voice is session.voice is voice
    assert session.result.probabilities == pytest.approx(expected.probabilities)
    timeline = recognizer.timeline(speech_file, voice=voice)
    ribbon = [(part.start, part.end, part.emotion) for part in session.ribbon.stretches()]
    assert ribbon == [(part.start, part.end, part.emotion) for part in timeline.segments]


def test_a_recording_of_one_sentence_ends_with_its_pause(recognizer, speech, tmp_path):
    hush = np.random.default_rng(5).normal(0.0, 1e-4, 48000)
    said = speech("female", "happy", seconds=2.0)
    click = said[4000:5000]  # is no sentence, and goes by
    clip = write_wav(
        tmp_path / "clip.wav", np.concatenate((hush, click, hush, said, hush, said, hush))
    )
    recorder = FileRecorder(clip, realtime=False)
    session = finished(recorder, recognizer, Question(one_sentence=True))
    assert session.state is SessionState.DONE
    assert 9.0 < session.result.duration < 10.0


def test_a_recording_ends_by_itself_at_its_limit(recognizer, speech_file):
    recorder = FileRecorder(speech_file, realtime=False, repeat=True)
    session = finished(recorder, recognizer, Question(limit=6.0))
    assert session.state is SessionState.DONE
    assert session.result.duration == pytest.approx(6.0, abs=0.06)


def test_a_refused_microphone_is_the_problem(recognizer, speech_file):
    recorder = FileRecorder(speech_file, permission=Permission.DENIED_FOR_EVER)
    session = finished(recorder, recognizer)
    assert session.state is SessionState.FAILED
    assert isinstance(session.problem, PermissionDenied) and session.problem.for_ever


def test_models_that_cannot_be_loaded_are_the_problem(speech_file):
    def broken():
        raise edge.BundleError("female.tflite: altered")

    session = Session(broken, FileRecorder(speech_file, realtime=False))
    session.start()
    assert session.wait(60) and session.state is SessionState.FAILED
    assert isinstance(session.problem, edge.BundleError)


def test_a_mistake_of_the_program_ends_the_session_and_lets_go_of_the_microphone(speech_file):
    recorder = FileRecorder(speech_file, realtime=False)
    session = Session(lambda: None, recorder)
    session.start()
    assert session.wait(60) and session.state is SessionState.FAILED
    assert isinstance(session.problem, AttributeError)


def test_stopping_before_it_began_is_no_result(recognizer, speech_file):
    clock = ManualClock()  # stands still: nothing is ever heard
    session = Session(lambda: recognizer, FileRecorder(speech_file, realtime=clock))
    session.start()
    session.stop()
    assert session.wait(60) and session.state is SessionState.FAILED
    assert "nothing was recorded" in str(session.problem)
    session.stop()
    session.pause()


def test_a_cancelled_session_has_no_result(recognizer, speech_file):
    clock = ManualClock()
    session = Session(lambda: recognizer, FileRecorder(speech_file, realtime=clock))
    session.start()
    session.cancel()
    assert session.wait(60) and session.state is SessionState.CANCELLED
    assert session.result is None and session.recording is None


def test_a_session_leaves_no_thread_behind(recognizer, speech_file):
    before = set(threading.enumerate())
    session = finished(FileRecorder(speech_file, realtime=False), recognizer)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert session.state is SessionState.DONE
    assert set(threading.enumerate()) <= before


def test_no_sound_is_lost_while_the_screens_thread_is_busy(recognizer, speech_file):
    """More sound than a recorder holds for a late reader, while this thread never lets up.

    It comes three times as fast as it is spoken.
    """
    clock = ManualClock()
    recorder = FileRecorder(speech_file, realtime=clock, repeat=True)
    session = Session(lambda: recognizer, recorder)
    session.start()
    steps = 600  # of 50 ms: 30 s, where 10 s may wait
    while session.level is None:
        pass
    for _ in range(steps):
        clock.advance(0.05)
        end = time.thread_time() + 0.015
        while time.thread_time() < end:
            pass
    while session.time < steps * 0.05 - 0.051:
        pass
    session.stop()
    assert session.wait(60)
    assert session.lost_buffers == 0 and session.result.lost_buffers == 0
    assert session.result.duration == pytest.approx(steps * 0.05, abs=0.11)


def test_a_missing_microphone_is_told_as_such(recognizer):
    class Missing(FileRecorder):
        def _prepare(self) -> int:
            raise MicrophoneMissing("none here")

    session = finished(Missing("nowhere.wav"), recognizer)
    assert isinstance(session.problem, MicrophoneMissing)


def test_a_recording_at_another_rate_is_recognised(recognizer, tmp_path, speech):
    samples = speech("male", "sad", seconds=2.0, sample_rate=48000)
    path = write_wav(tmp_path / "fast.wav", samples, 48000)
    session = finished(FileRecorder(path, realtime=False), recognizer)
    assert session.result.duration == pytest.approx(2.0, abs=0.001)


def test_the_picture_is_brightest_where_the_sound_is(tmp_path):
    from app.sound import Sound

    moment = np.arange(16000) / 16000
    tone = np.where(moment < 0.5, np.sin(2 * np.pi * 3000 * moment), 0.0)
    shown = picture(Sound((20000 * tone).astype(np.int16), 16000)).astype(int).sum(axis=2)
    band, frame = np.unravel_index(shown.argmax(), shown.shape)
    assert frame < shown.shape[1] / 2
    assert 60 < band < 100  # 3 kHz lies there among 128 Slaney bands up to 8 kHz
    assert shown[:, -5:].max() < 100


def test_the_session_knows_nothing_of_the_screen():
    program = "import sys, app.session, app.history, app.export, app.benchmark; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not [name for name in done.stdout.split() if name.split(".")[0] == "kivy"]
