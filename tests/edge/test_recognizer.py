from __future__ import annotations

import dataclasses
import json
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.bundle import Bundle
from edge.errors import (
    EdgeError,
    EmptyAudioError,
    NonFiniteAudioError,
    SettingsError,
    SilentAudioError,
    TooLongAudioError,
)
from edge.features import EmotionFeatures, FrontEnd, LogMel, relative_db
from edge.labels import LABELS
from edge.recognizer import Recognizer
from tests.edge.fakes import FixedExpert, FixedGate, LevelGate, LinearExpert

FEMALE_LOGITS = (0.5, -1.0, 2.0, 0.0, 1.5, -0.5, 0.25, -2.0)
MALE_LOGITS = (-0.5, 1.0, -2.0, 3.0, 0.5, 0.5, -0.25, 1.0)


def recognizer_of(gate=None, experts=None, **settings) -> Recognizer:
    return Recognizer.from_parts(
        front_end=FrontEnd(),
        emotion_features=EmotionFeatures(),
        gate=gate or LevelGate(),
        experts=experts or {"female": LinearExpert(1), "male": LinearExpert(2)},
        **settings,
    )


def fixed_experts() -> dict[str, FixedExpert]:
    return {"female": FixedExpert(FEMALE_LOGITS), "male": FixedExpert(MALE_LOGITS)}


def random_log_mel(frames: int, seed: int = 0) -> np.ndarray:
    """Whole decibels, so that a shift of the level is exact in float32."""
    return np.random.default_rng(seed).integers(-75, 1, size=(frames, 128)).astype(np.float32)


def softmax_by_hand(logits, temperature: float) -> np.ndarray:
    powers = np.array([np.e ** (logit / temperature) for logit in logits])
    return powers / powers.sum()


def without_timings(prediction):
    return dataclasses.replace(prediction, timings={})


@pytest.mark.parametrize("female", [0.0, 0.03, 0.3, 0.5, 0.7, 0.979])
def test_the_gates_posterior_weighs_the_two_experts(female):
    recognizer = recognizer_of(
        FixedGate(female), fixed_experts(), temperatures={"female": 2.0, "male": 0.5}, certain=1.0
    )
    prediction = recognizer.predict_log_mel(random_log_mel(100))
    of_female, of_male = softmax_by_hand(FEMALE_LOGITS, 2.0), softmax_by_hand(MALE_LOGITS, 0.5)
    np.testing.assert_allclose(
        list(prediction.probabilities.values()),
        [female * f + (1 - female) * m for f, m in zip(of_female, of_male)],
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("female", "calls"),
    [
        *((1.0, (1, 0)), (0.98, (1, 0)), (0.9799, (1, 1))),
        *((0.0201, (1, 1)), (0.02, (0, 1)), (0.0, (0, 1))),
    ],
)
def test_only_one_expert_runs_from_the_certainty_threshold_on(female, calls):
    experts = fixed_experts()
    prediction = recognizer_of(FixedGate(female), experts).predict_log_mel(random_log_mel(100))
    assert (experts["female"].calls, experts["male"].calls) == calls
    if calls != (1, 1):
        logits = FEMALE_LOGITS if calls[0] else MALE_LOGITS
        np.testing.assert_allclose(
            list(prediction.probabilities.values()), softmax_by_hand(logits, 1.0), rtol=1e-12
        )


@pytest.mark.parametrize(
    ("gender", "calls", "logits"),
    [("female", (1, 0), FEMALE_LOGITS), ("male", (0, 1), MALE_LOGITS)],
)
def test_a_known_gender_asks_its_expert_alone_and_not_the_gate(gender, calls, logits):
    gate, experts = FixedGate(0.5), fixed_experts()
    prediction = recognizer_of(gate, experts).predict_log_mel(random_log_mel(100), gender=gender)
    assert (prediction.gender, prediction.gender_posterior) == (gender, 1.0)
    assert (experts["female"].calls, experts["male"].calls, gate.calls) == (*calls, 0)
    np.testing.assert_allclose(
        list(prediction.probabilities.values()), softmax_by_hand(logits, 1.0), rtol=1e-12
    )


