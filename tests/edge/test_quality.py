from __future__ import annotations

import json

import numpy as np
import pytest

from edge.affect import COORDINATES
from edge.errors import SettingsError
from edge.features import EmotionFeatures, FrontEnd, LogMel
from edge.labels import LABELS
from edge.prosody import Prosody
from edge.quality import FLAGS, clipped_samples, flags_of
from edge.recognizer import Recognizer
from edge.surroundings import TEMPERATURE
from edge.voice_activity import Activity, voice_activity
from tests.edge.bundles import wary_prosody_arrays
from tests.edge.fakes import FixedExpert, FixedGate, LevelGate, LinearExpert
from tests.synthetic_speech import synthesise
from training.scenes import noise_of

RATE = 16000


def recognizer_of(gate=None, experts=None, **parts) -> Recognizer:
    return Recognizer.from_parts(
        front_end=FrontEnd(),
        emotion_features=EmotionFeatures(),
        gate=gate or LevelGate(),
        experts=experts or {"female": LinearExpert(1), "male": LinearExpert(2)},
        **parts,
    )


def of_probabilities(probabilities, **parts) -> Recognizer:
    """A recogniser that always answers these probabilities."""
    expert = FixedExpert(np.log(probabilities))
    return recognizer_of(FixedGate(0.5), {"female": expert, "male": expert}, **parts)


def spoken(seconds: float = 2.5) -> np.ndarray:
    """Speech between pauses with a little noise."""
    pause = np.zeros(RATE, np.float32)
    sound = np.concatenate([pause, synthesise("male", "neutral", seconds=seconds), pause])
    noise = np.random.default_rng(0).normal(size=len(sound)) * 2e-4
    return sound + noise.astype(np.float32)


def noisy(sound: np.ndarray, snr: float) -> np.ndarray:
    power = np.mean(sound[RATE:-RATE] ** 2)
    noise = np.random.default_rng(1).normal(size=len(sound)) * np.sqrt(power / 10 ** (snr / 10))
    return sound + noise.astype(np.float32)


BAD_SOUNDS = {
    "too_quiet": lambda: 0.003 * spoken(),
    "clipped": lambda: np.clip(20 * spoken(), -1, 1),
    "too_short": lambda: spoken(0.4),
    "no_speech": lambda: np.random.default_rng(2).normal(size=3 * RATE) * 0.02,
    "noisy": lambda: noisy(spoken(), 3.0),
}


def test_a_good_sound_has_no_flags():
    prediction = recognizer_of().predict(spoken(), RATE)
    assert prediction.flags == () and prediction.snr_db > 20
    assert all(window.flags == () for window in prediction.windows)


@pytest.mark.parametrize("flag", BAD_SOUNDS)
def test_a_bad_sound_is_flagged_for_what_it_is(flag):
    prediction = recognizer_of().predict(BAD_SOUNDS[flag](), RATE)
    assert flag in prediction.flags
    assert set(prediction.flags) <= {flag, "noisy"}
    assert list(prediction.flags) == [known for known in FLAGS if known in prediction.flags]
    assert any(flag in window.flags for window in prediction.windows)


def test_each_flag_is_tested():
    assert {*BAD_SOUNDS, "unfamiliar"} == set(FLAGS)


def wary(near: float, far: float) -> Recognizer:
    """One that knows what its models learnt from."""
    return recognizer_of(prosody=Prosody(wary_prosody_arrays(near, far)))


def test_speech_that_is_unlike_all_that_was_learnt_from_is_flagged_and_told_less_surely():
    sound = spoken()
    familiar, unlike = wary(1e3, 2e3).predict(sound, RATE), wary(1e-9, 2e-9).predict(sound, RATE)
    assert familiar.flags == () and unlike.flags == ("unfamiliar",)
    assert all(window.flags == ("unfamiliar",) for window in unlike.windows)
    assert unlike.emotion == familiar.emotion
    for plain, soft in zip(familiar.windows, unlike.windows):
        squared = np.array(list(soft.probabilities.values())) ** TEMPERATURE
        assert list(plain.probabilities.values()) == pytest.approx(squared / squared.sum())


def test_noise_without_speech_is_not_unfamiliar():
    prediction = wary(1e-9, 2e-9).predict(BAD_SOUNDS["no_speech"](), RATE)
    assert "unfamiliar" not in prediction.flags and "no_speech" in prediction.flags


def test_a_stream_knows_too_where_it_has_never_been():
    stream = wary(1e-9, 2e-9).stream()
    with stream:
        stream.accept_waveform(spoken())
    decisions = [event for event in stream.poll() if event.kind == "decision"]
    assert decisions and all("unfamiliar" in decision.flags for decision in decisions)


