"""What was meant by a result: kept, learnt by the voice, changed, taken back and deleted."""

from __future__ import annotations

import csv
import dataclasses
import io
import sqlite3
import threading
import zipfile

import numpy as np
import pytest

from app.export import table
from app.history import History, NoSpace
from app.meant import NO_SPEECH, OTHER_VERSION, delete, obstacle, put_right
from app.own_voice import DAMAGED, OwnVoice
from app.recorders import FileRecorder
from app.recorders.clock import ManualClock
from app.result import Result
from app.sound import Sound
from edge import LABELS, Voice
from edge.voice import EXAMPLES_OF_AN_EMOTION, Example
from tests.app.conftest import write_wav

MODELS = "default 9.9.9"
OLD_FIELDS = ("models", "without_voice", "manner", "meant")


def a_result(emotion: str = "fearful", likely: float = 0.65, **fields) -> Result:
    rest = (1.0 - likely) / (len(LABELS) - 1)
    shares = {label: likely if label == emotion else rest for label in LABELS}
    known = {"flags": (), "models": MODELS, "without_voice": shares, **fields}
    flags = known.pop("flags")
    return Result(1000.0, 3.0, "female", 0.9, emotion, shares, False, flags, (), 0.01, **known)


@pytest.fixture
def history(tmp_path):
    made = History(tmp_path / "history")
    yield made
    made.close()


@pytest.fixture
def own(tmp_path) -> OwnVoice:
    made = OwnVoice(tmp_path)
    made.check_models(MODELS)
    return made


def taught(own: OwnVoice) -> list[Example]:
    """What the voice knows, which is what its file says."""
    on_disk = Voice.load(own.file) if own.file.exists() else Voice()
    assert on_disk == own.voice and not list(own.file.parent.glob("voice.json.*"))
    return list(own.voice.examples)


def refuse(history: History, verb: str) -> None:
    """As a full disk does: rows cannot be changed, or deleted, any more."""
    with history._database:
        history._database.execute(
            f"CREATE TRIGGER refuse BEFORE {verb} ON results BEGIN "
            "SELECT RAISE(ABORT, 'database or disk is full'); END"
        )


def test_what_is_meant_is_kept_and_learnt_then_changed_then_taken_back(history, own):
    other = history.add(a_result(likely=0.5))
    assert put_right(history, own, other.number, "calm")
    kept = history.add(a_result())
    number = kept.number
    assert put_right(history, own, number, "happy")
    assert history.result(number) == kept.with_meant("happy")
    calm = Example("calm", other.without_voice)
    assert taught(own) == [calm, Example("happy", kept.without_voice)]
    assert put_right(history, own, number, "sad")
    assert history.result(number).meant == "sad"
    assert taught(own) == [calm, Example("sad", kept.without_voice)]
    assert not put_right(history, own, number, "")
    assert history.result(number) == kept and taught(own) == [calm]
    assert not put_right(history, own, other.number, "")
    assert taught(own) == [] and not own.file.exists()


def test_what_the_voice_has_forgotten_is_not_there_to_be_taken_back(history, own):
    numbers = [
        history.add(a_result(likely=0.5 + 0.001 * step)).number
        for step in range(EXAMPLES_OF_AN_EMOTION + 1)
    ]
    for number in numbers:
        put_right(history, own, number, "happy")
    before = taught(own)
    assert len(before) == EXAMPLES_OF_AN_EMOTION
    put_right(history, own, numbers[0], "")
    assert taught(own) == before and history.result(numbers[0]).meant == ""
    put_right(history, own, numbers[1], "")
    assert taught(own) == before[1:]


def test_a_voice_that_was_forgotten_leaves_the_notes_and_nothing_to_take_back(history, own):
    first, second = (history.add(a_result(likely=share)).number for share in (0.5, 0.6))
    put_right(history, own, first, "happy")
    own.forget()
    assert history.result(first).meant == "happy" and taught(own) == []
    put_right(history, own, second, "sad")
    before = taught(own)
    put_right(history, own, first, "")
    assert history.result(first).meant == "" and taught(own) == before
    put_right(history, own, first, "calm")
    assert [each.emotion for each in taught(own)] == ["sad", "calm"]