@pytest.mark.parametrize("most", [0.5, 0.7, 0.99])
@pytest.mark.parametrize(("female", "certain"), [(0.0, 0.0), (0.3, 0.3), (0.99, 1.0)])
def test_the_other_expert_keeps_its_say_where_the_bundle_wants_it(female, certain, most):
    recognizer = recognizer_of(FixedGate(female), fixed_experts(), most=most)
    weight = certain * most + (1 - certain) * (1 - most)
    expected = weight * softmax_by_hand(FEMALE_LOGITS, 1.0)
    expected += (1 - weight) * softmax_by_hand(MALE_LOGITS, 1.0)
    found = recognizer.predict_log_mel(random_log_mel(100))
    np.testing.assert_allclose(list(found.probabilities.values()), expected, rtol=1e-12)
    told = recognizer.predict_log_mel(random_log_mel(100), gender="female")
    expected = most * softmax_by_hand(FEMALE_LOGITS, 1.0)
    expected += (1 - most) * softmax_by_hand(MALE_LOGITS, 1.0)
    np.testing.assert_allclose(list(told.probabilities.values()), expected, rtol=1e-12)


def test_both_weighs_the_experts_equally_and_still_reports_the_gate():
    recognizer = recognizer_of(FixedGate(0.99), fixed_experts())
    prediction = recognizer.predict_log_mel(random_log_mel(100), gender="both")
    assert (prediction.gender, prediction.gender_posterior) == ("female", pytest.approx(0.99))
    expected = (softmax_by_hand(FEMALE_LOGITS, 1.0) + softmax_by_hand(MALE_LOGITS, 1.0)) / 2
    np.testing.assert_allclose(list(prediction.probabilities.values()), expected, rtol=1e-12)


def test_a_recordings_probabilities_are_the_mean_over_its_windows():
    prediction = recognizer_of().predict_log_mel(random_log_mel(500))
    assert len(prediction.windows) == 5
    for label in LABELS:
        each = [window.probabilities[label] for window in prediction.windows]
        assert prediction.probabilities[label] == pytest.approx(sum(each) / 5, rel=1e-12)


def test_a_recordings_gender_comes_from_the_evidence_of_all_windows():
    gate = LevelGate()
    log_mel = random_log_mel(500)
    log_mel[250:] -= np.linspace(0, 40, 250, dtype=np.float32)[:, None]
    prediction = recognizer_of(gate).predict_log_mel(log_mel)
    bounds = [(0, 188), (94, 282), (188, 376), (282, 470), (312, 500)]
    evidence = [gate.evidence(relative_db(log_mel[first:stop])) for first, stop in bounds]
    female = gate.posterior(sum(evidence[1:], evidence[0]))
    assert prediction.gender == ("female" if female >= 0.5 else "male")
    assert prediction.gender_posterior == pytest.approx(max(female, 1 - female), rel=1e-12)
    for window, one in zip(prediction.windows, evidence):
        posterior = gate.posterior(one)
        assert window.gender_posterior == pytest.approx(max(posterior, 1 - posterior), rel=1e-12)


def test_each_window_is_what_it_would_be_alone():
    recognizer = recognizer_of()
    log_mel = random_log_mel(376, seed=3)
    windows = recognizer.predict_log_mel(log_mel).windows
    for window, first in zip(windows, (0, 94, 188)):
        alone = recognizer.predict_log_mel(log_mel[first : first + 188])
        assert alone.probabilities == window.probabilities


def test_windows_leave_out_the_silence_around_the_sound():
    log_mel = np.full((700, 128), -80.0, np.float32)
    log_mel[100:400] = random_log_mel(300)
    windows = recognizer_of().predict_log_mel(log_mel).windows
    starts = [round(window.start * 16000 / 256) for window in windows]
    ends = [round(window.end * 16000 / 256) for window in windows]
    assert (starts, ends) == ([100, 194, 212], [288, 382, 400])


