"""What a voice learns from examples, and what it does to answers."""

from __future__ import annotations

import dataclasses
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge
from edge.errors import SettingsError
from edge.labels import LABELS
from edge.prediction import Prediction, Window
from edge.prosody import Prosody, Usual
from edge.voice import (
    CLIPS_OF_BASE,
    CLIPS_REMEMBERED,
    EXAMPLES_OF_AN_EMOTION,
    FORMAT_WITH_BASE,
    FORMAT_WITH_USUAL,
    Example,
    Voice,
    fitted_correction,
)
from tests.edge.bundles import learning_prosody_arrays
from tests.edge.fakes import FixedGate, LinearExpert
from tests.edge.test_recognizer import random_log_mel, recognizer_of

HAPPY, SAD, ANGRY = (LABELS.index(label) for label in ("happy", "sad", "angry"))


def distribution(**shares: float) -> dict[str, float]:
    """Of all labels; what is left is shared evenly."""
    left = (1.0 - sum(shares.values())) / (len(LABELS) - len(shares))
    return {label: shares.get(label, left) for label in LABELS}


def prediction(probabilities, models="tiny 1", voice=None, windows=None) -> Prediction:
    windows = windows or [probabilities]
    likeliest = max(probabilities, key=probabilities.get)
    return Prediction(
        "female", 1.0, likeliest, probabilities,
        tuple(Window(0.0, 3.0, "female", 1.0, likeliest, of_one) for of_one in windows),
        3.0, {"total": 0.1}, models=models, voice=voice,
    )


def taught(*examples: tuple[str, dict[str, float]]) -> Voice:
    voice = Voice()
    for emotion, probabilities in examples:
        voice = voice.taught(prediction(probabilities), emotion)
    return voice


def loss(constants, weights, examples, spread, reach) -> float:
    """What `fitted_correction` makes smallest, spelt out, for equally many examples of each."""
    labels = sorted({emotion for emotion, _ in examples}, key=LABELS.index)
    places = [LABELS.index(label) for label in labels]
    total = (constants[places] ** 2).sum() / (2 * spread**2)
    total += (weights[np.ix_(places, places)] ** 2).sum() / (2 * reach**2)
    for emotion, probabilities in examples:
        shares = np.array([probabilities[label] for label in labels])
        logs = np.log(np.maximum(shares / shares.sum(), 1e-4))
        scores = np.log(np.maximum(shares, 1e-4)) + constants[places]
        scores = scores + (logs - logs.mean()) @ weights[np.ix_(places, places)]
        total += np.log(np.exp(scores).sum()) - scores[labels.index(emotion)]
    return total


def test_a_new_voice_changes_nothing():
    recognizer, log_mel = recognizer_of(), random_log_mel(100)
    plain = recognizer.predict_log_mel(log_mel)
    known = recognizer.predict_log_mel(log_mel, voice=Voice())
    assert known.probabilities == plain.probabilities
    even = np.full(8, 0.125)
    assert Voice().heard_in(even) is even


def test_examples_of_one_emotion_change_nothing():
    voice = taught(("sad", distribution(neutral=0.9)), ("sad", distribution(neutral=0.8)))
    assert not voice.correction.taught.any()


def test_a_voice_leans_where_its_examples_were_misheard():
    voice = taught(
        ("sad", distribution(neutral=0.7, sad=0.1)), ("neutral", distribution(neutral=0.8))
    )
    constants = dict(zip(LABELS, voice.correction.constants))
    assert constants["sad"] > 0.2
    assert constants["neutral"] == pytest.approx(-constants["sad"])
    others = [k for k, label in enumerate(LABELS) if label not in ("sad", "neutral")]
    assert not voice.correction.constants[others].any()
    assert not voice.correction.weights[others].any()
    assert not voice.correction.weights[:, others].any()
    before = distribution(neutral=0.6, sad=0.2)
    after = voice.heard_in(np.array(list(before.values())))
    assert after[SAD] > after[LABELS.index("neutral")]
    untaught = after[others] / np.array(list(before.values()))[others]
    assert untaught == pytest.approx(np.full(len(others), untaught[0]))  # left as they are