@pytest.mark.parametrize("flag", ["no_speech", "too_short"])
def test_a_result_without_speech_is_noted_and_teaches_nothing(history, own, flag):
    kept = history.add(a_result(flags=(flag, "noisy")))
    assert obstacle(kept, MODELS) == NO_SPEECH
    assert not put_right(history, own, kept.number, "sad")
    assert history.result(kept.number).meant == "sad" and taught(own) == []
    assert obstacle(a_result(flags=("noisy",)), MODELS) == ""


@pytest.mark.parametrize("why", ["other models", "old row", "no models"])
def test_what_other_models_answered_is_noted_and_changes_no_voice(history, own, why):
    same = history.add(a_result())
    put_right(history, own, same.number, "happy")
    before = taught(own)
    kept = history.add(a_result(models="default 0.0.1" if why == "other models" else MODELS))
    if why == "old row":
        paths = ", ".join(f"'$.{name}'" for name in OLD_FIELDS)
        with history._database:
            history._database.execute(
                f"UPDATE results SET details = json_remove(details, {paths}) WHERE number = ?",
                (kept.number,),
            )
        found = history.result(kept.number)
        assert (found.models, found.without_voice, found.meant) == ("", {}, "")
    if why == "no models":  # they could not be loaded
        own.models = ""
    else:
        assert obstacle(history.result(kept.number), MODELS) == OTHER_VERSION
    for meant in ("happy", "sad", ""):
        assert not put_right(history, own, kept.number, meant)
        assert history.result(kept.number).meant == meant
        if why != "no models":  # there the example of before is as good as this one
            assert taught(own) == before


def test_as_long_as_nobody_knows_the_models_a_result_may_be_of_them():
    assert obstacle(a_result(), "") == ""
    assert obstacle(a_result(without_voice={}), "") == OTHER_VERSION


@pytest.mark.parametrize("act", ["choose", "change", "take back", "delete"])
@pytest.mark.parametrize("broken", ["voice", "history"])
def test_what_cannot_be_kept_changes_neither_result_nor_voice(history, own, act, broken, tmp_path):
    kept = history.add(a_result())
    other = history.add(a_result(likely=0.5))
    put_right(history, own, other.number, "calm")
    if act != "choose":
        put_right(history, own, kept.number, "happy")
    before, results = taught(own), history.results()
    file = own.file
    if broken == "voice":
        own.file = tmp_path / "nowhere" / "voice.json"
    else:
        refuse(history, "DELETE" if act == "delete" else "UPDATE")
    if act == "delete":
        verb, given = delete, ()
    else:
        verb, given = put_right, ("" if act == "take back" else "sad",)
    refused = sqlite3.Error if act == "delete" else NoSpace
    with pytest.raises(FileNotFoundError if broken == "voice" else refused):
        verb(history, own, kept.number, *given)
    own.file = file
    assert taught(own) == before and history.results() == results


def test_who_deletes_a_result_deletes_what_it_taught(history, own):
    numbers = [history.add(a_result(likely=share)).number for share in (0.5, 0.6, 0.7)]
    for number in numbers[:2]:
        put_right(history, own, number, "happy")
    before = taught(own)
    delete(history, own, numbers[2])
    assert taught(own) == before
    delete(history, own, numbers[0])
    delete(history, own, numbers[0])
    assert taught(own) == before[1:] and len(history) == 1
    delete(history, own, numbers[1])
    assert taught(own) == [] and not own.file.exists() and len(history) == 0
    assert not put_right(history, own, numbers[1], "sad") and taught(own) == []