@given(st.integers(1, 800), st.integers(0, 5))
def test_probabilities_sum_to_one_for_any_length(frames, seed):
    prediction = recognizer_of().predict_log_mel(random_log_mel(frames, seed))
    for decided in (prediction, *prediction.windows):
        assert tuple(decided.probabilities) == LABELS
        assert sum(decided.probabilities.values()) == pytest.approx(1.0, abs=1e-9)
        assert all(0.0 <= p <= 1.0 for p in decided.probabilities.values())
        assert decided.emotion == max(decided.probabilities, key=decided.probabilities.__getitem__)
        assert 0.5 <= decided.gender_posterior <= 1.0
    assert all(0 <= w.start < w.end <= prediction.duration for w in prediction.windows)


@pytest.mark.parametrize("level", [-100.0, -31.0, 12.0])
def test_absolute_and_relative_decibels_give_the_same(level):
    log_mel = random_log_mel(300)
    recognizer = recognizer_of()
    relative = recognizer.predict_log_mel(log_mel)
    absolute = recognizer.predict_log_mel(log_mel + np.float32(level))
    assert without_timings(absolute) == without_timings(relative)


def test_sound_gives_what_its_log_mel_gives(speech):
    samples = speech("female", "happy", seconds=4.0)
    recognizer = recognizer_of()
    heard = recognizer.predict(samples, 16000)
    seen = recognizer.predict_log_mel(LogMel(FrontEnd())(samples))
    assert heard.probabilities == seen.probabilities
    assert heard.gender_posterior == seen.gender_posterior
    assert heard.duration == 4.0


def test_a_file_gives_what_its_samples_give(speech, tmp_path):
    import wave

    samples = np.rint(speech("male", "angry", sample_rate=44100) * 32767).astype(np.int16)
    path = tmp_path / "clip.wav"
    with wave.open(str(path), "wb") as clip:
        clip.setparams((1, 2, 44100, 0, "NONE", ""))
        clip.writeframes(samples.tobytes())
    recognizer = recognizer_of()
    of_samples = without_timings(recognizer.predict(samples, sample_rate=44100))
    assert without_timings(recognizer.predict(path)) == of_samples
    assert without_timings(recognizer.predict(str(path))) == of_samples
    assert without_timings(recognizer.predict(path.read_bytes())) == of_samples
    with path.open("rb") as file:
        assert without_timings(recognizer.predict(file)) == of_samples
    assert of_samples.duration == len(samples) / 44100


def test_the_same_sound_always_gives_the_same(speech):
    samples = speech("male", "sad")
    recognizer = recognizer_of()
    first = without_timings(recognizer.predict(samples, 16000))
    assert all(without_timings(recognizer.predict(samples, 16000)) == first for _ in range(3))