@given(
    st.integers(0, 10_000), st.sampled_from([0.5, 1.5, 3.0]), st.sampled_from([0.1, 0.33, 1.0]),
    st.integers(2, 8),
)
def test_the_correction_is_where_the_loss_is_smallest(seed, spread, reach, emotions):
    rng = np.random.default_rng(seed)
    times = rng.integers(1, 9)
    # Some of them very sure of something wrong, from where Newton's whole steps lead away.
    examples = [
        (LABELS[k], dict(zip(LABELS, rng.dirichlet(np.full(8, 0.1)) * (1 - 1e-5) + 1.25e-6)))
        for k in range(emotions) for _ in range(times)
    ]
    found = fitted_correction([Example(*each) for each in examples], spread, reach)
    least = loss(found.constants, found.weights, examples, spread, reach)
    for _ in range(10):
        for step in (-1e-3, 1e-3):
            constants, weights = found.constants.copy(), found.weights.copy()
            if rng.integers(2):
                constants[rng.integers(emotions)] += step
            else:
                weights[rng.integers(emotions), rng.integers(emotions)] += step
            assert loss(constants, weights, examples, spread, reach) > least
    assert not found.constants[emotions:].any() and not found.weights[emotions:].any()


def test_the_company_of_a_mistake_is_learnt():
    """Joy is heard as fear beside surprise, and fear beside grief: no constants can repair that."""
    joy = distribution(fearful=0.45, happy=0.25, surprised=0.2, sad=0.02)
    fear = distribution(fearful=0.45, happy=0.25, surprised=0.02, sad=0.2)
    voice = taught(*[
        ("happy", joy), ("fearful", fear),
        ("surprised", distribution(surprised=0.6)), ("sad", distribution(sad=0.6)),
    ] * 4)
    for emotion, answered in (("happy", joy), ("fearful", fear)):
        heard = voice.heard_in(np.array(list(answered.values())))
        assert LABELS[heard.argmax()] == emotion


def test_many_examples_of_one_emotion_say_no_more_than_one_of_another():
    mild = ("happy", distribution(happy=0.4, angry=0.3))
    wrong = ("angry", distribution(happy=0.5, angry=0.1))
    few, many = taught(mild, wrong), taught(*[mild] * 20, wrong)
    assert many.correction.constants == pytest.approx(few.correction.constants)
    assert many.correction.weights == pytest.approx(few.correction.weights)


def test_answers_of_no_chance_at_all_are_learnt_from():
    never = dict.fromkeys(LABELS, 0.0) | {"neutral": 1.0}
    voice = taught(("sad", never), ("neutral", distribution(neutral=0.9)))
    assert np.isfinite(voice.correction.weights).all()
    heard = voice.heard_in(np.array(list(never.values())))
    assert np.isfinite(heard).all() and heard.sum() == pytest.approx(1.0)
    unlikely = distribution(neutral=0.5, sad=0.2)
    assert voice.heard_in(np.array(list(unlikely.values())))[SAD] > 0.5


def test_a_known_voice_corrects_each_windows_probabilities():
    recognizer, log_mel = recognizer_of(), random_log_mel(500)
    voice = Voice().taught(recognizer.predict_log_mel(random_log_mel(90, 1)), "happy")
    voice = voice.taught(recognizer.predict_log_mel(random_log_mel(90, 2)), "angry")
    assert voice.correction.constants.any()
    plain, known = (recognizer.predict_log_mel(log_mel, voice=v) for v in (None, voice))
    assert len(plain.windows) > 1
    for before, after in zip(plain.windows, known.windows):
        heard = voice.heard_in(np.array(list(before.probabilities.values())))
        assert list(after.probabilities.values()) == pytest.approx(list(heard))
    means = np.mean([list(window.probabilities.values()) for window in known.windows], axis=0)
    assert list(known.probabilities.values()) == pytest.approx(list(means))
    assert known.voice == voice and plain.without_voice is None
    assert known.without_voice == plain.probabilities


def test_labels_are_chosen_from_as_the_voice_is_heard():
    recognizer, log_mel = recognizer_of(), random_log_mel(100)
    voice = Voice().taught(recognizer.predict_log_mel(random_log_mel(90, 1)), "happy")
    voice = voice.taught(recognizer.predict_log_mel(random_log_mel(90, 2)), "angry")
    whole = recognizer.predict_log_mel(log_mel, voice=voice).probabilities
    some = recognizer.predict_log_mel(log_mel, voice=voice, labels=("happy", "sad")).probabilities
    assert some["happy"] / some["sad"] == pytest.approx(whole["happy"] / whole["sad"])