def test_a_recording_that_cannot_be_deleted_leaves_its_result_and_its_example(history, own):
    kept = history.add(a_result(), Sound(np.arange(1600, dtype=np.int16), 16000))
    put_right(history, own, kept.number, "happy")
    before = taught(own)
    (history.folder / kept.sound_file).unlink()
    (history.folder / kept.sound_file).mkdir()
    with pytest.raises(OSError, match=kept.sound_file):
        delete(history, own, kept.number)
    assert history.results() == [kept.with_meant("happy")] and taught(own) == before


def test_a_voice_that_cannot_be_read_stays_until_it_is_taught_anew(history, tmp_path):
    (tmp_path / "voice.json").write_text("{")
    own = OwnVoice(tmp_path)
    own.check_models(MODELS)
    kept = history.add(a_result(meant="happy"))
    put_right(history, own, kept.number, "")
    assert own.lost == DAMAGED and own.file.read_text() == "{"
    assert put_right(history, own, kept.number, "sad")
    assert not own.lost and taught(own) == [Example("sad", kept.without_voice)]


def test_the_last_example_of_an_emotion_is_taken_back(own):
    examples = [
        Example(emotion, a_result(likely=0.5 + 0.01 * number).without_voice)
        for number, emotion in enumerate(("happy", "sad", "happy"))
    ]
    for example in examples:
        with own.exchanging(None, example, MODELS):
            pass
    for left, emotion in ((examples[:2], "happy"), (examples[:2], "calm"), ([examples[0]], "sad")):
        own.take_back(emotion)
        assert taught(own) == left
    own.take_back("happy")
    assert taught(own) == [] and not own.file.exists()


def test_what_was_meant_lasts_and_is_found_and_exported(tmp_path):
    first = History(tmp_path)
    kept = first.add(a_result("fearful", note="a word"))
    first.add(a_result("angry"))
    first.change_meant(kept.number, "happy")
    first.change_meant(999, "happy")
    first.close()
    again = History(tmp_path)
    (found,) = again.results("happy word")
    assert found == kept.with_meant("happy") and found.note == "a word"
    lines = list(csv.DictReader(io.StringIO(table(again.results()))))
    assert [line["meant"] for line in lines] == ["", "happy"]
    assert list(lines[0])[-1] == "meant"
    again.close()


# Under fingers.


def settle(phone) -> None:
    phone.until(lambda: phone.app.background.idle and phone.app.session is None)


def record(phone):
    """The screen of a fresh result."""
    phone.tap("tab.listen")
    phone.tap("record")
    phone.until(lambda: phone.app.screen.name == "result" and phone.app.background.idle)
    return phone.app.screen


def choose(phone, emotion: str) -> None:
    phone.tap(f"meant.{emotion}")
    settle(phone)


def chosen(phone) -> list[str]:
    """The emotions that are marked as chosen."""
    return [label for label in LABELS if phone.find(f"meant.{label}").chosen]


def toast(phone) -> str:
    return phone.app.frame.toast.text


def open_from_history(phone, number: int = 1):
    phone.tap("tab.history")
    phone.until(lambda: phone.shows(f"open.{number}"))
    phone.tap(f"open.{number}")
    return phone.app.screen


def kept(phone) -> list[Result]:
    return phone.app.history.results()


