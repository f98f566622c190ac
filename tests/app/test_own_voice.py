"""The owner's voice: taught on its page, kept, made use of, switched off, lost and forgotten."""

from __future__ import annotations

import dataclasses
import json
import zipfile

import numpy as np
import pytest

from app.own_voice import DAMAGED, OTHER_MODELS, OwnVoice
from app.recorders import FileRecorder, Permission
from app.recorders.clock import ManualClock
from app.session import SessionState
from app.teaching import SENTENCE_SECONDS
from edge import Voice
from tests.app.conftest import write_wav


@pytest.fixture(scope="module")
def sentence(tmp_path_factory, speech):
    """A sentence, a long pause, and more that is not to be waited for."""
    said = speech("female", "happy", seconds=2.0)
    hush = np.random.default_rng(5).normal(0.0, 1e-4, 16000 * 3).astype(np.float32)
    path = tmp_path_factory.mktemp("sentence") / "sentence.wav"
    return write_wav(path, np.concatenate((hush[:8000], said, hush, said, hush)))


@pytest.fixture(scope="module")
def known(recognizer, speech) -> Voice:
    """A voice of two emotions."""
    voice = Voice()
    for take, emotion in enumerate(("happy", "sad")):
        prediction = recognizer.predict(speech("female", "angry", seconds=2.0, take=take), 16000)
        voice = voice.taught(prediction, emotion)
    return voice


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "private"
    made.mkdir()
    return made


def open_page(phone) -> None:
    phone.tap("tab.settings")
    phone.tap("own_voice")
    assert phone.app.screen.name == "own_voice"


def teach(phone, emotion: str) -> None:
    """By one tap, until what it was is told."""
    phone.tap(f"teach.{emotion}")
    phone.until(lambda: phone.app.teaching.session is None and phone.app.background.idle)


def counts(phone) -> dict[str, int]:
    return phone.app.own_voice.voice.counts()


def says(phone, part: str) -> bool:
    """Whether that is a part of what can be read."""
    return any(part in text for text in phone.texts() if isinstance(text, str))


def record(phone):
    """The session of a recording, and its result."""
    phone.tap("tab.listen")
    phone.app.listen_or_stop()
    session = phone.app.session  # which may be over before a finger is lifted
    phone.until(lambda: phone.app.screen.name == "result" and phone.app.background.idle)
    return session, phone.app.screen.result


def test_an_example_ends_by_itself_is_learnt_and_lasts(open_phone, sentence):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(sentence, realtime=clock))
    words = phone.app.look.words
    open_page(phone)
    page = phone.app.screen
    assert page.rows["happy"].caption.text == words("own_voice.count.none")
    phone.tap("teach.happy")
    session = phone.app.teaching.session
    assert page.rows["happy"].label == words("own_voice.stop", emotion=words("emotion.happy"))
    assert not phone.shows("teach.sad") and phone.shows("teach.happy")
    phone.until(lambda: session.level is not None)
    loudest = 0
    while phone.app.teaching.session is not None:
        clock.advance(0.05)
        phone.frames(2)
        phone.app.teaching.tick(0.0)
        if session.state is SessionState.LISTENING:
            assert page.rows["happy"].caption.text == words("own_voice.speak")
        loudest = max(loudest, page.meter.reached)
    assert loudest > 10 and 3.0 < session.time < 5.0
    phone.until(lambda: phone.app.background.idle)
    assert counts(phone) == {"happy": 1}
    assert page.rows["happy"].caption.text == words("own_voice.count.one")
    assert words("own_voice.learnt", emotion=words("emotion.happy")) in phone.app.frame.toast.text
    assert phone.shows("teach.sad") and page.meter.parent is None
    assert not list(phone.app.folder.rglob("*.wav")) and not phone.app.history.results()
    phone.close()
    again = open_phone()
    assert counts(again) == {"happy": 1}
    again.tap("tab.settings")
    assert words("own_voice.known.one") in again.texts()