@pytest.mark.parametrize("frames", [100, 700])
def test_it_makes_no_difference_whether_an_example_was_heard_with_the_voice(frames):
    recognizer = recognizer_of()
    voice = Voice().taught(recognizer.predict_log_mel(random_log_mel(90, 1)), "happy")
    voice = voice.taught(recognizer.predict_log_mel(random_log_mel(90, 2)), "angry")
    log_mel = random_log_mel(frames, 3)
    one = voice.taught(recognizer.predict_log_mel(log_mel), "sad")
    other = voice.taught(recognizer.predict_log_mel(log_mel, voice=voice), "sad")
    assert one.examples[-1].probabilities == pytest.approx(other.examples[-1].probabilities)


def test_streams_and_timelines_know_the_voice():
    recognizer = recognizer_of(gate=FixedGate(0.5), experts={
        "female": LinearExpert(1), "male": LinearExpert(2),
    })
    strong = Voice((
        Example("fearful", distribution(fearful=1e-4)), Example("calm", distribution(calm=0.2)),
    ))
    sound = np.random.default_rng(0).normal(0.0, 0.1, 3 * 16000)
    options = {"voice_activity": False}
    plain, known = (
        recognizer.timeline(sound, 16000, voice=voice, **options).decisions
        for voice in (None, strong)
    )
    assert len(plain) == len(known) > 0
    for before, after in zip(plain, known):
        heard = strong.heard_in(np.array(list(before.window.probabilities.values())))
        assert list(after.window.probabilities.values()) == pytest.approx(list(heard))


def test_the_oldest_examples_of_an_emotion_are_forgotten():
    first = [("sad", distribution(sad=0.5)), ("happy", distribution(happy=0.5))]
    voice = taught(*first, *[("sad", distribution(sad=0.3))] * EXAMPLES_OF_AN_EMOTION)
    assert voice.counts() == {"happy": 1, "sad": EXAMPLES_OF_AN_EMOTION}
    assert {each.probabilities["sad"] for each in voice.examples if each.emotion == "sad"} == {0.3}


def test_examples_that_were_asked_about_some_labels_teach_these():
    halves = {"happy": 0.2, "sad": 0.8}
    voice = taught(
        ("happy", halves), ("sad", distribution(sad=0.5)), ("angry", distribution(angry=0.5))
    )
    assert voice.correction.constants[HAPPY] > 0.0 > voice.correction.constants[SAD]


@pytest.mark.parametrize("emotion", ["bored", "", None, "angry"])
def test_an_emotion_that_was_not_asked_for_is_refused(emotion):
    with pytest.raises(SettingsError, match="the emotion must be one of"):
        Voice().taught(prediction({"happy": 0.5, "sad": 0.5}), emotion)


def test_a_voice_belongs_to_the_models_that_it_was_taught_to():
    voice = taught(("happy", distribution()))
    assert voice.models == "tiny 1"
    with pytest.raises(SettingsError, match="tiny 1, and the prediction is of .* tiny 2"):
        voice.taught(prediction(distribution(), models="tiny 2"), "sad")
    with pytest.raises(SettingsError, match="taught to the models tiny 1, and these are models of"):
        recognizer_of().predict_log_mel(random_log_mel(50), voice=voice)
    with pytest.raises(SettingsError, match="taught to the models tiny 1"):
        recognizer_of().stream(voice=voice)


def test_the_examples_of_an_emotion_can_be_taken_back():
    first, second = ("happy", distribution(happy=0.5)), ("sad", distribution(sad=0.5))
    assert taught(first, second, second).without("sad") == taught(first)
    assert taught(first).without("happy") == Voice()
    assert taught(first).without("angry") == taught(first)


def test_one_example_can_be_taken_back():
    happy, sad = distribution(happy=0.5), distribution(sad=0.5)
    voice = taught(("happy", happy), ("sad", sad), ("happy", happy), ("angry", sad))
    assert voice.without(Example("happy", happy)) == taught(
        ("happy", happy), ("sad", sad), ("angry", sad)
    )
    assert voice.without(Example("sad", happy)) == voice
    assert taught(("happy", happy)).without(Example("happy", happy)) == Voice()