def test_an_answer_is_put_right_changed_and_taken_back_by_taps(open_phone):
    phone = open_phone()
    app, words = phone.app, phone.app.look.words
    screen = record(phone)
    happy, sad = words("emotion.happy"), words("emotion.sad")
    assert words("result.meant.hint") in phone.texts() and chosen(phone) == []
    assert phone.find("meant.happy").label == words("result.meant.choose", emotion=happy)
    choose(phone, "happy")
    chip = phone.find("meant.happy")
    assert chosen(phone) == ["happy"] and chip.bold
    assert chip.label == words("result.meant.take_back", emotion=happy)
    assert toast(phone) == words("own_voice.learnt", emotion=happy)
    result = screen.result
    assert len(result.manner) == 17
    assert kept(phone) == [screen.result] and screen.result.meant == "happy"
    assert taught(app.own_voice) == [Example("happy", result.without_voice, result.manner)]
    screen = open_from_history(phone)
    assert chosen(phone) == ["happy"]
    choose(phone, "sad")
    assert chosen(phone) == ["sad"] and kept(phone)[0].meant == "sad"
    assert toast(phone) == words("own_voice.learnt", emotion=sad)
    assert taught(app.own_voice) == [Example("sad", result.without_voice, result.manner)]
    choose(phone, "sad")
    assert chosen(phone) == [] and kept(phone)[0].meant == ""
    assert toast(phone) == words("result.meant.taken_back")
    assert taught(app.own_voice) == [] and not app.own_voice.file.exists()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_chosen_chip_has_a_tick_beside_its_word(open_phone, theme):
    phone = open_phone(theme=theme)
    record(phone)

    def beside_the_word(emotion: str) -> set[tuple[int, ...]]:
        """The colours there."""
        chip = phone.find(f"meant.{emotion}")
        phone.scroll_to(chip)
        picture = phone.picture()
        left, middle = (round(each) for each in chip.to_window(chip.x, chip.center_y))
        middle = len(picture) - middle
        area = picture[middle - 8 : middle + 8, left + 8 : left + 24]
        return {tuple(pixel) for pixel in area.reshape(-1, 3).tolist()}

    choose(phone, "happy")
    phone.app.frame.toast.close()  # it may lie on the last chips
    assert len(beside_the_word("happy")) >= 2
    assert len(beside_the_word("calm")) == len(beside_the_word("sad")) == 1


def test_what_is_heard_by_the_voice_teaches_as_if_it_were_not(open_phone, speech_file, recognizer):
    phone = open_phone()
    app = phone.app
    for emotion in ("happy", "sad"):
        record(phone)
        choose(phone, emotion)
    screen = record(phone)
    result = screen.result
    assert result.by_voice and app.hears_by_voice
    plain = recognizer.predict(speech_file).probabilities
    assert result.without_voice == pytest.approx(plain)
    assert result.probabilities != pytest.approx(plain)
    choose(phone, "calm")
    assert taught(app.own_voice)[-1] == Example("calm", result.without_voice, result.manner)
    phone.close()
    again = open_phone()
    open_from_history(again, 3)
    assert chosen(again) == ["calm"]
    choose(again, "calm")
    assert again.app.own_voice.voice.counts() == {"happy": 1, "sad": 1}


def test_a_choice_before_the_result_is_in_the_history_is_kept_with_it(open_phone, monkeypatch):
    phone = open_phone()
    app = phone.app
    add, go_on = app.history.add, threading.Event()
    monkeypatch.setattr(app.history, "add", lambda *given: [go_on.wait(60), add(*given)][1])
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result")
    phone.tap("meant.angry")
    assert chosen(phone) == ["angry"] and app.screen.result.number is None
    go_on.set()
    settle(phone)
    assert chosen(phone) == ["angry"] and kept(phone) == [app.screen.result]
    assert [each.emotion for each in taught(app.own_voice)] == ["angry"]


@pytest.mark.parametrize("why", ["no history", "full"])
def test_a_result_that_is_not_kept_teaches_nothing(open_phone, monkeypatch, why):
    phone = open_phone()
    app = phone.app

    def full(*_):
        raise NoSpace("full")

    if why == "no history":
        app.history.close()
        monkeypatch.setattr(app, "history", None)
    else:
        monkeypatch.setattr(app.history, "add", full)
    record(phone)
    choose(phone, "angry")
    said = "storage.no_history" if why == "no history" else "storage.failed"
    assert toast(phone) == app.look.words(said)
    assert chosen(phone) == [] and taught(app.own_voice) == []