@pytest.mark.parametrize("flag", ["clipped", "noisy", "too_quiet"])
def test_a_streams_decisions_are_flagged_too(flag):
    stream = recognizer_of().stream()
    with stream:
        stream.accept_waveform(BAD_SOUNDS[flag]())
    decisions = [event for event in stream.poll() if event.kind == "decision"]
    assert decisions and all(flag in decision.flags for decision in decisions)


@pytest.mark.parametrize("flag", ["clipped", "noisy", "too_quiet"])
def test_a_segment_is_flagged_as_its_decisions_are(flag):
    timeline = recognizer_of().timeline(BAD_SOUNDS[flag](), RATE)
    for turn in timeline.turns:
        for segment in turn.segments:
            assert flag in segment.flags
            assert segment.to_dict()["flags"] == list(segment.flags)
    ratios = [decision.snr_db for decision in timeline.decisions]
    (segment, *others) = timeline.segments
    if not others:
        assert segment.snr_db == pytest.approx(np.mean(ratios))
    good = recognizer_of().timeline(spoken(), RATE)
    assert good.segments and all(segment.flags == () for segment in good.segments)


def test_a_flag_of_a_few_decisions_is_none_of_the_segment():
    clean = spoken(10.0)
    partly = clean.copy()
    partly[RATE : 2 * RATE] = np.clip(40 * partly[RATE : 2 * RATE], -1, 1)
    timeline = of_probabilities([0.93, *[0.01] * 7]).timeline(partly, RATE)
    flagged = ["clipped" in decision.flags for decision in timeline.decisions]
    (segment,) = timeline.segments
    assert 0 < sum(flagged) < len(flagged) / 2 and segment.flags == ()


def test_a_timeline_hears_which_channel_clips():
    stereo = np.stack([np.clip(20 * spoken(), -1, 1), 0.1 * spoken()], axis=1).astype(np.float32)
    timeline = recognizer_of().timeline(stereo, RATE)
    assert timeline.decisions
    assert all("clipped" in decision.flags for decision in timeline.decisions)
    mixed = recognizer_of().timeline(stereo.mean(axis=1), RATE)
    assert all("clipped" not in decision.flags for decision in mixed.decisions)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_a_streams_flags_are_those_of_the_whole_recording(dtype):
    rng = np.random.default_rng(4)
    sound = np.concatenate([spoken(), noisy(spoken(), 4.0), np.clip(20 * spoken(3.5), -1, 1)])
    sound = (sound * (32767 if dtype == np.int16 else 1)).astype(dtype)
    stream, pieces = recognizer_of().stream(interval=0.25), rng.integers(1, 9000, size=1000)
    decisions, at = [], 0
    with stream:
        for size in pieces:
            stream.accept_waveform(sound[at : at + size])
            decisions += [event for event in stream.poll() if event.kind == "decision"]
            at += size
    scaled = sound / np.float32(32768) if dtype == np.int16 else sound
    whole = voice_activity(LogMel()(scaled))
    clipped, _ = clipped_samples(sound)
    assert len(decisions) > 20
    assert {flag for decision in decisions for flag in decision.flags} >= {"noisy", "clipped"}
    for decision in decisions:
        first, stop = (round(t * 62.5) for t in (decision.window.start, decision.window.end))
        activity = Activity(*(part[first:stop] for part in whole))
        count = np.sum((clipped >= 256 * first) & (clipped < 256 * stop))
        flags, ratio = flags_of(activity, count / (256 * (stop - first)), 0.016)
        assert decision.flags == flags
        assert decision.snr_db == pytest.approx(ratio, abs=1e-3)


def test_a_stream_makes_no_decision_without_speech():
    stream = recognizer_of().stream()
    with stream:
        stream.accept_waveform(BAD_SOUNDS["no_speech"]())
    assert stream.poll() == []


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8])
def test_clipping_is_found_in_integers_and_in_one_channel(dtype):
    scale = {np.int16: 2.0**15, np.int32: 2.0**31, np.uint8: 128.0}[dtype]
    offset = 128 if dtype == np.uint8 else 0
    loud = np.clip(np.stack([spoken(), 20 * spoken()], axis=1), -1, 1 - 1 / 128).astype(float)
    integers = np.clip(np.rint(loud * scale + offset), *_range(dtype)).astype(dtype)
    prediction = recognizer_of().predict(integers, RATE)
    assert "clipped" in prediction.flags
    assert "clipped" not in recognizer_of().predict(integers[:, 0], RATE).flags


def _range(dtype):
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def test_only_samples_at_full_scale_beside_an_equal_one_are_clipped():
    samples = np.array([0.0, 1.0, 0.5, 1.0, 1.0, 1.0, 0.2, -1.0, -1.0, 0.5, 0.5], np.float32)
    clipped, last = clipped_samples(samples)
    assert clipped.tolist() == [4, 5, 8]
    assert clipped_samples(np.float32([0.5, 1.0]), last)[0].tolist() == []
    assert clipped_samples(np.float32([1.0]), np.float32([1.0]))[0].tolist() == [0]