def test_an_example_that_was_kept_teaches_what_its_recording_would_have():
    before = taught(("happy", distribution(sad=0.5)), ("sad", distribution(happy=0.6)))
    recognizer = recognizer_of()
    before = Voice(before.examples, recognizer.models)
    heard = recognizer.predict_log_mel(random_log_mel(700), voice=before)
    kept = json.loads(json.dumps(Example.of(heard, "angry").to_dict()))
    again = before.with_example(Example(**kept), heard.models)
    assert again == before.taught(heard, "angry")
    assert again.without(Example(**kept)) == before


def test_an_example_is_of_one_of_its_labels_and_of_the_voices_models():
    with pytest.raises(SettingsError, match="the emotion must be one of"):
        Voice().with_example(Example("bored", distribution()), "tiny 1")
    voice = Voice().with_example(Example("happy", distribution()), "tiny 1")
    with pytest.raises(SettingsError, match="tiny 1, and the prediction is of .* tiny 2"):
        voice.with_example(Example("happy", distribution()), "tiny 2")


def people() -> Voice:
    return taught(
        ("happy", distribution(fearful=0.5, happy=0.2)), ("sad", distribution(sad=0.5)),
        ("fearful", distribution(fearful=0.6)),
    )


def test_a_base_is_heard_before_its_examples_say_more():
    theirs = people()
    mine = Voice(base=theirs).taught(prediction(distribution(sad=0.5)), "happy")
    mine = mine.taught(prediction(distribution(sad=0.6)), "sad")
    before = np.array(list(distribution(happy=0.3, sad=0.3).values()))
    between = theirs.heard_in(before)
    assert np.array_equal(Voice(base=theirs).heard_in(before), between)
    assert np.array_equal(mine.heard_in(before), mine.correction(between))
    rows = [
        Example(each.emotion, dict(zip(LABELS, theirs.heard_in(
            np.array(list(each.probabilities.values()))
        ))))
        for each in mine.examples
    ]
    alone = fitted_correction(rows)
    assert mine.correction.constants == pytest.approx(alone.constants)
    assert mine.correction.weights == pytest.approx(alone.weights)


def test_examples_are_kept_as_they_are_without_base_and_voice():
    recognizer, log_mel = recognizer_of(), random_log_mel(500)
    base = Voice(people().examples, recognizer.models)
    mine = Voice(base=base)
    for seed, emotion in ((1, "happy"), (2, "angry")):
        heard = recognizer.predict_log_mel(random_log_mel(90, seed), voice=mine)
        mine = mine.taught(heard, emotion)
    plain = recognizer.predict_log_mel(log_mel)
    known = recognizer.predict_log_mel(log_mel, voice=mine)
    assert known.without_voice == plain.probabilities != known.probabilities
    assert mine.taught(known, "sad") == mine.taught(plain, "sad")
    assert mine.without("happy").without("angry") == Voice(base=base)


def test_a_base_is_of_the_same_models():
    theirs = people()
    with pytest.raises(SettingsError, match="taught to the models tiny 1, and the prediction"):
        Voice(base=theirs).taught(prediction(distribution(), models="tiny 2"), "sad")
    with pytest.raises(SettingsError, match="taught to the models tiny 1, and these are models of"):
        recognizer_of().predict_log_mel(random_log_mel(50), voice=Voice(base=theirs))


def test_a_base_is_kept_in_the_file(tmp_path):
    mine = Voice(base=people()).taught(prediction(distribution()), "sad")
    mine.save(tmp_path / "me.json")
    assert Voice.load(tmp_path / "me.json") == mine
    assert mine.to_dict()["format"] == FORMAT_WITH_BASE > people().to_dict()["format"]
    for base in (None, [], mine.to_dict() | {"base": None}):
        with pytest.raises(SettingsError, match="no voice of format"):
            Voice.from_dict(mine.to_dict() | {"base": base})