@pytest.mark.parametrize("broken", ["voice", "history"])
def test_a_full_disk_is_said_and_the_former_choice_shown_again(open_phone, tmp_path, broken):
    phone = open_phone()
    app, words = phone.app, phone.app.look.words
    record(phone)
    choose(phone, "happy")
    file = app.own_voice.file
    if broken == "voice":
        app.own_voice.file = tmp_path / "nowhere" / "voice.json"
    else:
        refuse(app.history, "UPDATE")
    choose(phone, "sad")
    assert toast(phone) == words("storage.failed" if broken == "voice" else "storage.full")
    app.own_voice.file = file
    assert chosen(phone) == ["happy"] and kept(phone)[0].meant == "happy"
    assert app.screen.result == kept(phone)[0]
    assert [each.emotion for each in taught(app.own_voice)] == ["happy"]


@pytest.mark.parametrize(
    "taps, meant",
    [("happy sad", "sad"), ("happy sad sad", ""), ("happy happy happy", "happy")],
)
def test_hasty_fingers_get_what_they_chose_last(open_phone, taps, meant):
    phone = open_phone()
    record(phone)
    go_on = threading.Event()
    phone.app.background.run(lambda: go_on.wait(60))
    for emotion in taps.split():
        phone.find(f"meant.{emotion}").press()  # before the one before is kept
    go_on.set()
    settle(phone)
    assert kept(phone)[0].meant == meant and chosen(phone) == [meant] * bool(meant)
    emotions = [each.emotion for each in taught(phone.app.own_voice)]
    assert emotions == [meant] * bool(meant)


@pytest.mark.parametrize(
    "taps, meant", [("happy sad", "happy"), ("sad happy", "happy"), ("sad", "")]
)
def test_of_hasty_choices_those_that_fail_are_not_shown(open_phone, monkeypatch, taps, meant):
    phone = open_phone()
    app = phone.app
    record(phone)
    change = app.history.change_meant

    def without_sadness(number, wanted):
        if wanted == "sad":
            raise NoSpace("full")
        change(number, wanted)

    monkeypatch.setattr(app.history, "change_meant", without_sadness)
    go_on = threading.Event()
    app.background.run(lambda: go_on.wait(60))
    for emotion in taps.split():
        phone.find(f"meant.{emotion}").press()
        assert chosen(phone) == [emotion]
    go_on.set()
    settle(phone)
    assert kept(phone)[0].meant == meant and chosen(phone) == [meant] * bool(meant)
    assert [each.emotion for each in taught(app.own_voice)] == [meant] * bool(meant)


def test_where_nothing_is_said_a_choice_is_only_noted(open_phone, tmp_path):
    rng = np.random.default_rng(3)
    hiss = write_wav(tmp_path / "hiss.wav", rng.normal(0.0, 0.003, 16000 * 3))
    phone = open_phone(lambda: FileRecorder(hiss, realtime=False))
    words = phone.app.look.words
    screen = record(phone)
    assert "no_speech" in screen.result.flags
    assert words("result.meant.no_speech") in phone.texts()
    choose(phone, "sad")
    assert toast(phone) == words("result.meant.noted", emotion=words("emotion.sad"))
    assert chosen(phone) == ["sad"] and kept(phone)[0].meant == "sad"
    assert taught(phone.app.own_voice) == []


@pytest.mark.parametrize("why", ["other models", "old row"])
def test_a_result_of_before_is_only_noted_and_says_so(open_phone, why):
    phone = open_phone()
    app, words = phone.app, phone.app.look.words
    record(phone)
    change = (
        "json_set(details, '$.models', 'default 0.0.1')"
        if why == "other models"
        else "json_remove(details, '$.models', '$.without_voice', '$.manner', '$.meant')"
    )
    with app.history._database:
        app.history._database.execute(f"UPDATE results SET details = {change}")
    open_from_history(phone)
    assert words("result.meant.other_version") in phone.texts()
    assert words("result.meant.hint") not in phone.texts()
    choose(phone, "sad")
    assert toast(phone) == words("result.meant.noted", emotion=words("emotion.sad"))
    assert chosen(phone) == ["sad"] and kept(phone)[0].meant == "sad"
    assert taught(app.own_voice) == []