def test_many_threads_get_what_one_would(speech):
    clips = [speech("female" if n % 2 else "male", take=n, sample_rate=22050) for n in range(8)]
    recognizer = recognizer_of()
    expected = [without_timings(recognizer.predict(clip, 22050)) for clip in clips]
    answers = {}

    def recognise(first: int) -> None:
        for index in range(first, len(clips), 4):
            answers[index] = without_timings(recognizer.predict(clips[index], 22050))

    threads = [threading.Thread(target=recognise, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[index] for index in range(len(clips))] == expected


def test_a_recogniser_of_parts_pickles():
    recognizer = recognizer_of(certain=0.9, window_hop_frames=50, active_span_db=-40.0)
    again = pickle.loads(pickle.dumps(recognizer))
    log_mel = random_log_mel(400)
    expected = without_timings(recognizer.predict_log_mel(log_mel))
    assert without_timings(again.predict_log_mel(log_mel)) == expected


def test_a_prediction_survives_json_and_pickle():
    prediction = recognizer_of().predict_log_mel(random_log_mel(300))
    as_json = json.loads(json.dumps(prediction.to_dict(), allow_nan=False))
    assert as_json["emotion"] == prediction.emotion
    assert as_json["windows"][1]["probabilities"] == prediction.windows[1].probabilities
    assert pickle.loads(pickle.dumps(prediction)) == prediction


def test_timings_name_every_stage_and_add_up_to_no_more_than_the_total(speech):
    prediction = recognizer_of().predict(speech("female"), 16000)
    stages = dict(prediction.timings)
    total = stages.pop("total")
    assert list(stages) == ["read", "resample", "log_mel", "quality", "gender", "emotion"]
    assert all(seconds >= 0 for seconds in stages.values())
    assert sum(stages.values()) <= total
    assert prediction.real_time_factor == total / prediction.duration


def test_the_ranking_puts_the_likeliest_emotion_first():
    prediction = recognizer_of(FixedGate(1.0), fixed_experts()).predict_log_mel(random_log_mel(9))
    labels = [label for label, _ in prediction.ranking()]
    assert labels == [LABELS[index] for index in np.argsort(FEMALE_LOGITS)[::-1]]


@pytest.mark.parametrize(
    ("log_mel", "error", "reason"),
    [
        (np.zeros((5, 127), np.float32), SettingsError, r"\(frames, 128\), got \(5, 127\)"),
        (np.zeros(128, np.float32), SettingsError, r"\(frames, 128\)"),
        (np.zeros((1, 5, 128), np.float32), SettingsError, r"\(frames, 128\)"),
        ([[0.0] * 128], SettingsError, "got list"),
        (np.zeros((5, 128)), SettingsError, "float32 decibels, got float64"),
        (np.zeros((5, 128), np.int16), SettingsError, "got int16"),
        (np.zeros((0, 128), np.float32), EmptyAudioError, "no frames"),
        (np.full((5, 128), -80, np.float32), SilentAudioError, "same"),
        (np.full((5, 128), np.nan, np.float32), NonFiniteAudioError, "NaN"),
        (np.full((5, 128), -np.inf, np.float32), NonFiniteAudioError, "infinity"),
    ],
)
def test_a_log_mel_that_cannot_be_one_is_refused(log_mel, error, reason):
    with pytest.raises(error, match=reason):
        recognizer_of().predict_log_mel(log_mel)


@pytest.mark.parametrize("gender", ["woman", "", 1, "Female"])
def test_an_unknown_gender_is_refused(gender):
    for predict in (recognizer_of().predict, recognizer_of().predict_log_mel):
        with pytest.raises(SettingsError, match="gender must be None or one of"):
            predict(random_log_mel(5), gender=gender)


def test_samples_without_their_rate_are_refused():
    with pytest.raises(SettingsError, match="sample_rate"):
        recognizer_of().predict(np.zeros(16000, np.float32))


def test_a_file_with_a_rate_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="states its own"):
        recognizer_of().predict(tmp_path / "clip.wav", 16000)


@pytest.mark.parametrize("rate", [0, -16000, float("nan"), "16000", None, 1.5])
def test_a_rate_that_is_none_is_refused(rate, speech):
    with pytest.raises(EdgeError, match="rate"):
        recognizer_of().predict(speech("female"), rate)


@pytest.mark.parametrize("sound", [3.0, "nothing here.wav", object(), [["a"]], [[1], [2, 3]]])
def test_what_is_no_sound_is_refused_with_an_error_of_the_package(sound):
    with pytest.raises(EdgeError):
        recognizer_of().predict(sound, None if isinstance(sound, str) else 16000)


def test_silence_is_refused():
    with pytest.raises(SilentAudioError):
        recognizer_of().predict(np.zeros(16000, np.int16), 16000)


def test_sound_beyond_the_limit_is_refused_unless_the_limit_is_lifted(speech):
    samples = speech("female", seconds=1.2)
    recognizer = recognizer_of()
    with pytest.raises(TooLongAudioError, match="1.2 s .* limit is 1 s"):
        recognizer.predict(samples, 16000, max_duration=1.0)
    assert recognizer.predict(samples, 16000, max_duration=1.2).duration == 1.2
    assert recognizer.predict(samples, 16000, max_duration=None).duration == 1.2