def test_a_second_tap_ends_an_example_and_nothing_heard_ends_it_too(open_phone, sentence, tmp_path):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(sentence, realtime=clock))
    open_page(phone)
    phone.tap("teach.sad")
    session = phone.app.teaching.session
    phone.until(lambda: session.level is not None)
    while session.time < 2.0:
        before = session.time
        clock.advance(0.05)
        phone.until(lambda before=before: session.time > before)
    phone.tap("teach.sad")
    phone.until(lambda: phone.app.teaching.session is None and phone.app.background.idle)
    assert counts(phone) == {"sad": 1} and session.time < 2.2
    phone.close()
    rng = np.random.default_rng(3)
    hiss = write_wav(tmp_path / "hiss.wav", rng.normal(0.0, 0.003, 16000 * 12))
    phone = open_phone(lambda: FileRecorder(hiss, realtime=False))
    open_page(phone)
    phone.app.teaching.begin_or_stop("sad")
    session = phone.app.teaching.session
    phone.until(lambda: phone.app.dialog is not None)
    assert session.time == pytest.approx(SENTENCE_SECONDS, abs=0.1)
    assert phone.app.look.words("flag.no_speech") in phone.texts()
    phone.tap("understood")
    assert counts(phone) == {"sad": 1}


@pytest.mark.parametrize(
    "sound, said",
    [
        (np.zeros(32000), "problem.silent"),
        (np.full(400, 0.1), "problem.short"),
        ("a word", "flag.too_short"),
    ],
)
def test_bad_sound_teaches_nothing_and_is_told(open_phone, speech, tmp_path, sound, said):
    if isinstance(sound, str):
        rng = np.random.default_rng(3)
        sound = rng.normal(0.0, 1e-4, 32000)
        sound[16000:17500] += speech("female", "happy", seconds=2.0)[4000:5500]
    clip = write_wav(tmp_path / "bad.wav", sound)
    phone = open_phone(lambda: FileRecorder(clip, realtime=False), language="de")
    open_page(phone)
    phone.tap("teach.happy")
    phone.until(lambda: phone.app.dialog is not None)
    assert phone.app.look.words(said) in phone.texts()
    phone.tap("understood")
    assert counts(phone) == {} and not phone.app.own_voice.file.exists()
    assert phone.app.screen.name == "own_voice" and phone.shows("teach.sad")


def test_a_microphone_that_goes_away_teaches_nothing(open_phone, sentence):
    phone = open_phone(lambda: FileRecorder(sentence, realtime=False, lost_after=2.0))
    open_page(phone)
    phone.tap("teach.happy")
    phone.until(lambda: phone.app.dialog is not None)
    assert phone.app.look.words("problem.lost") in phone.texts()
    assert counts(phone) == {}


def test_without_permission_it_is_asked_for_and_then_the_example_begins(open_phone, sentence):
    recorder = FileRecorder(sentence, realtime=False, permission=Permission.DENIED)
    phone = open_phone(lambda: recorder)
    open_page(phone)
    phone.tap("teach.happy")
    assert phone.app.dialog.title == phone.app.look.words("permission.title")
    phone.tap("allow")
    phone.until(lambda: phone.app.dialog is not None)
    assert phone.app.dialog.title == phone.app.look.words("permission.denied.title")
    recorder.permission = Permission.GRANTED
    phone.tap("allow")
    phone.until(lambda: counts(phone) == {"happy": 1} and phone.app.background.idle)
    assert phone.app.session is None and phone.app.screen.name == "own_voice"
    recorder.permission = Permission.DENIED_FOR_EVER
    phone.tap("teach.happy")
    phone.until(lambda: phone.app.dialog is not None)
    assert phone.app.dialog.title == phone.app.look.words("permission.for_ever.title")


@pytest.mark.parametrize("leave", ["back", "another app", "listen"])
def test_who_leaves_the_page_is_no_longer_heard(open_phone, sentence, leave):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(sentence, realtime=clock))
    app = phone.app
    open_page(phone)
    phone.tap("teach.happy")
    session = app.teaching.session
    phone.until(lambda: session.level is not None)
    {"back": app.back, "another app": app.on_pause, "listen": lambda: app.go("listen")}[leave]()
    phone.until(lambda: app.teaching.session is None and app.complete)
    assert session.state is SessionState.CANCELLED and app.dialog is None
    assert counts(phone) == {}
    assert leave != "listen" or (app.screen.name == "listen" and phone.shows("record"))