def test_a_result_that_is_open_before_the_models_says_that_they_are_others(open_phone):
    phone = open_phone()
    app, words = phone.app, phone.app.look.words
    record(phone)
    app.own_voice.models = ""  # as it is before the models are loaded
    open_from_history(phone)
    assert words("result.meant.hint") in phone.texts()
    app.own_voice.check_models("default 99.0.0")
    app._models_there()
    phone.frames(2)
    assert words("result.meant.other_version") in phone.texts()


@pytest.mark.parametrize("where", ["result", "history"])
def test_who_deletes_a_result_takes_its_example_back(open_phone, where):
    phone = open_phone()
    app = phone.app
    for emotion in ("happy", "sad"):
        record(phone)
        choose(phone, emotion)
    if where == "result":
        open_from_history(phone, 1)
        phone.tap("delete")
    else:
        phone.tap("tab.history")
        phone.until(lambda: phone.shows("delete.1"))
        phone.tap("delete.1")
    phone.tap("delete_it")
    phone.until(lambda: len(app.history) == 1 and app.background.idle)
    assert [each.emotion for each in taught(app.own_voice)] == ["sad"]
    app.ask_to_delete_all()
    phone.frames(2)
    phone.tap("delete_them")
    settle(phone)
    assert taught(app.own_voice) == [] and kept(phone) == []


def test_a_deletion_that_fails_is_said_and_leaves_result_and_example(open_phone, tmp_path):
    phone = open_phone()
    app = phone.app
    for emotion in ("sad", "happy"):
        record(phone)
        choose(phone, emotion)
    file, app.own_voice.file = app.own_voice.file, tmp_path / "nowhere" / "voice.json"
    phone.tap("delete")
    phone.tap("delete_it")
    settle(phone)
    assert toast(phone) == app.look.words("storage.failed")
    app.own_voice.file = file
    assert [result.meant for result in kept(phone)] == ["happy", "sad"]
    assert [each.emotion for each in taught(app.own_voice)] == ["sad", "happy"]
    assert app.screen.name == "result" and chosen(phone) == ["happy"]


def test_the_history_shows_and_finds_what_was_meant_otherwise(open_phone):
    phone = open_phone()
    app, words = phone.app, phone.app.look.words
    answered = record(phone).result.emotion
    other = next(label for label in LABELS if label != answered)
    choose(phone, other)
    record(phone)
    choose(phone, answered)
    phone.tap("tab.history")
    phone.until(lambda: phone.shows("open.1") and phone.shows("open.2"))
    said = words("history.meant", emotion=words(f"emotion.{other}"))
    assert phone.texts().count(said) == 1
    assert said in phone.find("open.1").label and said not in phone.find("open.2").label
    app.screen.search.text = words(f"emotion.{other}")
    phone.until(lambda: phone.shows("open.1") and not phone.shows("open.2"))


def test_a_row_follows_what_is_chosen_and_taken_back(open_phone):
    phone = open_phone(language="de")
    words = phone.app.look.words
    answered = record(phone).result.emotion
    other = next(label for label in LABELS if label != answered)
    said = words("history.meant", emotion=words(f"emotion.{other}"))
    for shown in (True, False):
        phone.tap(f"meant.{other}")
        phone.tap("tab.history")
        settle(phone)
        phone.until(lambda: phone.shows("open.1"))
        assert (said in phone.texts()) is shown
        phone.tap("open.1")


def test_what_was_meant_goes_with_what_is_exported_and_shared(open_phone, shares):
    phone = open_phone()
    app, words = phone.app, phone.app.look.words
    record(phone)
    phone.tap("share")
    meant = words("result.line.meant", emotion=words("emotion.disgust"))
    assert meant not in shares.texts[0]
    choose(phone, "disgust")
    phone.tap("share")
    assert shares.texts[1] == f"{shares.texts[0]} {meant}"
    app.export()
    phone.until(lambda: shares.files and app.background.idle)
    with zipfile.ZipFile(shares.files[0]) as archive:
        text = archive.read("history.csv").decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text))
    assert line["meant"] == "disgust"


def open_page(phone):
    phone.tap("tab.settings")
    phone.tap("own_voice")
    return phone.app.screen


