from __future__ import annotations

import dataclasses
import gc
import pickle
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio import to_mono_16k
from edge.errors import AudioError, EdgeError, NonFiniteAudioError, SettingsError, StreamError
from edge.events import Decision, SegmentEnded, SegmentStarted, TurnEnded, TurnStarted
from edge.features import EmotionFeatures, FrontEnd, LogMel
from edge.incremental import IncrementalLogMel
from edge.labels import LABELS
from edge.recognizer import Recognizer
from edge.sliding import SlidingBuffer
from tests.edge.fakes import FixedExpert, FixedGate, LevelGate, LinearExpert
from tests.synthetic_speech import synthesise

RATES = (8000, 11025, 16000, 22050, 44100, 48000)


def recognizer_of(gate=None, experts=None, **parts) -> Recognizer:
    return Recognizer.from_parts(
        front_end=FrontEnd(),
        emotion_features=EmotionFeatures(),
        gate=gate or LevelGate(),
        experts=experts or {"female": LinearExpert(1), "male": LinearExpert(2)},
        **parts,
    )


def conversation(rate: int = 16000, seed: int = 0) -> np.ndarray:
    """Two speakers with a long pause between them, and a short one within the second's turn."""
    hush = np.random.default_rng(seed).normal(size=3 * rate).astype(np.float32) * np.float32(1e-4)
    return np.concatenate(
        [
            hush[: rate // 2],
            synthesise("male", "angry", seconds=3.7, sample_rate=rate, take=seed),
            np.zeros(3 * rate // 2, np.float32),
            synthesise("female", "sad", seconds=1.6, sample_rate=rate, take=seed),
            hush[: rate // 4],
            synthesise("female", "happy", seconds=2.1, sample_rate=rate, take=seed),
            hush[: rate // 3],
        ]
    )


def events_of(stream, pieces) -> list:
    with stream:
        for piece in pieces:
            stream.accept_waveform(piece)
    return stream.poll()


def of_kind(kind, events) -> list:
    return [event for event in events if isinstance(event, kind)]


def cut(samples: np.ndarray, sizes) -> list[np.ndarray]:
    """Pieces of these sizes, over and over until the sound is used up."""
    pieces, begin, turn = [], 0, 0
    while begin < len(samples):
        size = sizes[turn % len(sizes)]
        pieces.append(samples[begin : begin + size])
        begin += size
        turn += 1
    return pieces


@given(
    rate=st.sampled_from(RATES),
    sizes=st.lists(st.integers(1, 30000), min_size=1, max_size=12).filter(lambda s: max(s) > 200),
    seed=st.integers(0, 3),
)
@settings(max_examples=12, deadline=None)
def test_the_log_mel_is_that_of_the_whole_sound_however_it_is_cut(rate, sizes, seed):
    samples = conversation(rate, seed)[: 2 * rate + 1234 * (seed % 2)]
    whole = LogMel()(to_mono_16k(samples, rate))
    incremental = IncrementalLogMel(LogMel(), rate, keep_frames=len(whole))
    for piece in cut(samples, sizes):
        for block in cut(piece, [incremental.block]):
            incremental.accept(block)
    incremental.finish()
    assert incremental.frames_ready == len(whole)
    np.testing.assert_array_equal(incremental.frames(0, len(whole)), whole)


@given(
    rate=st.sampled_from(RATES),
    sizes=st.lists(st.integers(1, 40000), min_size=1, max_size=9).filter(lambda s: max(s) > 500),
    seed=st.integers(0, 2),
)
@settings(max_examples=12, deadline=None)
def test_the_events_are_bit_equal_however_the_sound_is_cut(rate, sizes, seed):
    samples = conversation(rate, seed)
    recognizer = recognizer_of()
    whole = events_of(recognizer.stream(rate), [samples])
    assert events_of(recognizer.stream(rate), cut(samples, sizes)) == whole
    assert len(of_kind(Decision, whole)) > 5


@given(
    rate=st.sampled_from(RATES),
    sizes=st.lists(st.integers(1, 20000), min_size=1, max_size=9).filter(lambda s: max(s) > 500),
    gain=st.sampled_from([0.002, 6.0, 30.0]),
    noise=st.sampled_from([0.0, 0.02, 0.1]),
)
@settings(max_examples=12, deadline=None)
def test_bad_sound_is_flagged_the_same_however_it_is_cut(rate, sizes, gain, noise):
    sound = gain * conversation(rate)
    hiss = np.random.default_rng(1).normal(size=len(sound)) * noise
    stereo = np.stack([np.clip(sound + hiss, -1, 1), 0.5 * sound.clip(-1, 1)], axis=1)
    integers = np.round(32767 * stereo).astype(np.int16)
    recognizer = recognizer_of()
    whole = events_of(recognizer.stream(rate), [integers])
    assert events_of(recognizer.stream(rate), cut(integers, sizes)) == whole
    flags = {flag for decision in of_kind(Decision, whole) for flag in decision.flags}
    assert noise or {0.002: "too_quiet", 6.0: "clipped", 30.0: "clipped"}[gain] in flags


def test_a_sample_at_a_time_gives_the_same_events():
    samples = conversation()[:26000]
    recognizer = recognizer_of()
    assert events_of(recognizer.stream(), cut(samples, [1])) == events_of(
        recognizer.stream(), [samples]
    )


def test_a_decisions_window_is_what_the_recogniser_says_of_the_same_frames():
    samples = conversation(44100)
    log_mel = LogMel()(to_mono_16k(samples, 44100))
    for gate in (LevelGate(), FixedGate(0.99), FixedGate(0.3)):
        recognizer = recognizer_of(gate)
        decisions = of_kind(Decision, events_of(recognizer.stream(44100), [samples]))
        assert len(decisions) > 8
        for decision in decisions:
            first, stop = (round(t * 62.5) for t in (decision.start, decision.end))
            (alone,) = recognizer.predict_log_mel(log_mel[first:stop].copy()).windows
            window = decision.window
            assert window.probabilities == alone.probabilities
            assert window.emotion == alone.emotion
            assert (window.gender, window.gender_posterior) == (
                alone.gender,
                alone.gender_posterior,
            )
            assert window.start == pytest.approx(decision.start + alone.start)


def test_decisions_come_every_interval_over_the_last_three_seconds():
    samples = synthesise("male", "neutral", seconds=8.0)
    for interval in (0.25, 0.5, 1.0):
        stream = recognizer_of().stream(interval=interval)
        decisions = of_kind(Decision, events_of(stream, [samples]))
        times = [decision.time for decision in decisions]
        due = interval * np.round(np.array(times) / interval)
        assert np.all((due - times >= 0) & (due - times < 0.016))
        assert np.all(np.diff(due) == interval)
        assert all(decision.end == decision.time for decision in decisions)
        assert all(decision.end - decision.start < 3.009 for decision in decisions)
        assert decisions[-1].end - decisions[-1].start == pytest.approx(188 * 0.016)


def test_turns_and_segments_open_and_close_in_order():
    events = events_of(recognizer_of().stream(), [conversation()])
    speaking = sounding = False
    time = 0.0
    for event in events:
        assert event.time >= time
        time = event.time
        if isinstance(event, TurnStarted):
            assert not speaking
            speaking, start = True, event.start
        elif isinstance(event, SegmentStarted):
            assert speaking and not sounding
            sounding = True
            assert event.start >= start
        elif isinstance(event, Decision):
            assert speaking and sounding
            assert event.start >= start
        elif isinstance(event, SegmentEnded):
            assert sounding
            sounding = False
            assert event.segment.start < event.segment.end
        else:
            assert isinstance(event, TurnEnded) and speaking and not sounding
            speaking = False
            assert event.turn.start == start and event.turn.end <= event.time
            bounds = [bound for s in event.turn.segments for bound in (s.start, s.end)]
            assert bounds[0] == start and bounds[-1] == event.turn.end
            assert bounds[1:-1:2] == bounds[2::2]
    assert not speaking
    assert len(of_kind(TurnEnded, events)) == 2


def test_a_known_gender_is_reported_and_asks_its_expert_alone():
    gate = FixedGate(0.5)
    experts = {"female": FixedExpert(np.arange(8)), "male": FixedExpert(-np.arange(8))}
    stream = recognizer_of(gate, experts).stream(gender="male")
    decisions = of_kind(Decision, events_of(stream, [conversation()]))
    assert {(d.gender, d.gender_posterior) for d in decisions} == {("male", 1.0)}
    assert {d.emotion for d in decisions} == {"neutral"}
    assert experts["female"].calls == gate.calls == 0


def test_both_weighs_the_experts_equally_and_still_reports_the_gate():
    experts = {"female": FixedExpert(np.arange(8)), "male": FixedExpert(-np.arange(8))}
    stream = recognizer_of(FixedGate(0.99), experts).stream(gender="both")
    decisions = of_kind(Decision, events_of(stream, [conversation()]))
    assert {d.gender for d in decisions} == {"female"}
    for decision in decisions:
        probabilities = list(decision.probabilities.values())
        np.testing.assert_allclose(probabilities, probabilities[::-1])


def test_a_label_subset_is_renormalised():
    stream = recognizer_of().stream(labels=["sad", "happy"])
    for decision in of_kind(Decision, events_of(stream, [conversation()])):
        assert list(decision.probabilities) == ["happy", "sad"]
        assert sum(decision.probabilities.values()) == pytest.approx(1.0)
        assert decision.emotion in ("happy", "sad")


def test_reset_gives_bit_equal_reruns():
    samples = conversation(22050)
    stream = recognizer_of().stream(22050)
    first, again = [], []
    for events in (first, again):
        for piece in cut(samples, [1000]):
            stream.accept_waveform(piece)
        stream.input_finished()
        events += stream.poll()
        stream.reset()
    assert first == again and first
    stream.accept_waveform(samples[: len(samples) // 2])  # nor does half a turn leave a trace
    stream.reset()
    assert stream.poll() == [] and not stream.speaking and stream.time == 0
    stream.accept_waveform(samples)
    stream.input_finished()
    assert stream.poll() == first


def test_integers_and_channels_give_what_their_mean_gives():
    mono = np.round(conversation() * 32000).astype(np.int16)
    recognizer = recognizer_of()
    expected = events_of(recognizer.stream(), [mono])
    assert events_of(recognizer.stream(), [mono / np.float32(32768)]) == expected
    stereo = np.stack([mono, mono], axis=1)
    assert events_of(recognizer.stream(), cut(stereo, [777])) == expected


@pytest.mark.parametrize(
    ("piece", "error"),
    [
        (np.array([0.0, np.nan], np.float32), NonFiniteAudioError),
        (np.array([[0.1, np.inf]]), NonFiniteAudioError),
        (np.zeros((2, 2, 2), np.float32), SettingsError),
        (np.zeros(4, np.int64), SettingsError),
        (np.array(["sound"]), SettingsError),
        ([[1.0], [1.0, 2.0]], SettingsError),
        (None, SettingsError),
        (3.0, SettingsError),
    ],
)
def test_a_bad_piece_is_refused_and_the_stream_goes_on(piece, error):
    samples = conversation()
    recognizer = recognizer_of()
    stream = recognizer.stream()
    stream.accept_waveform(samples[:20000])
    with pytest.raises(error):
        stream.accept_waveform(piece)
    stream.accept_waveform(samples[20000:])
    stream.input_finished()
    assert stream.poll() == events_of(recognizer.stream(), [samples])


def test_an_empty_piece_changes_nothing():
    samples = conversation()
    stream = recognizer_of().stream()
    for piece in (samples[:0], np.zeros((0, 2), np.int16), samples, []):
        stream.accept_waveform(piece)
    stream.input_finished()
    assert stream.poll() == events_of(recognizer_of().stream(), [samples])


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(100), np.zeros(90000)])
def test_silence_gives_no_events(samples):
    assert events_of(recognizer_of().stream(), [samples]) == []


def test_nothing_is_taken_after_the_end():
    stream = recognizer_of().stream()
    stream.input_finished()
    stream.input_finished()
    with pytest.raises(StreamError, match="reset"):
        stream.accept_waveform(np.zeros(10, np.float32))
    stream.reset()
    stream.accept_waveform(np.zeros(10, np.float32))
    stream.close()
    stream.close()
    for use in (lambda: stream.accept_waveform(np.zeros(10, np.float32)), stream.reset):
        with pytest.raises(StreamError, match="closed"):
            use()
    assert issubclass(StreamError, EdgeError)


def test_leaving_the_context_finishes_the_input_but_not_after_an_error():
    samples = synthesise("female", "happy", seconds=2.0)
    with recognizer_of().stream() as stream:
        stream.accept_waveform(samples)
        before = stream.poll()
    assert not of_kind(TurnEnded, before) and of_kind(TurnEnded, stream.poll())
    stream = recognizer_of().stream()
    with pytest.raises(NonFiniteAudioError), stream:
        stream.accept_waveform(np.append(samples, np.float32("nan")))
    assert stream.finished and stream.poll() == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"sample_rate": 7999}, AudioError),
        ({"sample_rate": 200000}, AudioError),
        ({"sample_rate": "16000"}, SettingsError),
        ({"interval": 0.01}, SettingsError),
        ({"interval": 3.1}, SettingsError),
        ({"interval": float("nan")}, SettingsError),
        ({"interval": None}, SettingsError),
        ({"pause": 0.0}, SettingsError),
        ({"gender": "unknown"}, SettingsError),
        ({"labels": []}, SettingsError),
        ({"labels": ["bored"]}, SettingsError),
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments, error):
    with pytest.raises(error):
        recognizer_of().stream(**arguments)


def test_events_without_waiting_end_with_those_that_are_there():
    samples = conversation()
    recognizer = recognizer_of()
    stream = recognizer.stream()
    assert list(stream.events()) == []
    taken = []
    for piece in cut(samples, [8000]):
        stream.accept_waveform(piece)
        taken += stream.events()
    stream.input_finished()
    taken += stream.events()
    assert taken == events_of(recognizer.stream(), [samples])


def test_another_thread_can_wait_for_the_events():
    samples = conversation()
    stream = recognizer_of().stream()
    taken = []
    listener = threading.Thread(target=lambda: taken.extend(stream.events(wait=True)))
    listener.start()
    for piece in cut(samples, [1600]):
        stream.accept_waveform(piece)
    stream.input_finished()
    listener.join()
    assert taken == events_of(recognizer_of().stream(), [samples])
    assert list(recognizer_of().stream().events(wait=True, timeout=0.0)) == []


def test_events_that_nobody_takes_are_dropped_oldest_first_and_counted(monkeypatch):
    import edge.stream

    samples = conversation()
    everything = events_of(recognizer_of().stream(), [samples])
    monkeypatch.setattr(edge.stream, "PENDING_EVENTS", 5)
    stream = recognizer_of().stream()
    assert events_of(stream, [samples]) == everything[-5:]
    assert stream.dropped_events == len(everything) - 5


def test_events_survive_json_and_pickle():
    import json

    events = events_of(recognizer_of().stream(), [conversation()])
    assert pickle.loads(pickle.dumps(events)) == events
    kinds = {json.loads(json.dumps(event.to_dict(), allow_nan=False))["kind"] for event in events}
    assert kinds == {"turn_started", "segment_started", "decision", "segment_ended", "turn_ended"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        events[0].time = 0.0


def test_a_stream_says_that_it_cannot_be_pickled():
    with pytest.raises(TypeError, match="pickle its Recognizer"):
        pickle.dumps(recognizer_of().stream())


@pytest.mark.alone
def test_thirty_two_streams_in_threads_get_what_they_get_alone():
    recognizer = recognizer_of()
    sounds = [conversation((16000, 44100)[n % 2], n % 4)[: 60000 + 500 * n] for n in range(32)]
    rates = [(16000, 44100)[n % 2] for n in range(32)]
    alone = {}
    for n in range(8):
        alone[n] = events_of(recognizer.stream(rates[n]), [sounds[n]])
    streams = [recognizer.stream(rate) for rate in rates]
    together: dict[int, list] = {}

    def listen(n: int) -> None:
        together[n] = events_of(streams[n], cut(sounds[n], [1024 + 37 * n]))

    threads = [threading.Thread(target=listen, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(8, 32):
        alone[n] = events_of(recognizer.stream(rates[n]), [sounds[n]])
    assert together == alone
    assert all(of_kind(Decision, events) for events in alone.values())


def test_memory_does_not_grow_with_the_sound():
    recognizer = recognizer_of()
    minute = np.concatenate([conversation(seed=seed) for seed in range(6)])
    stream = recognizer.stream()
    bytes_of_buffers = stream.nbytes

    def hear(times: int) -> int:
        for _ in range(times):
            for piece in cut(minute, [4000]):
                stream.accept_waveform(piece)
                stream.poll()
        gc.collect()  # numpy's means leave context variables behind
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        settled = hear(1)
        assert hear(3) - settled < 20000
    finally:
        tracemalloc.stop()
    assert stream.nbytes == bytes_of_buffers < 1_000_000


def test_a_piece_costs_the_frames_that_it_completes(monkeypatch):
    made = []
    frames_into = LogMel.frames_into

    def counted(self, samples, start, out):
        made.append(len(out))
        frames_into(self, samples, start, out)

    monkeypatch.setattr(LogMel, "frames_into", counted)
    samples = conversation(48000)
    experts = {"female": FixedExpert(np.arange(8)), "male": FixedExpert(np.arange(8))}
    stream = recognizer_of(FixedGate(0.7), experts).stream(48000)
    for piece in cut(samples, [777, 48000, 10]):
        before = sum(made)
        stream.accept_waveform(piece)
        assert sum(made) - before <= len(piece) / 768 + 2
    stream.input_finished()
    frames = 1 + -(-len(samples) // 3) // 256
    assert sum(made) == pytest.approx(frames, abs=1)
    decisions = len(of_kind(Decision, stream.poll()))
    assert experts["female"].calls == experts["male"].calls == decisions > 10


def test_one_large_piece_needs_no_more_memory_than_its_own():
    stream = recognizer_of().stream(48000)
    sound = np.tile(conversation(48000), 6)  # about a minute
    tracemalloc.start()
    try:
        stream.accept_waveform(sound)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * sound.nbytes  # its check for NaN, and no log-mel of it all


def test_a_timeline_is_what_a_stream_tells_of_the_recording():
    samples = conversation(48000)
    recognizer = recognizer_of()
    seconds = []
    timeline = recognizer.timeline(samples, 48000, progress=seconds.append)
    events = events_of(recognizer.stream(48000), [samples])
    assert list(timeline.decisions) == of_kind(Decision, events)
    assert [turn.segments for turn in timeline.turns] == [
        event.turn.segments for event in of_kind(TurnEnded, events)
    ]
    assert timeline.segments == tuple(
        event.segment for event in of_kind(SegmentEnded, events)
    )
    assert timeline.duration == len(samples) / 48000
    assert seconds == sorted(seconds) and seconds[-1] == pytest.approx(timeline.duration, abs=1e-4)


def test_evidence_of_a_turn_counts_every_frame_once():
    class Counting(LevelGate):
        def __init__(self):
            self.asked = []

        def posterior(self, evidence):
            self.asked.append(evidence.voiced_frames)
            return super().posterior(evidence)

    gate = Counting()
    samples = synthesise("male", "neutral", seconds=11.0)
    decisions = of_kind(Decision, events_of(recognizer_of(gate).stream(), [samples]))
    frames = round(decisions[-1].end * 62.5)
    # The gate here calls every frame voiced, and the turn's frames are all of the sound's.
    assert frames - 5 <= max(gate.asked) <= frames


def test_the_gender_of_a_turn_is_forgotten_in_a_long_pause():
    male = synthesise("male", "neutral", seconds=4.0)
    female = synthesise("female", "neutral", seconds=4.0)
    sound = np.concatenate([male, np.zeros(24000, np.float32), female])
    events = events_of(recognizer_of().stream(), [sound])
    second = [decision for decision in of_kind(Decision, events) if decision.start > 5]
    for decision in second:
        if decision.start == second[0].start:  # the window is all that was said
            assert decision.gender_posterior == decision.window.gender_posterior
    assert second[-1].gender_posterior != second[-1].window.gender_posterior


def test_a_sliding_buffer_keeps_the_last_rows_under_their_numbers():
    buffer = SlidingBuffer(keep=10, most=7, row=(2,))
    rng = np.random.default_rng(0)
    everything = np.zeros((0, 2), np.float32)
    for count in rng.integers(0, 8, size=200):
        rows = rng.normal(size=(count, 2)).astype(np.float32)
        buffer.extend(count)[:] = rows
        everything = np.concatenate([everything, rows])
        assert buffer.stop == len(everything)
        first = max(0, buffer.stop - 10)
        np.testing.assert_array_equal(buffer.rows(first, buffer.stop), everything[first:])


def test_labels_keep_their_order():
    stream = recognizer_of().stream()
    for decision in of_kind(Decision, events_of(stream, [conversation()])):
        assert tuple(decision.probabilities) == LABELS
        assert sum(decision.probabilities.values()) == pytest.approx(1.0)
