"""The app under fingers: from a tap to a result, and everything that can go wrong between."""

from __future__ import annotations

import csv
import dataclasses
import gc
import io
import sys
import threading
import time
import weakref
import zipfile
from collections import Counter

import pytest

import edge
from app import gradual
from app.recorders import FileRecorder, Permission
from app.recorders.clock import ManualClock
from app.rubbish import ROWS
from app.session import SessionState
from tests.app.conftest import write_wav

PORTRAIT, LANDSCAPE = (412, 892), (892, 412)


def record(phone) -> None:
    """Taps the large button and waits for the result."""
    phone.tap("record")
    phone.until(lambda: phone.app.screen.name == "result")
    phone.until(lambda: phone.app.background.idle)


def play_until(phone, clock: ManualClock, seconds: float) -> None:
    """Lets the recorder play so much sound, in the steps in which it arrives."""
    session = phone.app.session
    phone.until(lambda: session.level is not None)
    while session.time < seconds - 0.01:
        before = session.time
        clock.advance(0.05)
        phone.until(lambda before=before: session.time > before)


def kept(phone) -> list:
    return phone.app.history.results()


def test_a_recording_becomes_a_result_of_the_history_and_is_deleted(open_phone, speech_file):
    phone = open_phone()
    app = phone.app
    assert app.screen.name == "listen"
    record(phone)
    expected = app.recognizer().predict(speech_file)
    shown = app.screen
    assert shown.result.emotion == expected.emotion
    assert shown.result.probabilities == pytest.approx(expected.probabilities)
    assert shown.heading.text == app.look.words(f"emotion.{expected.emotion}")
    assert [row.result for row in [shown]] == kept(phone)
    texts = phone.texts()
    for emotion, probability in expected.ranking():
        assert app.look.words(f"emotion.{emotion}") in texts
        assert app.look.words.percent(probability) in texts
    for flag in expected.flags:
        assert app.look.words(f"flag.{flag}") in texts
    phone.tap("tab.history")
    phone.until(lambda: phone.shows("open.1"))
    phone.tap("open.1")
    assert app.screen.name == "result"
    assert app.look.words("result.not_kept") in phone.texts()
    phone.tap("delete")
    phone.tap("delete_it")
    phone.until(lambda: app.screen.name == "history" and app.background.idle)
    assert not kept(phone)
    assert app.look.words("history.empty") in phone.texts()


def test_while_it_listens_the_screen_shows_what_the_stream_says(open_phone, speech_file):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock))
    phone.tap("record")
    play_until(phone, clock, 3.5)
    app, screen, session = phone.app, phone.app.screen, phone.app.session
    app.tick(0.0)
    decision = session.decision
    assert session.state is SessionState.LISTENING
    assert screen.face.emotion == decision.emotion
    assert screen.emotion.text == app.look.words(f"emotion.{decision.emotion}")
    assert screen.dial.needle.female == pytest.approx(
        decision.gender_posterior if decision.gender == "female" else 1 - decision.gender_posterior
    )
    assert screen.caption.text == "0:03"
    assert screen.meter.reached > 0
    assert session.ribbon.stretches()[-1].emotion == decision.emotion
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result")
    assert app.screen.result.duration == pytest.approx(3.5, abs=0.06)


def test_the_sound_is_forgotten_unless_it_is_to_be_kept(open_phone, speech_file):
    phone = open_phone()
    record(phone)
    assert not list(phone.app.folder.rglob("*.wav"))
    phone.tap("back")
    phone.tap("tab.settings")
    phone.tap("keep_recordings")
    phone.tap("tab.listen")
    record(phone)
    (path,) = phone.app.folder.rglob("*.wav")
    phone.tap("tab.history")
    phone.until(lambda: phone.shows("open.2"))
    phone.tap("open.2")
    phone.until(lambda: phone.app.screen.recording is not None)
    samples, _ = edge.read_audio(speech_file)
    assert phone.app.screen.recording.sound.samples == pytest.approx(32768 * samples[:, 0])
    phone.app.ask_to_delete_all()
    phone.frames(2)
    phone.tap("delete_them")
    phone.until(lambda: phone.app.background.idle)
    assert not path.exists() and not kept(phone)