def test_on_its_page_the_last_example_of_an_emotion_is_taken_back(open_phone, tmp_path):
    phone = open_phone()
    app, words = phone.app, phone.app.look.words
    for emotion in ("happy", "sad"):
        record(phone)
        choose(phone, emotion)
    page = open_page(phone)
    happy = words("emotion.happy")
    assert phone.shows("take_back.happy") and not phone.shows("take_back.calm")
    button = phone.find("take_back.happy")
    assert button.label == words("own_voice.take_back", emotion=happy)
    assert phone.find("hear_by_voice").on
    phone.tap("take_back.happy")
    settle(phone)
    assert toast(phone) == words("own_voice.taken_back", emotion=happy)
    assert [each.emotion for each in taught(app.own_voice)] == ["sad"]
    assert page.rows["happy"].caption.text == words("own_voice.count.none")
    assert not phone.shows("take_back.happy") and not phone.shows("hear_by_voice")
    assert app.teaching.session is None  # the row itself was not pressed
    file, app.own_voice.file = app.own_voice.file, tmp_path
    phone.tap("take_back.sad")
    settle(phone)
    assert toast(phone) == words("storage.failed")
    app.own_voice.file = file
    assert [each.emotion for each in taught(app.own_voice)] == ["sad"]
    assert phone.shows("take_back.sad")
    open_from_history(phone, 1)
    assert chosen(phone) == ["happy"]  # it is the user's note
    choose(phone, "happy")
    assert [each.emotion for each in taught(app.own_voice)] == ["sad"] and chosen(phone) == []


def test_while_an_example_is_recorded_none_is_taken_back(open_phone, speech_file):
    clock = ManualClock()
    recorders = [
        FileRecorder(speech_file, realtime=False),
        FileRecorder(speech_file, realtime=False),
        FileRecorder(speech_file, realtime=clock),
    ]
    phone = open_phone(lambda: recorders.pop(0))
    for emotion in ("happy", "sad"):
        record(phone)
        choose(phone, emotion)
    open_page(phone)
    phone.tap("teach.happy")
    session = phone.app.teaching.session
    phone.until(lambda: session.level is not None)
    assert phone.shows("teach.happy")
    assert not phone.shows("take_back.happy") and not phone.shows("take_back.sad")
    phone.app.teaching.cancel()
    phone.until(lambda: phone.app.teaching.session is None)
    phone.frames(2)
    assert phone.shows("take_back.happy") and phone.shows("take_back.sad")


@pytest.mark.parametrize("size, below", [((412, 892), False), ((320, 568), True)])
def test_where_words_need_the_room_the_button_is_below_the_mark(open_phone, size, below):
    phone = open_phone(size=size)
    record(phone)
    choose(phone, "surprised")
    open_page(phone)
    row, button = phone.app.screen.rows["surprised"], phone.find("take_back.surprised")
    mark = row._mark
    if below:
        assert button.top <= mark.y + 1 and button.right == pytest.approx(mark.right)
    else:
        assert button.right <= mark.x + 1 and button.center_y == pytest.approx(mark.center_y)
    assert row.height >= button.height


def test_a_result_of_a_prediction_knows_what_it_would_be_without_the_voice(recognizer, speech):
    voice = Voice()
    for take, emotion in enumerate(("happy", "sad")):
        clip = speech("female", "angry", seconds=2.0, take=take)
        voice = voice.taught(recognizer.predict(clip, 16000), emotion)
    clip = speech("female", "happy", seconds=2.0)
    plain, leaning = (recognizer.predict(clip, 16000, voice=each) for each in (None, voice))
    for prediction in (plain, leaning):
        result = Result.of(prediction, 0.0)
        assert result.models == recognizer.models and result.meant == ""
        assert result.example("calm") == Example.of(prediction, "calm")
    assert Result.of(leaning, 0.0).without_voice == pytest.approx(plain.probabilities)
    assert dataclasses.replace(result, without_voice={}).example("calm") is None