def test_rows_are_corrected_each_for_itself():
    rows = np.array([list(distribution(happy=0.4).values()), [0.0] * 8, [1.0] + [0.0] * 7])
    heard = people().heard_in(rows)
    for row, alone in zip(heard, rows):
        assert row == pytest.approx(people().heard_in(alone))
    assert not heard[1].any() and heard[2] == pytest.approx(rows[2])


def learning() -> edge.Recognizer:
    """A recogniser that judges who was heard before by what is usual with them."""
    return recognizer_of(prosody=Prosody(learning_prosody_arrays(weight=0.8, temperature=1.1)))


def spoken(recognizer, seed, frames=90) -> Prediction:
    """Of noise that is taken for speech."""
    found = recognizer.predict_log_mel(random_log_mel(frames, seed))
    return dataclasses.replace(found, flags=())


def test_what_is_usual_is_the_mean_of_what_was_heard():
    recognizer, voice = learning(), Voice()
    heard = [spoken(recognizer, frames, frames) for frames in (90, 150, 500)]
    for each in heard:
        voice = voice.heard(each)
    middles = [np.array(each.manner[8:]) for each in heard]
    assert voice.usual.clips == 3
    assert voice.usual.middle == pytest.approx(np.mean(middles, axis=0))
    assert voice.counts() == {} and voice.knows_anything


def test_each_window_is_judged_by_how_it_differs_from_what_is_usual():
    recognizer = learning()
    prosody = Prosody(learning_prosody_arrays(weight=0.8, temperature=1.1))
    voice = Voice().heard(spoken(recognizer, 1))
    log_mel = random_log_mel(100)
    plain, known = (recognizer.predict_log_mel(log_mel, voice=v) for v in (None, voice))
    before = np.array(list(plain.probabilities.values()))
    wanted = prosody.known(before, np.array(plain.manner), voice.usual)
    assert list(known.probabilities.values()) == pytest.approx(list(wanted))
    assert not np.allclose(before, wanted, atol=1e-3)
    assert known.without_voice == plain.probabilities and known.manner == plain.manner


def test_it_makes_no_difference_whether_it_was_heard_with_the_voice():
    recognizer, log_mel = learning(), random_log_mel(500)
    voice = Voice().heard(spoken(recognizer, 1))
    one, other = (
        voice.heard(dataclasses.replace(
            recognizer.predict_log_mel(log_mel, voice=v), flags=()
        )) for v in (None, voice)
    )
    assert one.usual.clips == 2
    assert one == other


def test_an_example_says_what_is_usual_behind_its_emotion():
    recognizer = learning()
    prosody = Prosody(learning_prosody_arrays(weight=0.8, temperature=1.1))
    first, second, third = (spoken(recognizer, k) for k in (1, 2, 3))
    voice = Voice().heard(first).taught(second, "happy").taught(third, "sad")
    middles = [
        prosody.middle(first.manner), prosody.middle(second.manner, "happy"),
        prosody.middle(third.manner, "sad"),
    ]
    usual = voice.usual_with(prosody)
    assert usual.clips == 3 and usual.middle == pytest.approx(np.mean(middles, axis=0))
    # The examples teach what is left to learn when that is known.
    rows = [
        dict(zip(LABELS, prosody.known(
            np.array(list(each.probabilities.values())), np.array(each.manner), usual
        )))
        for each in (second, third)
    ]
    left = fitted_correction([Example("happy", rows[0]), Example("sad", rows[1])])
    log_mel = random_log_mel(100)
    plain, known = (recognizer.predict_log_mel(log_mel, voice=v) for v in (None, voice))
    between = prosody.known(
        np.array(list(plain.probabilities.values())), np.array(plain.manner), usual
    )
    assert list(known.probabilities.values()) == pytest.approx(list(left(between)))
    assert voice.usual_with(None) is None and Voice().usual_with(prosody) is None


def test_a_base_says_a_little_of_what_is_usual():
    recognizer = learning()
    prosody = Prosody(learning_prosody_arrays())
    theirs = Voice()
    for seed in range(5):
        theirs = theirs.heard(spoken(recognizer, seed))
    alone = Voice(base=theirs).usual_with(prosody)
    assert alone.clips == CLIPS_OF_BASE
    assert alone.middle == pytest.approx(theirs.usual.middle)
    own = spoken(recognizer, 9)
    both = Voice(base=theirs).heard(own).usual_with(prosody)
    middle = (CLIPS_OF_BASE * np.array(theirs.usual.middle) + np.array(own.manner[8:]))
    assert both.middle == pytest.approx(middle / (CLIPS_OF_BASE + 1))