def test_the_timeline_is_scrubbed_and_played_from_there(open_phone):
    phone = open_phone(keep_recordings=True)
    record(phone)
    screen = phone.app.screen
    timeline = screen.timeline
    phone.scroll_to(timeline)
    x, y = timeline.to_window(timeline.x, timeline.center_y)
    quarter, half = x + 0.25 * timeline.width, x + 0.5 * timeline.width
    phone.touch(quarter, y, (half, y))
    assert timeline.position == pytest.approx(0.5 * screen.result.duration, abs=0.05)
    window = screen.result.window_at(timeline.position)
    assert phone.app.look.words(f"emotion.{window.emotion}") in screen._where.text
    phone.tap("play")
    phone.until(lambda: list((phone.app.folder / "cache").glob("playing-*.wav")))
    assert phone.app.player.active
    phone.tap("play")
    assert not phone.app.player.active
    assert not list((phone.app.folder / "cache").glob("playing-*"))


def test_a_note_is_kept_and_found(open_phone):
    phone = open_phone()
    record(phone)
    phone.app.screen.note.text = "Rehearsal with Zoë"
    phone.tap("back")
    record(phone)
    phone.tap("tab.history")
    phone.until(lambda: phone.shows("open.1") and phone.shows("open.2"))
    phone.app.screen.search.text = "zoë rehearsal"
    phone.until(lambda: phone.shows("open.1") and not phone.shows("open.2"))
    phone.app.screen.search.text = "nobody said this"
    phone.until(lambda: phone.app.look.words("history.nothing_found") in phone.texts())


def test_of_a_long_history_only_what_is_in_sight_exists(open_phone):
    phone = open_phone()
    record(phone)
    app = phone.app
    (result,) = kept(phone)
    for number in range(1, 200):
        earlier = dataclasses.replace(result, began=result.began - 3600.0 * number)
        app.history.add(earlier.with_note("a word " * (number % 30)))
    phone.tap("tab.history")
    rows = app.screen.rows
    seen = set()
    for place in (1.0, 0.999, 0.7, 0.0, 0.3, 1.0):
        app.screen.scroll.scroll_y = place
        phone.frames(2)
        phone.until(lambda: app.complete)
        moments = [row.content.result.began for row in reversed(rows.children)]
        assert moments == sorted(moments, reverse=True) and 5 <= len(moments) <= 40
        tops = [row.top for row in reversed(rows.children)]
        bottoms = [row.y for row in reversed(rows.children)]
        gaps = [bottom - top for bottom, top in zip(bottoms, tops[1:])]
        assert gaps == pytest.approx([gaps[0]] * len(gaps), abs=1.0)
        seen.update(moments)
        if place == 0.0:
            assert rows.children[0].content.result.began == kept(phone)[-1].began
    assert len(seen) > 30
    app.screen.search.text = "word word"
    phone.until(lambda: app.screen.summary.text == app.look.words.count("history.count", 193))
    assert app.screen.rows.complete


def test_what_was_left_is_gone_when_the_next_screen_is_there(open_phone):
    before = gc.get_threshold()
    phone = open_phone(keep_recordings=True)
    app = phone.app
    assert gc.get_threshold()[2] > before[2]
    record(phone)
    first = app.frame
    left = []

    def leave(act):
        left.append(weakref.ref(app.screen))
        act()
        phone.until(lambda: app.complete and app.background.idle)

    for key in ("tab.history", "tab.settings", "model_card", "back", "own_voice"):
        leave(lambda key=key: phone.tap(key))
    phone.tap("teach.sad")
    phone.until(lambda: app.teaching.session is None and app.background.idle)
    for key in ("back", "privacy"):
        leave(lambda key=key: phone.tap(key))
    leave(app.back)
    for act in (
        lambda: app.choose("theme", "light"),
        lambda: app.choose("text_size", 1.5),
        lambda: [app.choose("theme", "dark"), app.go("history")],
        lambda: app.open_result(kept(phone)[0]),
    ):
        leave(act)
    leave(lambda: phone.tap("tab.listen"))
    phone.tap("tab.settings")
    phone.until(lambda: app.complete)
    assert len(left) == 13 and [each() for each in left] == [None] * 13
    assert not first.children[-1].children[-1].children  # whoever still has it, has no screen
    phone.close()
    assert gc.get_threshold() == before


