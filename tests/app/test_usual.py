"""A phone on which it is always the owner who speaks: results say how they usually sound."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.history import History
from app.own_voice import OwnVoice
from app.recorders import FileRecorder
from app.result import Result
from app.usual import FEWEST, usual_by
from edge import LABELS, Voice
from edge.voice import CLIPS_REMEMBERED
from tests.app.conftest import write_wav
from tests.app.test_own_voice import open_page, record, says

MODELS = "default 1"


@pytest.fixture
def history(tmp_path):
    opened = History(tmp_path / "history")
    yield opened
    opened.close()


@pytest.fixture
def own(tmp_path) -> OwnVoice:
    own = OwnVoice(tmp_path)
    own.models = MODELS
    return own


def result(manner: float | None, began: float = 0.0, models: str = MODELS, flags=(), meant=""):
    share = {label: 1 / len(LABELS) for label in LABELS}
    return Result(
        began,
        2.0,
        "female",
        0.9,
        "sad",
        share,
        False,
        flags,
        (),
        models=models,
        without_voice=share,
        meant=meant,
        manner=() if manner is None else tuple(np.full(2 * len(LABELS), manner)),
    )


def middle(value: float):
    return pytest.approx((value,) * len(LABELS))


def test_five_results_say_what_is_usual_and_less_says_nothing(history, own):
    for number in range(FEWEST):
        assert usual_by(history, own) is None
        history.add(result(float(number), began=number))
    usual = usual_by(history, own)
    assert usual.clips == FEWEST and usual.middle == middle(2.0)
    own.usual = usual
    assert own.useful and own.in_use.usual == usual and own.in_use.models == MODELS
    assert own.in_use.examples == () and own.voice == Voice()
    own.forget()
    assert own.usual is None and not own.useful


@pytest.mark.parametrize(
    "other",
    [
        result(50.0, models="default 0"),
        result(None),
        result(50.0, flags=("no_speech",)),
        result(50.0, flags=("too_short",)),
    ],
    ids=["other models", "from before", "nothing said", "too short"],
)
def test_what_tells_nothing_of_the_owner_is_left_out(history, own, other):
    for number in range(FEWEST):
        history.add(result(1.0, began=number))
        history.add(other)
    usual = usual_by(history, own)
    assert usual.clips == FEWEST and usual.middle == middle(1.0)
    own.models = ""  # nobody knows yet
    assert usual_by(history, own) is None


def test_what_was_put_right_is_an_example_and_not_counted_twice(history, own):
    for number in range(FEWEST):
        history.add(result(1.0, began=number))
    put_right = result(7.0, meant="angry")
    history.add(put_right)
    assert usual_by(history, own).middle == middle(2.0)
    own.voice = Voice().with_example(put_right.example("angry"), MODELS)
    assert usual_by(history, own).middle == middle(1.0)


def test_the_latest_hundred_are_taken(history, own):
    for number in range(CLIPS_REMEMBERED + 20):
        history.add(result(float(number >= 20), began=number))
    usual = usual_by(history, own)
    assert usual.clips == CLIPS_REMEMBERED and usual.middle == middle(1.0)
    assert [each.began for each in history.latest(2)] == [
        CLIPS_REMEMBERED + 19,
        CLIPS_REMEMBERED + 18,
    ]


def sayings(speech, tmp_path, count: int):
    """WAV files of one person, one after the other."""
    emotions = ("neutral", "angry", "sad", "happy")
    return [
        write_wav(
            tmp_path / f"{take}.wav",
            speech("female", emotions[take % 4], seconds=2.0, take=take),
        )
        for take in range(count)
    ]


def test_from_five_recordings_on_the_owner_is_heard_by_what_is_usual(open_phone, speech, tmp_path):
    files = sayings(speech, tmp_path, FEWEST + 1)
    queue = iter(files)
    phone = open_phone(lambda: FileRecorder(next(queue), realtime=False))
    app, words = phone.app, phone.app.look.words
    open_page(phone)
    assert not phone.find("always_me").on and not phone.shows("hear_by_voice")
    phone.tap("always_me")
    assert phone.find("always_me").on
    assert says(phone, words("own_voice.always.too_few", number=FEWEST))
    for _ in range(FEWEST):
        session, heard = record(phone)
        assert session.voice is None and not heard.by_voice
    usual = app.own_voice.usual
    expected = Voice()
    for file in files[:FEWEST]:
        expected = expected.heard(app.recognizer().predict(file))
    assert usual.clips == FEWEST and usual.middle == pytest.approx(expected.usual.middle, abs=1e-4)
    open_page(phone)
    assert phone.find("hear_by_voice").on
    assert says(phone, words("own_voice.always.known", number=FEWEST))
    session, heard = record(phone)
    assert heard.by_voice and says(phone, words("result.by_voice"))
    answered = (
        app.recognizer()
        .predict(files[-1], voice=dataclasses.replace(expected, usual=usual))
        .probabilities
    )
    assert heard.probabilities == pytest.approx(answered, abs=1e-3)
    assert heard.probabilities != pytest.approx(heard.without_voice, abs=1e-3)
    assert app.own_voice.usual.clips == FEWEST + 1
    assert not list(app.folder.glob("voice*"))
    phone.close()
    again = open_phone(lambda: FileRecorder(files[0], realtime=False))
    again.until(lambda: again.app.own_voice.usual is not None)
    assert again.app.own_voice.usual.clips == FEWEST + 1
    again.tap("tab.settings")
    assert words("own_voice.known.usual", number=FEWEST + 1) in again.texts()


def phone_of_an_owner(open_phone, results: int):
    """A phone with so many results of whoever always speaks."""
    phone = open_phone(always_me=True)
    app = phone.app
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result" and app.background.idle)
    (kept,) = app.history.results()
    for number in range(1, results):
        app.history.add(dataclasses.replace(kept, began=kept.began - number))
    app.choose("always_me", True)
    phone.until(lambda: app.own_voice.usual is not None)
    assert app.own_voice.usual.clips == results
    return phone


def test_what_is_deleted_says_nothing_any_more(open_phone):
    phone = phone_of_an_owner(open_phone, FEWEST + 1)
    app = phone.app
    for left in (FEWEST, FEWEST - 1):
        app.ask_to_delete(app.history.results()[0])
        phone.frames(2)
        phone.tap("delete_it")
        phone.until(lambda: app.background.idle)
        assert len(app.history) == left
    assert app.own_voice.usual is None and app.voice() is None
    assert app.preferences.always_me


@pytest.mark.parametrize("how", ["switched off", "forgotten", "everything deleted"])
def test_it_ends_when_the_owner_says_so(open_phone, how):
    phone = phone_of_an_owner(open_phone, FEWEST)
    app = phone.app
    open_page(phone)
    assert app.voice().usual.clips == FEWEST
    if how == "switched off":
        phone.tap("always_me")
    elif how == "forgotten":
        phone.tap("forget_voice")
        phone.tap("forget_it")
    else:
        app.ask_to_delete_all()
        phone.frames(2)
        phone.tap("delete_them")
    phone.until(lambda: app.background.idle)
    assert app.own_voice.usual is None and app.voice() is None
    assert not app.preferences.always_me and not phone.find("always_me").on
    assert len(app.history) == (0 if how == "everything deleted" else FEWEST)


def test_somebody_else_is_heard_without_it(open_phone):
    phone = phone_of_an_owner(open_phone, FEWEST)
    app = phone.app
    open_page(phone)
    phone.tap("hear_by_voice")
    assert app.voice() is None and phone.find("always_me").on
    session, heard = record(phone)
    assert session.voice is None and not heard.by_voice


def test_what_is_found_after_it_was_switched_off_is_not_taken(open_phone):
    phone = phone_of_an_owner(open_phone, FEWEST)
    app = phone.app
    app.choose("always_me", False)
    app.choose("always_me", True)
    app.choose("always_me", False)
    phone.until(lambda: app.background.idle)
    assert app.own_voice.usual is None and app.voice() is None