def test_what_is_usual_moves_on():
    recognizer = learning()
    first, later = (spoken(recognizer, seed) for seed in (1, 2))
    voice = Voice().heard(first)
    for _ in range(3 * CLIPS_REMEMBERED):
        voice = voice.heard(later)
    assert voice.usual.clips == CLIPS_REMEMBERED
    left = 0.99 ** (2 * CLIPS_REMEMBERED) / CLIPS_REMEMBERED  # of the first one
    away = np.array(first.manner[8:]) - np.array(later.manner[8:])
    assert np.array(voice.usual.middle) - later.manner[8:] == pytest.approx(
        left * away, abs=0.02 * np.abs(away).max()
    )


def test_what_says_nothing_of_a_voice_is_not_heard():
    recognizer = learning()
    voice = Voice().heard(spoken(recognizer, 1))
    silent = dataclasses.replace(spoken(recognizer, 2), flags=("no_speech",))
    assert voice.heard(silent) is voice
    with pytest.raises(SettingsError, match="models of no bundle learn nothing from what nobody"):
        voice.heard(spoken(recognizer_of(), 1))
    with pytest.raises(SettingsError, match="models of no bundle, and the prediction is of .* x 1"):
        voice.heard(dataclasses.replace(silent, flags=(), models="x 1"))


def test_a_stream_learns_what_is_usual_from_turn_to_turn():
    recognizer = learning()
    rng = np.random.default_rng(0)
    silence = np.zeros(2 * 16000)
    ended = []
    with recognizer.stream(learns=True, voice_activity=False) as stream:
        assert stream.voice is None
        for _ in range(3):
            stream.accept_waveform(rng.normal(0.0, 0.1, 2 * 16000))
            stream.accept_waveform(silence)
            ended += [event.turn for event in stream.poll() if event.kind == "turn_ended"]
            assert stream.voice.usual.clips == len(ended)
    assert len(ended) == 3
    voice = Voice()
    for turn in ended:
        voice = voice.heard(turn)
    assert voice == stream.voice
    with recognizer.stream(voice=voice) as stream:
        stream.know(None)
        assert stream.voice is None
        with pytest.raises(SettingsError, match="taught to the models"):
            stream.know(Voice(people().examples, "tiny 1"))
    assert Voice().heard(dataclasses.replace(ended[0], segments=(), manner=())) == Voice()


def test_later_turns_are_answered_by_what_is_usual():
    recognizer = learning()
    sound = np.random.default_rng(0).normal(0.0, 0.1, 2 * 16000)
    twice = np.concatenate([sound, np.zeros(32000)] * 2)
    answers = {}
    for learns in (False, True):
        found = recognizer.timeline(twice, 16000, learns=learns, voice_activity=False)
        answers[learns] = [turn.segments for turn in found.turns]
    assert len(answers[True]) == len(answers[False]) == 2
    assert answers[True][0] == answers[False][0]
    assert answers[True][1] != answers[False][1]


def test_what_is_usual_is_kept_in_the_file(tmp_path):
    recognizer = learning()
    voice = Voice(base=people_of(recognizer)).heard(spoken(recognizer, 1))
    voice = voice.taught(spoken(recognizer, 2), "happy")
    voice.save(tmp_path / "me.json")
    again = Voice.load(tmp_path / "me.json")
    assert again == voice and again.to_dict()["format"] == FORMAT_WITH_USUAL
    recognizer.predict_log_mel(random_log_mel(90, 3), voice=voice)
    assert pickle.loads(pickle.dumps(voice)) == voice
    assert len(pickle.dumps(voice)) < 5000  # nothing that was worked out from it
    assert voice.without("happy").usual == voice.usual


def people_of(recognizer) -> Voice:
    return Voice(people().examples, recognizer.models)


GOOD = taught(("happy", distribution(happy=0.5))).to_dict()
USUAL = {"clips": 2, "middle": [0.5] * 8}