def test_no_scroll_bar_fades(open_phone):
    """What fades is kept until it has, be its screen left or not."""
    from kivy.uix.scrollview import ScrollView

    phone = open_phone()
    app = phone.app
    app.go("model_card")
    phone.until(lambda: app.complete and app.background.idle)
    bars = [each for each in app.screen.walk() if isinstance(each, ScrollView)]
    assert len(bars) > 2  # the page, and tables in it
    between = []

    def all_at_rest():
        moving = [bar for bar in bars if bar._bar_color != bar.bar_inactive_color]
        between.extend(bar for bar in moving if bar._bar_color != bar.bar_color)
        return not moving

    phone.until(all_at_rest)
    assert between == []


def test_rows_that_were_dropped_are_gone_by_and_by(open_phone):
    phone = open_phone(keep_recordings=False)
    app = phone.app
    record(phone)
    (result,) = kept(phone)
    for number in range(149):
        app.history.add(dataclasses.replace(result, began=result.began - 60.0 * (number + 1)))
    app.go("history")
    phone.until(lambda: app.complete)
    rows, made = app.screen.rows, weakref.WeakSet()
    for step in range(40):
        app.screen.scroll.scroll_y = 1.0 - step / 39
        phone.until(lambda: app.complete)
        made.update(row.content for row in rows.children)
        assert len(made) <= len(rows.children) + ROWS


def test_the_first_screen_is_built_anew_after_another_look(open_phone):
    phone = open_phone()
    app = phone.app
    shown = said(phone)
    app.go("settings")
    phone.until(lambda: app.complete)
    app.choose("theme", "light")
    phone.until(lambda: app.complete)
    app.go("listen")
    app.go("history")  # before all of it is there
    app.go("listen")
    assert not app.complete
    phone.tap("record")
    phone.until(lambda: app.session is None and app.complete)
    assert app.screen.name == "result"
    app.back()
    phone.until(lambda: app.complete)
    assert app.screen.name == "listen" and said(phone) == shown


def said(phone):
    """All the words that are shown."""
    return [text for text in phone.texts() if isinstance(text, str)]


def test_the_history_is_exported_with_its_recordings(open_phone, shares, speech_file):
    phone = open_phone(keep_recordings=True)
    record(phone)
    phone.app.screen.note.text = "=HYPERLINK()"
    phone.tap("tab.history")
    phone.until(lambda: phone.shows("open.1"))
    phone.tap("export")
    phone.until(lambda: shares.files)
    with zipfile.ZipFile(shares.files[0]) as archive:
        text = archive.read("history.csv").decode("utf-8-sig")
        (row,) = csv.DictReader(io.StringIO(text))
        result = kept(phone)[0]
        assert row["emotion"] == result.emotion and row["note"] == "'=HYPERLINK()"
        assert [float(row[label]) for label in edge.LABELS] == pytest.approx(
            list(result.probabilities.values()), abs=1e-4
        )
        sound = archive.read(row["recording"])
    assert sound == speech_file.read_bytes()
    assert str(shares.files[0]) in phone.app.frame.toast.text
    assert not list((phone.app.folder / "cache").rglob("*.zip"))


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE])
def test_turning_the_phone_keeps_the_recording_and_the_controls(open_phone, speech_file, size):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock), size=size)
    phone.tap("record")
    play_until(phone, clock, 1.0)
    phone.turn(size[::-1])
    play_until(phone, clock, 2.0)
    screen = phone.app.screen
    for control in (screen.button, screen.pause_button, screen.cancel_button):
        x, y = control.to_window(*control.pos)
        assert x >= 0 and x + control.width <= size[1], control.key
        assert y >= 0 and y + control.height <= size[0], control.key
    phone.tap("record")
    phone.until(lambda: phone.app.screen.name == "result")
    assert phone.app.screen.result.duration == pytest.approx(2.0, abs=0.06)
    phone.turn(size)
    assert phone.app.screen.timeline.width > 100