@pytest.mark.parametrize("emotion", ["neutral", "fearful", "surprised"])
def test_while_an_example_is_recorded_its_meter_is_in_sight(open_phone, sentence, emotion):
    clock = ManualClock()
    phone = open_phone(
        lambda: FileRecorder(sentence, realtime=clock), size=(320, 568), text_size=1.5
    )
    open_page(phone)
    scroll, row = phone.app.screen.scroll, phone.app.screen.rows[emotion]
    scroll.scroll_to(row, padding=0, animate=False)  # so that it is the last one to be seen
    phone.frames(3)
    phone.tap(f"teach.{emotion}")
    phone.until(lambda: phone.app.teaching.session.level is not None)
    phone.app.teaching.tick(0.0)
    phone.frames(4)
    meter = phone.app.screen.meter
    bottom = meter.to_window(*meter.pos)[1]
    assert scroll.y <= bottom and bottom + meter.height <= scroll.top


def test_there_is_one_recording_at_a_time(open_phone, sentence):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(sentence, realtime=clock))
    app = phone.app
    phone.tap("record")
    open_page(phone)
    phone.tap("teach.happy")
    assert app.teaching.session is None
    assert app.frame.toast.text == app.look.words("own_voice.busy")
    app.cancel()
    phone.until(lambda: app.session is None)
    phone.tap("teach.happy")
    assert app.teaching.session is not None
    app.listen_or_stop()  # by the keyboard: it ends what is being recorded
    phone.until(lambda: app.teaching.session is None)
    assert app.session is None


def test_two_emotions_switch_it_on_and_off_is_remembered(open_phone, sentence):
    phone = open_phone(lambda: FileRecorder(sentence, realtime=False))
    app, words = phone.app, phone.app.look.words
    open_page(phone)
    teach(phone, "happy")
    assert not phone.shows("hear_by_voice") and words("own_voice.hear.too_few") in phone.texts()
    session, result = record(phone)
    assert session.voice is None and not result.by_voice
    open_page(phone)
    teach(phone, "angry")
    assert phone.find("hear_by_voice").on and words("own_voice.hear.hint") in phone.texts()
    session, result = record(phone)
    voice = app.own_voice.voice
    assert session.voice is voice and session.prediction.voice is voice and result.by_voice
    assert result.probabilities == app.recognizer().predict(sentence, voice=voice).probabilities
    assert says(phone, words("result.by_voice"))
    assert [kept.by_voice for kept in app.history.results()] == [True, False]
    open_page(phone)
    phone.tap("hear_by_voice")
    assert not phone.find("hear_by_voice").on
    teach(phone, "sad")
    assert not phone.find("hear_by_voice").on
    phone.close()
    again = open_phone(lambda: FileRecorder(sentence, realtime=False))
    assert counts(again) == {"happy": 1, "sad": 1, "angry": 1}
    session, result = record(again)
    assert session.voice is None and not result.by_voice and not again.app.own_voice.lost
    expected = again.app.recognizer().predict(sentence)
    assert result.probabilities == pytest.approx(expected.probabilities)
    assert not says(again, words("result.by_voice"))


def test_while_it_listens_it_says_that_it_is_tuned(open_phone, speech_file, folder, known):
    known.save(folder / "voice.json")
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock), folder=folder)
    words = phone.app.look.words
    for tuned in (True, False):
        phone.tap("record")
        session = phone.app.session
        phone.until(lambda session=session: session.level is not None)
        phone.app.tick(0.0)
        assert (words("listen.ribbon.by_voice") in phone.texts()) is tuned
        assert (words("listen.ribbon") in phone.texts()) is not tuned
        phone.tap("cancel")
        phone.until(lambda: phone.app.session is None)
        phone.app.choose("hear_by_voice", False)


def test_forgetting_is_asked_for_and_begins_anew(open_phone, folder, known):
    known.save(folder / "voice.json")
    phone = open_phone(folder=folder, hear_by_voice=False)
    app = phone.app
    open_page(phone)
    phone.tap("forget_voice")
    assert app.dialog.title == app.look.words("forget_voice.title")
    phone.tap("keep_it")
    assert counts(phone) == known.counts()
    phone.tap("forget_voice")
    phone.tap("forget_it")
    phone.until(lambda: app.background.idle)
    assert counts(phone) == {} and not list(folder.glob("voice*"))
    assert app.screen.rows["happy"].caption.text == app.look.words("own_voice.count.none")
    assert app.frame.toast.text == app.look.words("forget_voice.done")
    assert not phone.shows("forget_voice") and app.preferences.hear_by_voice
    assert not app.hears_by_voice