def test_a_log_mel_has_no_level_to_be_too_quiet_by():
    log_mel = LogMel()(0.003 * spoken())
    assert recognizer_of().predict_log_mel(log_mel).flags == ()


@pytest.mark.parametrize(("likeliest", "uncertain"), [(0.39, True), (0.41, False)])
def test_a_likeliest_emotion_below_the_threshold_is_uncertain(likeliest, uncertain):
    probabilities = np.full(8, (1 - likeliest) / 7)
    probabilities[3] = likeliest
    recognizer = of_probabilities(probabilities)
    prediction = recognizer.predict(spoken(), RATE)
    assert prediction.emotion == "sad"
    assert prediction.uncertain is uncertain
    assert all(window.uncertain is uncertain for window in prediction.windows)
    timeline = recognizer.timeline(spoken(), RATE)
    assert {decision.uncertain for decision in timeline.decisions} == {uncertain}
    assert {segment.uncertain for segment in timeline.segments} == {uncertain}
    surer = of_probabilities(probabilities, uncertain=0.2).predict(spoken(), RATE)
    assert surer.uncertain is False


def test_an_answer_without_speech_is_uncertain_however_sure_the_experts_are():
    sure = of_probabilities([0.93, *[0.01] * 7])
    prediction = sure.predict(BAD_SOUNDS["no_speech"](), RATE)
    assert prediction.probabilities["neutral"] > 0.9 and prediction.uncertain
    assert all(window.uncertain for window in prediction.windows)
    assert not sure.predict(spoken(), RATE).uncertain


@pytest.mark.parametrize("kind", ["white", "pink", "mains hum", "chords", "street"])
def test_a_stream_decides_nothing_on_noise_hum_and_chords(kind):
    for seed in range(3):
        sound = noise_of(kind, 8 * RATE, np.random.default_rng(seed))
        assert recognizer_of().timeline(sound, RATE).decisions == ()


def test_top_k_gives_the_likeliest_first():
    prediction = of_probabilities(np.arange(1, 9) / 36).predict(spoken(), RATE)
    assert [label for label, _ in prediction.top_k(3)] == ["surprised", "disgust", "fearful"]
    assert prediction.top_k(1) == [("surprised", pytest.approx(8 / 36))]
    assert prediction.top_k(100) == prediction.ranking()
    for wrong in (0, -1, 1.5, True, None):
        with pytest.raises(SettingsError, match="top_k"):
            prediction.top_k(wrong)


def test_a_label_subset_is_renormalised_and_keeps_the_order():
    probabilities = np.arange(1, 9) / 36
    recognizer = of_probabilities(probabilities)
    prediction = recognizer.predict(spoken(), RATE, labels=["sad", "neutral", "sad"])
    assert prediction.probabilities == {
        "neutral": pytest.approx(1 / 5),
        "sad": pytest.approx(4 / 5),
    }
    assert list(prediction.probabilities) == ["neutral", "sad"]
    assert prediction.emotion == "sad" and prediction.windows[0].emotion == "sad"
    assert recognizer.predict(spoken(), RATE, labels=LABELS).emotion == "surprised"
    assert recognizer.predict(spoken(), RATE, labels="calm").probabilities == {"calm": 1.0}


@pytest.mark.parametrize("labels", [[], ["bored"], ["Happy"], "joy", [None]])
def test_labels_that_the_models_do_not_know_are_refused(labels):
    with pytest.raises(SettingsError, match="labels"):
        recognizer_of().predict(spoken(), RATE, labels=labels)


@pytest.mark.parametrize("label", LABELS)
def test_a_sure_emotion_lies_at_its_own_arousal_and_valence(label):
    probabilities = np.full(8, 1e-12)
    probabilities[LABELS.index(label)] = 1.0
    prediction = of_probabilities(probabilities).predict(spoken(), RATE)
    assert (prediction.arousal, prediction.valence) == pytest.approx(COORDINATES[label], abs=1e-6)


def test_arousal_and_valence_are_the_mean_of_the_distribution():
    prediction = of_probabilities(np.full(8, 1 / 8)).predict(spoken(), RATE)
    expected = np.mean(list(COORDINATES.values()), axis=0)
    assert (prediction.arousal, prediction.valence) == pytest.approx(tuple(expected))
    assert prediction.to_dict()["arousal"] == prediction.arousal


def test_what_is_wrong_goes_into_the_json():
    content = json.loads(json.dumps(recognizer_of().predict(spoken(0.4), RATE).to_dict()))
    assert content["flags"] == ["too_short"]
    assert content["uncertain"] is True and content["snr_db"] > 10
    assert content["windows"][0]["flags"] == ["too_short"]