def test_a_refused_microphone_is_asked_for_again_and_explained(open_phone, speech_file):
    recorder = FileRecorder(speech_file, realtime=False, permission=Permission.DENIED)
    phone = open_phone(lambda: recorder)
    phone.tap("record")
    assert phone.app.dialog.title == phone.app.look.words("permission.title")
    phone.tap("allow")
    phone.until(lambda: phone.app.dialog is not None)
    assert phone.app.dialog.title == phone.app.look.words("permission.denied.title")
    phone.tap("not_now")
    assert phone.app.session is None and phone.app.dialog is None
    phone.tap("record")
    recorder.permission = Permission.GRANTED
    phone.tap("allow")
    phone.until(lambda: phone.app.screen.name == "result")


def test_a_microphone_denied_for_ever_leads_to_the_systems_settings(open_phone, speech_file):
    opened = []

    class Denied(FileRecorder):
        def open_settings(self) -> bool:
            opened.append(True)
            return True

    phone = open_phone(lambda: Denied(speech_file, permission=Permission.DENIED_FOR_EVER))
    phone.tap("record")
    phone.until(lambda: phone.app.dialog is not None)
    assert phone.app.dialog.title == phone.app.look.words("permission.for_ever.title")
    phone.tap("settings")
    assert opened and phone.app.dialog is None and phone.app.session is None


def test_a_microphone_lost_midway_still_gives_a_result(open_phone, speech_file):
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=False, lost_after=2.5))
    record(phone)
    assert phone.app.screen.result.duration == pytest.approx(2.5, abs=0.01)
    lost = phone.app.look.words("problem.lost")
    assert any(text.startswith(lost) for text in phone.texts())
    assert len(kept(phone)) == 1


def test_a_microphone_lost_at_once_is_a_problem_and_no_result(open_phone, speech_file):
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=False, lost_after=0.1))
    phone.tap("record")
    phone.until(lambda: phone.app.dialog is not None)
    assert phone.app.look.words("problem.lost") in phone.texts()
    phone.tap("understood")
    assert phone.app.screen.name == "listen" and not kept(phone)
    assert phone.shows("record")


def test_silence_is_a_problem_in_plain_words(open_phone, tmp_path):
    import numpy as np

    silence = write_wav(tmp_path / "silence.wav", np.zeros(32000))
    phone = open_phone(lambda: FileRecorder(silence, realtime=False), language="de")
    phone.tap("record")
    phone.until(lambda: phone.app.dialog is not None)
    assert phone.app.look.words("problem.silent") in phone.texts()
    assert "Ton" in phone.app.look.words("problem.silent")


def test_a_full_disk_is_said_and_the_result_still_shown(open_phone):
    phone = open_phone(keep_recordings=True)
    pages = phone.app.history._database.execute("PRAGMA page_count").fetchone()[0]
    phone.app.history._database.execute(f"PRAGMA max_page_count = {pages}")
    phone.tap("record")
    phone.until(lambda: phone.app.screen.name == "result")
    for _ in range(20):  # until the pages that are there are used up
        phone.until(lambda: phone.app.background.idle)
        if phone.app.frame.toast is not None:
            break
        phone.tap("back")
        phone.tap("record")
        phone.until(lambda: phone.app.screen.name == "result")
    assert phone.app.frame.toast.text == phone.app.look.words("storage.full")
    assert phone.app.screen.name == "result"
    recordings = {path.name for path in phone.app.folder.rglob("*.wav")}
    assert recordings == {result.sound_file for result in kept(phone)}