@pytest.mark.parametrize("usual", [
    None, [], USUAL | {"clips": 0}, USUAL | {"clips": True}, USUAL | {"clips": "2"},
    USUAL | {"middle": [0.5] * 7}, USUAL | {"middle": ["a"] * 8}, USUAL | {"middle": 0.5},
    USUAL | {"middle": [float("inf")] * 8},
])
def test_what_is_usual_of_anything_else_is_refused(usual):
    content = GOOD | {"format": FORMAT_WITH_USUAL, "usual": USUAL}
    assert Voice.from_dict(content).usual == Usual(2, (0.5,) * 8)
    with pytest.raises(SettingsError, match="what is usual with the voice"):
        Voice.from_dict(content | {"usual": usual})


@pytest.mark.parametrize("manner", [[0.5] * 15, ["a"] * 16, "x", [float("nan")] * 16])
def test_a_manner_of_anything_else_is_refused(manner):
    (example,) = GOOD["examples"]
    kept = GOOD | {"examples": [example | {"manner": [0.5] * 16}]}
    assert Voice.from_dict(kept).examples[0].manner == (0.5,) * 16
    with pytest.raises(SettingsError, match="not as it was written"):
        Voice.from_dict(GOOD | {"examples": [example | {"manner": manner}]})


def test_what_is_no_voice_is_refused():
    with pytest.raises(SettingsError, match=r"voice must be an edge\.Voice"):
        recognizer_of().predict_log_mel(random_log_mel(50), voice="me.json")


def test_a_bundles_answers_name_it(tiny_bundle):
    recognizer = edge.Recognizer(tiny_bundle)
    answered = recognizer.predict_log_mel(random_log_mel(80))
    bundle = recognizer.bundle
    assert answered.models == recognizer.models == f"{bundle.name} {bundle.version}"
    voice = Voice().taught(answered, "happy")
    assert recognizer.predict_log_mel(random_log_mel(80), voice=voice).voice is voice


def test_a_voice_is_the_same_after_saving_and_loading(tmp_path):
    voice = taught(("happy", distribution(happy=0.123456789)), ("sad", {"happy": 0.5, "sad": 0.5}))
    voice.save(tmp_path / "me.json")
    again = Voice.load(tmp_path / "me.json")
    assert again == voice
    assert np.array_equal(again.correction.weights, voice.correction.weights)
    assert [path.name for path in tmp_path.iterdir()] == ["me.json"]
    assert pickle.loads(pickle.dumps(voice)) == voice


def test_a_voice_that_cannot_be_saved_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "me.json"
    taught(("happy", distribution())).save(path)
    old = path.read_bytes()
    monkeypatch.setattr("edge.voice.os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        Voice().save(path)
    assert path.read_bytes() == old
    assert [each.name for each in tmp_path.iterdir()] == ["me.json"]


@pytest.mark.parametrize("content", [
    [], "voice", {}, GOOD | {"format": 4}, GOOD | {"format": FORMAT_WITH_BASE},
    GOOD | {"examples": None},
    GOOD | {"models": 3}, GOOD | {"examples": ["happy"]},
    GOOD | {"examples": [{"emotion": "bored", "probabilities": {"bored": 1.0}}]},
    GOOD | {"examples": [{"emotion": "sad", "probabilities": {"happy": 1.0}}]},
    GOOD | {"examples": [{"emotion": "sad", "probabilities": {"sad": 1.5}}]},
    GOOD | {"examples": [{"emotion": "sad", "probabilities": {"sad": "much"}}]},
    GOOD | {"examples": [{"emotion": "sad", "probabilities": {"sad": float("nan")}}]},
    GOOD | {"examples": [{"emotion": ["sad"], "probabilities": {"sad": 0.5}}]},
])
def test_a_file_of_anything_else_is_refused(tmp_path, content):
    path = tmp_path / "me.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SettingsError, match=r"voice .*me\.json cannot be read"):
        Voice.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "me.json"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="cannot be read"):
        Voice.load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        Voice.load(tmp_path / "nobody.json")


def test_a_voice_cannot_be_changed():
    voice = taught(("happy", distribution()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        voice.models = "others"
    both = taught(("happy", distribution()), ("sad", distribution()))
    for array in (both.correction.constants, both.correction.weights, both.correction.taught):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