def test_who_deletes_everything_deletes_the_voice(open_phone, folder, known):
    known.save(folder / "voice.json")
    phone = open_phone(folder=folder, hear_by_voice=False)
    phone.app.ask_to_delete_all()
    phone.frames(2)
    phone.tap("delete_them")
    phone.until(lambda: phone.app.background.idle)
    assert counts(phone) == {} and not list(folder.glob("voice*"))
    assert phone.app.preferences.hear_by_voice


def test_who_exports_everything_gets_the_voice(open_phone, shares, folder, known):
    known.save(folder / "voice.json")
    phone = open_phone(folder=folder)
    record(phone)
    phone.app.export()
    phone.until(lambda: shares.files and phone.app.background.idle)
    with zipfile.ZipFile(shares.files[0]) as archive:
        assert Voice.from_dict(json.loads(archive.read("voice.json"))) == known
        assert archive.read("history.csv").decode().splitlines()[1].endswith(",yes,")


@pytest.mark.parametrize("why", [DAMAGED, OTHER_MODELS])
def test_a_voice_that_cannot_be_used_stops_nothing_and_is_told(
    open_phone, sentence, folder, known, why
):
    if why == DAMAGED:
        (folder / "voice.json").write_text('{"format": 1, "examples": [')
    else:
        dataclasses.replace(known, models="default 0.0.1").save(folder / "voice.json")
    phone = open_phone(lambda: FileRecorder(sentence, realtime=False), folder=folder)
    app, words = phone.app, phone.app.look.words
    session, result = record(phone)
    assert session.voice is None and not result.by_voice and app.own_voice.lost == why
    phone.tap("tab.settings")
    assert words("own_voice.known.lost") in phone.texts()
    phone.tap("own_voice")
    assert words(f"own_voice.{why}") in phone.texts()
    assert phone.shows("forget_voice") and not phone.shows("hear_by_voice")
    teach(phone, "happy")
    assert words(f"own_voice.{why}") not in phone.texts()
    assert Voice.load(folder / "voice.json").counts() == {"happy": 1}


def test_a_page_that_was_open_before_the_models_says_that_they_are_others(
    open_phone, folder, known
):
    dataclasses.replace(known, models="default 0.0.1").save(folder / "voice.json")
    phone = open_phone(folder=folder)
    app = phone.app
    app.recognizer()
    phone.frames(3)
    app.own_voice = OwnVoice(folder)  # as it is before the models are loaded
    open_page(phone)
    assert app.look.words("own_voice.count.one") in phone.texts()
    app.own_voice.check_models(app.recognizer().predict(np.ones(16000), 16000).models)
    app._models_there()
    phone.until(lambda: app.complete)
    assert app.look.words("own_voice.other_models") in phone.texts()
    assert app.look.words("own_voice.count.one") not in phone.texts()


def test_a_full_disk_is_said_and_what_was_known_stays(open_phone, sentence, folder, known):
    known.save(folder / "voice.json")
    phone = open_phone(lambda: FileRecorder(sentence, realtime=False), folder=folder)
    open_page(phone)
    phone.app.own_voice.file = folder / "nowhere" / "voice.json"
    teach(phone, "angry")
    assert phone.app.frame.toast.text == phone.app.look.words("storage.failed")
    assert counts(phone) == known.counts()
    assert Voice.load(folder / "voice.json") == known


def test_what_a_crash_left_of_the_file_is_removed(tmp_path, known):
    known.save(tmp_path / "voice.json")
    (tmp_path / "voice.json.77.partial").write_text("{")
    own = OwnVoice(tmp_path)
    assert own.voice == known and own.useful and not own.lost
    assert [path.name for path in tmp_path.iterdir()] == ["voice.json"]
    own.forget()
    own.forget()
    assert not own.useful and not list(tmp_path.iterdir())