def test_another_app_in_front_pauses_the_recording_until_the_user_goes_on(
    open_phone, speech_file
):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock))
    phone.tap("record")
    play_until(phone, clock, 1.0)
    session = phone.app.session
    assert phone.app.on_pause()
    phone.until(lambda: session.state is SessionState.PAUSED)
    heard = session.time
    for _ in range(10):
        clock.advance(0.05)
        phone.frames(2)
    phone.app.on_resume()
    phone.app.tick(0.0)
    assert session.state is SessionState.PAUSED and session.time <= heard + 0.06
    assert phone.app.look.words("listen.paused") in phone.app.screen.caption.text
    phone.tap("pause")
    phone.until(lambda: session.state is SessionState.LISTENING)
    play_until(phone, clock, 2.0)
    phone.tap("record")
    phone.until(lambda: phone.app.screen.name == "result")
    assert phone.app.screen.result.duration == pytest.approx(2.0, abs=0.11)


def test_a_recording_that_is_cancelled_leaves_nothing(open_phone, speech_file):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock), keep_recordings=True)
    phone.tap("record")
    play_until(phone, clock, 1.0)
    phone.tap("cancel")
    phone.until(lambda: phone.app.session is None)
    assert phone.app.screen.name == "listen" and not kept(phone)
    assert not list(phone.app.folder.rglob("*.wav"))


def test_the_gates_setting_reaches_the_recogniser(open_phone):
    phone = open_phone()
    phone.tap("tab.settings")
    phone.tap("gate.male")
    phone.tap("tab.listen")
    record(phone)
    assert (phone.app.screen.result.gender, phone.app.screen.result.gender_posterior) == ("male", 1)
    assert phone.app.look.words("voice.told", gender="Male") in phone.texts()


def test_theme_language_and_text_size_change_at_once_and_last(open_phone):
    phone = open_phone()
    phone.tap("tab.settings")
    phone.tap("theme.light")
    assert phone.app.look.palette.name == "light"
    phone.tap("language.de")
    assert "Optionen" in phone.texts()
    phone.tap("text_size.1.5")
    assert phone.app.look.text_size == 1.5 and phone.app.screen.name == "settings"
    phone.until(lambda: phone.app.background.idle)
    phone.close()
    again = open_phone()
    assert again.app.look == phone.app.look or (
        again.app.look.palette.name == "light"
        and again.app.look.words.language == "de"
        and again.app.look.text_size == 1.5
    )


def test_who_does_not_wait_for_the_other_look_has_it_all_the_same(open_phone):
    phone = open_phone()
    app = phone.app
    for other in ("listen", "history"):
        app.go("settings")
        phone.until(lambda: app.complete)
        app.choose("theme", "light" if app.preferences.theme == "dark" else "dark")
        app.choose("text_size", 2.5 - app.preferences.text_size)
        app.say("export.copied")
        phone.frames(3)
        assert app.screen.look is not app.look
        app.go(other)
        app.choose("theme", "automatic")  # too late: they are being left
        assert app.preferences.theme != "automatic" and not app.complete
        phone.until(lambda: app.complete)
        assert app.screen.name == other and app.screen.look is app.look
        assert app.frame.toast is not None
        assert app.root is app.frame and app.top.get_parent_window() is not None


def test_what_is_chosen_while_another_look_is_built_is_in_it(open_phone):
    phone = open_phone(keep_recordings=False)
    app = phone.app
    app.go("settings")
    phone.until(lambda: app.complete)
    app.choose("theme", "light")
    coming = app._wanted.screen
    while coming._switch is None or "interval" not in coming._chips:
        phone.frames(1)
    assert not app.complete  # what is chosen now was there before the choice
    app.choose("keep_recordings", True)
    app.choose("interval", 1.0)
    phone.until(lambda: app.complete)
    assert app.screen is coming and coming._switch.on
    assert [value for value, chip in coming._chips["interval"].items() if chip.chosen] == [1.0]


def test_the_look_may_change_while_it_listens(open_phone, speech_file):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock))
    phone.tap("record")
    play_until(phone, clock, 1.0)
    phone.tap("tab.settings")
    phone.tap("theme.light")
    phone.tap("tab.listen")
    play_until(phone, clock, 2.5)
    phone.app.tick(0.0)
    assert phone.app.screen.face.emotion == phone.app.session.decision.emotion
    phone.tap("record")
    phone.until(lambda: phone.app.screen.name == "result")