def test_more_than_an_hour_is_refused_by_default():
    hour_and_a_sample = np.broadcast_to(np.int16(1), 8000 * 3600 + 1)
    with pytest.raises(TooLongAudioError, match="max_duration"):
        recognizer_of().predict(hour_and_a_sample, 8000)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"certain": 0.5}, "certain"),
        ({"most": 0.49}, "most"),
        ({"most": 1.01}, "most"),
        ({"window_hop_frames": 0}, "window_hop_frames"),
        ({"active_span_db": 0.0}, "active_span_db"),
        ({"temperatures": {"female": 1.0}}, "temperatures"),
        ({"temperatures": {"female": 1.0, "male": 0.0}}, "temperatures"),
        ({"temperatures": {"female": 1.0, "male": float("nan")}}, "temperatures"),
        ({"experts": {"female": LinearExpert(1)}}, "experts"),
    ],
)
def test_parts_that_cannot_work_together_are_refused(settings, reason):
    with pytest.raises(SettingsError, match=reason):
        recognizer_of(**settings)


def test_a_bundle_recognises_the_same_however_it_is_given(tiny_bundle, speech):
    samples = speech("female", "fearful", seconds=3.5)
    of_folder = Recognizer(tiny_bundle).predict(samples, 16000)
    of_text = Recognizer(str(tiny_bundle)).predict(samples, 16000)
    of_bundle = Recognizer(Bundle.load(tiny_bundle), 2, "tflite").predict(samples, 16000)
    assert without_timings(of_text) == without_timings(of_folder)
    assert of_bundle.probabilities == pytest.approx(of_folder.probabilities)
    assert sum(of_folder.probabilities.values()) == pytest.approx(1.0)


def test_a_bundle_and_its_own_parts_recognise_the_same(tiny_bundle, speech):
    bundle = Bundle.load(tiny_bundle)
    of_parts = Recognizer.from_parts(
        front_end=bundle.front_end,
        emotion_features=bundle.emotion_features,
        gate=bundle.gate,
        experts=bundle.experts,
        temperatures=bundle.temperatures,
        **bundle.blend.to_dict(),
    )
    samples = speech("male", "happy", seconds=5.0)
    expected = without_timings(Recognizer(bundle).predict(samples, 16000))
    assert expected.models == f"{bundle.name} {bundle.version}"
    expected = dataclasses.replace(expected, models="")
    assert without_timings(of_parts.predict(samples, 16000)) == expected


def test_a_recogniser_of_a_bundle_pickles_as_its_settings(tiny_bundle, speech):
    recognizer = Recognizer(tiny_bundle)
    pickled = pickle.dumps(recognizer)
    assert len(pickled) < 500
    samples = speech("male")
    expected = without_timings(recognizer.predict(samples, 16000))
    assert without_timings(pickle.loads(pickled).predict(samples, 16000)) == expected


def test_a_tiny_bundle_serves_threads_as_it_serves_one(tiny_bundle, speech):
    recognizer = Recognizer(tiny_bundle)
    clips = [speech("female" if n % 2 else "male", take=n) for n in range(6)]
    expected = [without_timings(recognizer.predict(clip, 16000)) for clip in clips]
    answers = {}

    def recognise(index: int) -> None:
        answers[index] = without_timings(recognizer.predict(clips[index], 16000))

    threads = [threading.Thread(target=recognise, args=(index,)) for index in range(len(clips))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[index] for index in range(len(clips))] == expected


def test_an_interpreter_that_is_asked_for_and_missing_says_what_to_install(
    tiny_bundle, monkeypatch
):
    import edge.emotion
    from edge.errors import RuntimeMissingError

    monkeypatch.setattr(edge.emotion, "_LOADERS", {})
    Recognizer(tiny_bundle).prepare()
    recognizer = Recognizer(tiny_bundle, runtime="tflite")  # needs none yet
    with pytest.raises(RuntimeMissingError, match="pip install"):
        recognizer.prepare()


def test_the_runtime_is_pickled_and_its_settings_are_checked(tiny_bundle):
    recognizer = Recognizer(tiny_bundle, 2, "tflite")
    assert pickle.loads(pickle.dumps(recognizer))._settings == recognizer._settings
    with pytest.raises(SettingsError, match="runtime must be one of"):
        Recognizer(tiny_bundle, runtime="onnx")
    with pytest.raises(SettingsError, match="num_threads must be 1 for the native runtime"):
        Recognizer(tiny_bundle, num_threads=2)