def test_the_pages_about_the_app_open_and_lead_back(open_phone, shares):
    phone = open_phone()
    phone.tap("tab.settings")
    for page in ("own_voice", "privacy", "model_card", "benchmark"):
        phone.tap(page)
        phone.until(lambda: phone.app.background.idle)
        assert phone.app.screen.name == page
        if page == "model_card":
            assert any("RAVDESS" in text for text in phone.texts())
        if page == "benchmark":
            phone.tap("run")
            phone.until(lambda: phone.app.screen.benchmark is not None)
            phone.tap("share_benchmark")
            assert "real-time factor" in shares.texts[0]
            assert str(phone.app.screen.benchmark.runs) in shares.texts[0]
        phone.tap("back")
        assert phone.app.screen.name == "settings"


def test_everything_is_done_by_the_keyboard_alone(open_phone):
    tab, enter, escape, space = 9, 13, 27, 32
    phone = open_phone()
    phone.key(space)
    phone.until(lambda: phone.app.screen.name == "result")
    phone.until(lambda: phone.app.background.idle)
    for _ in range(40):
        if getattr(phone.app.keyboard.focused, "key", "") == "timeline":
            break
        phone.key(tab)
    phone.key(275)
    assert phone.app.screen.timeline.position == 0.5
    phone.key(escape)
    assert phone.app.screen.name == "listen"
    phone.key(ord("2"))
    phone.until(lambda: phone.shows("open.1"))
    for _ in range(40):
        if getattr(phone.app.keyboard.focused, "key", "") == "delete.1":
            break
        phone.key(tab)
    phone.key(enter)
    assert phone.app.dialog is not None
    phone.key(tab)
    assert phone.app.keyboard.focused.key == "delete_it"
    phone.key(escape)
    assert phone.app.dialog is None and len(kept(phone)) == 1
    assert phone.app.screen.name == "history"


def test_the_back_key_goes_up_and_then_leaves(open_phone):
    phone = open_phone()
    phone.tap("tab.settings")
    phone.tap("privacy")
    assert phone.app.back() and phone.app.screen.name == "settings"
    assert phone.app.back() and phone.app.screen.name == "listen"
    assert not phone.app.back()


def test_fifty_rounds_leave_nothing_behind(open_phone, tmp_path, speech, monkeypatch):
    monkeypatch.setattr(gradual, "SLICE_SECONDS", 0.1)  # a frame is drawn for the whole screen
    clip = write_wav(tmp_path / "short.wav", speech("male", "sad", seconds=0.7))
    phone = open_phone(lambda: FileRecorder(clip, realtime=False), size=(240, 420))
    app = phone.app

    def rounds(count: int) -> None:
        for _ in range(count):
            app.listen_or_stop()
            phone.until(lambda: app.screen.name == "result" and app.background.idle)
            app.ask_to_delete(app.screen.result)
            app.dialog.answer("delete_it")
            phone.until(lambda: app.screen.name == "listen" and app.background.idle)
        app.frame.toast.close()
        gone = time.monotonic() + 0.6  # seconds for which a scroll view that was left shows its bar
        phone.until(lambda: time.monotonic() > gone)
        gc.collect()

    def alive() -> Counter[str]:
        """Objects of the app's classes, widgets among them, and threads."""
        names = Counter(type(each).__qualname__ for each in gc.get_objects() if _is_ours(each))
        return names + Counter(threads=threading.active_count())

    rounds(10)
    before, blocks = alive(), [sys.getallocatedblocks()]
    for _ in range(3):
        rounds(15)
        blocks.append(sys.getallocatedblocks())
    assert not [name for name, more in (alive() - before).items() if more > 4]
    # A round makes some 5,000 of Python's blocks. The sound and its picture hang on a Sound and a
    # Session, which are counted above; the driver frees its textures when it likes.
    # What is left over by every round grows in each third; what is loaded once, in one of them.
    assert min(later - sooner for sooner, later in zip(blocks, blocks[1:])) < 15 * 200, blocks
    assert not kept(phone)


def _is_ours(thing: object) -> bool:
    return str(getattr(type(thing), "__module__", None)).startswith("app.")
