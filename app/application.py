"""The app: which screen is shown, and what happens when something is pressed."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Callable

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.logger import Logger

import edge
from app import meant as meant_by
from app.background import Background
from app.backups import keep_out_of_backups
from app.device import language, prefers_dark
from app.export import write_archive
from app.gradual import NEXT_FRAME, Gradually
from app.history import History, NoSpace
from app.keyboard import Keyboard
from app.look.look import Look
from app.look.palette import DARK, LIGHT, rgba
from app.own_voice import OwnVoice
from app.player import Player
from app.preferences import Preferences, load_preferences, save_preferences
from app.private_folder import private_folder
from app.recorders import Permission, PermissionDenied, Recorder, platform_recorder
from app.recording import Recording
from app.result import Result
from app.rubbish import Rubbish
from app.screens.frame import Frame
from app.screens.history import HistoryScreen
from app.screens.listen import ListenScreen
from app.screens.own_voice import OwnVoiceScreen
from app.screens.pages import BenchmarkScreen, ModelCardScreen, PrivacyScreen
from app.screens.result import ResultScreen
from app.screens.screen import Screen
from app.screens.settings import SettingsScreen
from app.session import OVER, Question, Session, SessionState
from app.sharing import Sharing, SharingFailed, platform_sharing
from app.startup import Startup
from app.strings import Catalogue
from app.teaching import Teaching
from app.usual import usual_by
from app.widgets.overlays import Dialog, Toast
from app.wording import advice, certainty, problem, voice
from edge import Prediction, Recognizer, Voice
from edge.prosody import Usual

SCREENS: dict[str, type[Any]] = {
    screen.name: screen
    for screen in (
        HistoryScreen,
        SettingsScreen,
        OwnVoiceScreen,
        PrivacyScreen,
        ModelCardScreen,
        BenchmarkScreen,
    )
}
PARENTS = dict.fromkeys(("own_voice", "privacy", "model_card", "benchmark"), "settings")
FRAMES_PER_SECOND = 30
LAYOUTS_PER_FRAME = 50
"""Rounds in which sizes reach from the window to the letters and back; Kivy gives up after 20."""
REBUILT_FOR = frozenset(("theme", "text_size", "language"))


@dataclass(frozen=True)
class Wanted:
    """A screen that is still to be shown; parts: what it consists of, which is to be added."""

    screen: Screen
    tab: str
    parts: Iterator[Any]


class EdgeApp(App):
    """The app over a microphone.

    make_recorder: called for each recording.
    folder: for everything that is kept; None for the platform's folder private to the app.
    sharing: None for the platform's.
    make_recognizer: called once, in a thread of its own.
    settled: called when what stays until the end is there, at the first frame and with the models.
    """

    title = "Edge SER"
    name = "edgeser"

    def __init__(
        self,
        make_recorder: Callable[[], Recorder] = platform_recorder,
        folder: Path | None = None,
        sharing: Sharing | None = None,
        make_recognizer: Callable[[], Recognizer] = Recognizer,
        startup: Startup | None = None,
        settled: Callable[[], None] = lambda: None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._settled = settled
        self._make_recorder = make_recorder
        self.folder = folder or private_folder(self)
        self.folder.mkdir(parents=True, exist_ok=True)
        keep_out_of_backups(self.folder)
        self.sharing = sharing or platform_sharing()
        self.startup = startup or Startup()
        self.background = Background(lambda act: Clock.schedule_once(lambda _: act(), 0))
        self.player = Player(self.folder / "cache", self.background)
        self.preferences = load_preferences(self._preferences_file)
        self.own_voice = OwnVoice(self.folder)
        self.teaching = Teaching(self)
        self.history: History | None = None
        self.session: Session | None = None
        self._ticking: Any = None
        self._loader = ThreadPoolExecutor(1, "models")
        self._models: Future[Recognizer] = self._loader.submit(self._load, make_recognizer)
        self.look = self._make_look()
        self.keyboard = Keyboard(self)
        self.frame: Frame | None = None
        self.screen: Screen | None = None
        self._listen: ListenScreen | None = None
        self._rebuilding: Gradually | None = None
        self._wanted: Wanted | None = None  # when all is rebuilt
        self.rubbish = Rubbish()
        self._back_to = "listen"

    @property
    def _preferences_file(self) -> Path:
        return self.folder / "preferences.json"

    @property
    def dialog(self) -> Dialog | None:
        """The one that is open."""
        return self.frame.dialog if self.frame is not None else None

    @property
    def complete(self) -> bool:
        """Whether all of what is to be shown is there."""
        return self._rebuilding is None and (self.screen is None or self.screen.built)

    @property
    def top(self) -> Any:
        """What the keyboard reaches."""
        return self.frame.top if self.frame is not None else None

    @property
    def hears_by_voice(self) -> bool:
        """Whether the owner's voice is made use of."""
        return self.preferences.hear_by_voice and self.own_voice.useful

    def voice(self) -> Voice | None:
        """By which whoever speaks is heard, once the models are loaded."""
        return self.own_voice.in_use if self.hears_by_voice else None

    def recognizer(self) -> Recognizer:
        """Waits until the models are loaded; not for the screen's thread."""
        return self._models.result()

    def model_card(self) -> str:
        """The text of the bundle's card; not for the screen's thread."""
        bundle = self.recognizer().bundle
        assert bundle is not None
        return (Path(bundle.folder) / "CARD.md").read_text(encoding="utf-8")

    def build(self) -> Frame:
        """The widgets; called once, when the window is there."""
        Window.softinput_mode = "below_target"
        Window.bind(on_key_down=self.keyboard.pressed, on_flip=self._first_frame)
        Clock.max_iteration = LAYOUTS_PER_FRAME
        self.rubbish.start()
        self.background.run(
            lambda: History(self.folder / "history"),
            then=self._history_opened,
            failed=lambda _: self.say("storage.no_history"),
        )
        Window.clearcolor = rgba(self.look.palette.background)
        self.frame = frame = Frame(self)
        self.go("listen")
        assert self.screen is not None
        self.screen.finish_building()
        self.startup.ended("screens")
        return frame

    def on_pause(self) -> bool:
        """Another app is in front: nothing is recorded behind the user's back."""
        if self.session is not None:
            self.session.pause()
        self.teaching.cancel()
        self.player.stop()
        if isinstance(self.screen, ResultScreen):
            self.screen.left()
        return True

    def on_resume(self) -> None:
        """What was paused stays so until the user goes on."""

    def on_stop(self) -> None:
        """The end of the app."""
        Window.unbind(on_key_down=self.keyboard.pressed)
        Window.unbind(on_flip=self._first_frame)
        self.rubbish.stop()
        if self._ticking is not None:
            self._ticking.cancel()
        if self._rebuilding is not None:
            self._rebuilding.stop()
        if self.screen is not None:
            self.screen.stop_building()
            self.screen.left()
        if self.session is not None:
            self.session.cancel()
        self.teaching.close()
        self.player.stop()
        self.background.close()
        self._loader.shutdown()
        if self.history is not None:
            self.history.close()

    def go(self, name: str) -> None:
        """Shows one of the screens that need nothing but a name."""
        coming = self.screen if self._wanted is None else self._wanted.screen
        if coming is not None and coming.name == name:
            return
        if name == "listen":
            if self._listen is None:
                self._listen = ListenScreen(self)
                self._listen.follow(self.session)
            self._show(self._listen, "listen")
        else:
            self._show(SCREENS[name](self), PARENTS.get(name, name))

    def back(self) -> bool:
        """The back key; False leaves the app to the system."""
        if self.dialog is not None:
            self.dialog.back()
        elif self.screen is None or self.screen.name == "listen":
            if self.session is None:
                return False
            self.cancel()
        elif isinstance(self.screen, ResultScreen):
            self.go(self._back_to)
        else:
            self.go(PARENTS.get(self.screen.name, "listen"))
        return True

    def open_result(self, result: Result) -> None:
        """Shows a result of the history, and its recording as soon as it is read."""
        screen = ResultScreen(self, result)
        self._back_to = "history"
        self._show(screen, "history")
        history = self.history
        if result.sound_file is None or history is None:
            return

        def read() -> Recording | None:
            sound = history.sound(result)
            return Recording.of(sound) if sound is not None else None

        self.background.run(
            read,
            then=screen.show_recording,
            failed=lambda _: self.say("storage.no_sound"),
        )

    def _show(self, screen: Screen, tab: str) -> None:
        assert self.frame is not None
        if self._wanted is not None:
            if self._wanted.screen is self._listen:
                self._listen = None  # half built, and not to be
            self._wanted = Wanted(screen, tab, screen.parts_left())
            self.frame.navigation.choose(tab)
            return
        removal: Iterator[Any] = iter(())
        if self.screen is not None:
            if self.screen is self._listen and not self.screen.built:
                self._listen = None
            self.screen.stop_building()
            self.screen.left()
            removal = self.rubbish.removal()
        self.keyboard.forget()
        self.screen = screen
        self.frame.show(screen, tab)
        screen.begin_building(removal)
        screen.entered()

    def listen_or_stop(self) -> None:
        """The large button."""
        if self.teaching.session is not None:
            self.teaching.stop()
        elif self.session is None:
            self.with_microphone(self._start)
        elif self.session.state is SessionState.OPENING:
            self.session.cancel()
        else:
            self.session.stop()

    def pause_or_go_on(self) -> None:
        """The button beside it."""
        if self.session is None:
            return
        if self.session.state is SessionState.PAUSED:
            self.session.resume()
        else:
            self.session.pause()

    def cancel(self) -> None:
        """Forgets what is being recorded."""
        if self.session is not None:
            self.session.cancel()

    def with_microphone(self, begin: Callable[[Recorder], None]) -> None:
        """Begins with a recorder, as soon as the microphone is allowed."""
        recorder = self._make_recorder()
        if recorder.has_permission():
            begin(recorder)
        elif recorder.should_explain():
            self._ask_for_permission("permission", recorder, begin)
        else:
            self._request(recorder, begin)

    def _ask_for_permission(
        self, key: str, recorder: Recorder, begin: Callable[[Recorder], None]
    ) -> None:
        self.ask(
            key,
            [
                ("allow", "permission.ask", "filled", lambda: self._request(recorder, begin)),
                ("not_now", "not_now", "plain", None),
            ],
        )

    def _request(self, recorder: Recorder, begin: Callable[[Recorder], None]) -> None:
        def answered(permission: Permission) -> None:
            Clock.schedule_once(lambda _: permitted(permission), 0)

        def permitted(permission: Permission) -> None:
            if permission is Permission.GRANTED:
                begin(recorder)
            else:
                self._tell_denied(recorder, permission is Permission.DENIED_FOR_EVER, begin)

        recorder.request_permission(answered)

    def tell_denied(self, for_ever: bool, begin: Callable[[Recorder], None]) -> None:
        """A dialog about a microphone that was refused; begins once it is allowed after all."""
        self._tell_denied(self._make_recorder(), for_ever, begin)

    def _tell_denied(
        self, recorder: Recorder, for_ever: bool, begin: Callable[[Recorder], None]
    ) -> None:
        if not for_ever:
            self._ask_for_permission("permission.denied", recorder, begin)
            return
        self.ask(
            "permission.for_ever",
            [
                ("settings", "permission.settings", "filled", lambda: self._settings_of(recorder)),
                ("not_now", "not_now", "plain", None),
            ],
        )

    def _settings_of(self, recorder: Recorder) -> None:
        if not recorder.open_settings():
            self.say("permission.no_settings")

    def _start(self, recorder: Recorder) -> None:
        if self.session is not None:
            return
        question = Question(self.preferences.gender, self.preferences.interval)
        self.session = Session(self.recognizer, recorder, question, self.voice)
        self.go("listen")
        assert self._listen is not None
        self._listen.follow(self.session)
        self._ticking = Clock.schedule_interval(self.tick, 1 / FRAMES_PER_SECOND)
        self.session.start()

    def tick(self, _: float) -> None:
        """Looks at the session, for every frame."""
        session = self.session
        if session is None:
            return
        if session.state in OVER:
            self._session_over(session)
        elif self.screen is self._listen and self._listen is not None:
            self._listen.show(session)

    def _session_over(self, session: Session) -> None:
        self.session = None
        self._ticking.cancel()
        self._ticking = None
        if session.state is SessionState.DONE:  # its result is shown in place of the other screen
            self._show_new_result(session)
        if self._listen is not None:
            self._listen.follow(None)
        if session.state is SessionState.CANCELLED:
            self.say("listen.cancelled")
        elif session.state is SessionState.FAILED:
            assert session.problem is not None
            if isinstance(session.problem, PermissionDenied):
                self.tell_denied(session.problem.for_ever, self._start)
            else:
                self.tell_problem(session.problem)

    def _show_new_result(self, session: Session) -> None:
        assert session.result is not None
        notice = "" if session.problem is None else self._notice(session)
        screen = ResultScreen(self, session.result, session.recording, notice)
        self._back_to = "listen"
        self._show(screen, "listen")
        history = self.history
        if history is None:
            self.say("storage.no_history")
            return
        result = session.result
        assert session.recording is not None
        sound = session.recording.sound if self.preferences.keep_recordings else None

        def add() -> Result:
            kept = history.add(result, sound)
            screen.number = kept.number
            return kept

        def added(result: Result) -> None:
            screen.numbered(result)
            self._look_for_usual()

        self.background.run(add, then=added, failed=self.tell_storage_problem)

    def _notice(self, session: Session) -> str:
        words = self.look.words
        assert session.problem is not None
        return words(
            "result.cut_short",
            problem=problem(words, session.problem),
            time=words.clock(session.time),
        )

    def change_note(self, result: Result) -> None:
        """Keeps the words of a result that is in the history."""
        history, number = self.history, result.number
        if history is not None and number is not None:
            self.background.run(
                lambda: history.change_note(number, result.note), failed=self.tell_storage_problem
            )

    def put_right(self, screen: ResultScreen, meant: str) -> None:
        """Keeps what was meant by the result of a screen, and teaches the owner's voice by it."""
        history = self.history
        if history is None:
            screen.chosen_is_lost()
            self.say("storage.no_history")
            return

        def keep() -> bool | None:
            futures.wait([self._models])  # it is learnt if it was they who answered
            if screen.number is None:
                return None
            return meant_by.put_right(history, self.own_voice, screen.number, meant)

        def kept(learnt: bool | None) -> None:
            if learnt is None:  # nor was the result
                screen.chosen_is_lost()
                self.say("storage.failed")
                return
            screen.chosen_is_kept(meant)
            self._voice_changed()
            self._look_for_usual()
            if meant:
                key = "own_voice.learnt" if learnt else "result.meant.noted"
                self.say(key, emotion=self.look.words(f"emotion.{meant}"))
            else:
                self.say("result.meant.taken_back")

        def failed(error: Exception) -> None:
            screen.chosen_is_lost()
            self.tell_storage_problem(error)

        self.background.run(keep, then=kept, failed=failed)

    def ask_to_delete(self, result: Result) -> None:
        """Deletes one result, if the user says so again."""
        self.ask(
            "delete",
            [
                ("delete_it", "delete.yes", "danger", lambda: self._delete(result)),
                ("keep_it", "delete.no", "plain", None),
            ],
        )

    def _delete(self, result: Result) -> None:
        def delete(number: int | None) -> None:
            history = self.history
            if history is not None and number is not None:
                self.background.run(
                    lambda: meant_by.delete(history, self.own_voice, number),
                    then=lambda _: self._deleted(),
                    failed=self.tell_storage_problem,
                )
            else:
                self._deleted()

        def known(_: Any) -> None:
            # A fresh result has its number only after it was added, by a job before this one.
            shown = self.screen
            fresh = result.number is None and isinstance(shown, ResultScreen)
            delete(shown.result.number if fresh else result.number)

        self.background.run(lambda: None, then=known)

    def _deleted(self) -> None:
        if isinstance(self.screen, ResultScreen):
            self.go(self._back_to)
        elif isinstance(self.screen, HistoryScreen):
            self.screen.refresh()
        self._voice_changed()
        self._look_for_usual()
        self.say("delete.done")

    def ask_to_delete_all(self) -> None:
        """Deletes everything, if the user says so again."""
        self.ask(
            "delete_all",
            [
                ("delete_them", "delete_all.yes", "danger", self._delete_all),
                ("keep_them", "delete.no", "plain", None),
            ],
        )

    def _delete_all(self) -> None:
        history = self.history

        def delete() -> None:
            self.own_voice.forget()
            if history is not None:
                history.delete_all()

        def deleted(_: None) -> None:
            self._voice_forgotten()
            self._deleted()

        self.background.run(delete, then=deleted, failed=self.tell_storage_problem)

    def teach(self, prediction: Prediction, emotion: str) -> None:
        """One more example of the owner's voice."""

        def taught(_: None) -> None:
            self._voice_changed()
            words = self.look.words
            learnt = words("own_voice.learnt", emotion=words(f"emotion.{emotion}"))
            self._say(f"{learnt} {advice(words, prediction.flags)}".rstrip())

        self.background.run(
            lambda: self.own_voice.teach(prediction, emotion),
            then=taught,
            failed=self.tell_storage_problem,
        )

    def take_example_back(self, emotion: str) -> None:
        """The last one of that emotion, from the owner's voice."""

        def taken_back(_: None) -> None:
            self._voice_changed()
            self.say("own_voice.taken_back", emotion=self.look.words(f"emotion.{emotion}"))

        self.background.run(
            lambda: self.own_voice.take_back(emotion),
            then=taken_back,
            failed=self.tell_storage_problem,
        )

    def ask_to_forget_voice(self) -> None:
        """Forgets the owner's voice, if the user says so again."""
        self.ask(
            "forget_voice",
            [
                ("forget_it", "forget_voice.yes", "danger", self._forget_voice),
                ("keep_it", "delete.no", "plain", None),
            ],
        )

    def _forget_voice(self) -> None:
        def forgotten(_: None) -> None:
            self._voice_forgotten()
            self.say("forget_voice.done")

        self.background.run(
            self.own_voice.forget, then=forgotten, failed=self.tell_storage_problem
        )

    def _voice_forgotten(self) -> None:
        for name, before in (("hear_by_voice", True), ("always_me", False)):
            if getattr(self.preferences, name) is not before:
                self.choose(name, before)  # as before anything was learnt
        self._voice_changed()

    def _look_for_usual(self) -> None:
        """How the owner usually sounds, by the results that are there now."""
        history, wanted = self.history, self.preferences.always_me
        if not wanted and self.own_voice.usual is None:
            return

        def found(usual: Usual | None) -> None:
            if not self.preferences.always_me:
                usual = None  # it was switched off meanwhile
            if usual != self.own_voice.usual:
                self.own_voice.usual = usual
                self._voice_changed()

        if history is None or not wanted:
            found(None)
        else:
            self.background.run(lambda: usual_by(history, self.own_voice), then=found)

    def _voice_changed(self) -> None:
        if isinstance(self.screen, OwnVoiceScreen):
            self.screen.refresh()

    def export(self) -> None:
        """Hands the whole history to the share sheet, or saves it where there is none."""
        history = self.history
        if history is None:
            return
        exported = self.folder / "cache" / "export"

        def write() -> Path:
            for before in exported.glob("*"):
                before.unlink(missing_ok=True)
            return write_archive(exported, history, self.own_voice.file)

        def hand_over(archive: Path) -> None:
            # A desktop copies it, which may take a while; a share sheet is shown by this thread.
            saved = self.sharing.file(archive)
            if saved is not None:
                archive.unlink(missing_ok=True)
                self.say("export.saved", path=str(saved))

        def guarded(archive: Path) -> None:
            try:
                hand_over(archive)
            except (OSError, SharingFailed) as error:
                self.tell_storage_problem(error)

        self.background.run(write, then=guarded, failed=self.tell_storage_problem)

    def share_result(self, result: Result) -> None:
        """One line about a result."""
        words = self.look.words
        line = words(
            "result.line",
            emotion=words(f"emotion.{result.emotion}"),
            certainty=certainty(words, result),
            voice=voice(words, result),
            seconds=words.seconds(result.duration),
        )
        if result.meant:
            line = f"{line} {words('result.line.meant', emotion=words(f'emotion.{result.meant}'))}"
        self.share_line(line)

    def share_line(self, line: str) -> None:
        """Hands a line of text to the share sheet, or to the clipboard."""
        if line and self.sharing.text(line) == "clipboard":
            self.say("export.copied")

    def choose(self, name: str, value: Any) -> None:
        """Changes one of the preferences, and everything that depends on it."""
        if self._wanted is not None and not isinstance(self._wanted.screen, SettingsScreen):
            return  # they are being left
        self.preferences = self.preferences.with_choice(name, value)
        preferences = self.preferences
        self.background.run(
            lambda: save_preferences(self._preferences_file, preferences),
            failed=self.tell_storage_problem,
        )
        for screen in (self.screen, self._wanted and self._wanted.screen):
            if screen is not None:
                screen.chosen(name, value)
        if name in REBUILT_FOR:
            self._rebuild()
        elif name == "always_me":
            self._look_for_usual()

    def _make_look(self) -> Look:
        preferences: Preferences = self.preferences
        dark = prefers_dark() if preferences.theme == "automatic" else preferences.theme == "dark"
        spoken = language() if preferences.language == "automatic" else preferences.language
        return Look(DARK if dark else LIGHT, Catalogue(spoken), preferences.text_size)

    def _rebuild(self) -> None:
        """All in another look; only the settings can ask for it.

        They are built out of sight, and take the place of what is shown when all of them are there,
        or as soon as another screen is wanted.
        """
        if self._rebuilding is not None:
            self._rebuilding.stop()
        self.look = self._make_look()
        self._listen = None
        assert self.screen is not None
        self.screen.stop_building()  # it is not shown for long
        screen = SettingsScreen(self)
        self._wanted = Wanted(screen, screen.name, screen.parts_left())
        self._rebuilding = Gradually(self._rebuilt())

    def _rebuilt(self) -> Iterator[Any]:
        yield from self.rubbish.removal()
        assert self.frame is not None
        frame = Frame(self)
        frame.size = self.frame.size
        yield NEXT_FRAME
        shown = None
        while self._wanted is not shown:
            shown = self._wanted
            assert shown is not None
            if not isinstance(shown.screen, SettingsScreen):
                break
            frame.show(shown.screen, shown.tab)
            yield NEXT_FRAME
            for step in shown.parts:
                yield step
                if self._wanted is not shown:
                    break
            yield NEXT_FRAME
            if self._wanted is not shown:
                frame.show_nothing()
                yield from self.rubbish.removal()
        self._wanted = self._rebuilding = None
        if not isinstance(shown.screen, SettingsScreen):  # built where it is seen, as ever
            frame.show(shown.screen, shown.tab)
            next(shown.parts, None)
        self._take_place(frame, shown.screen)
        shown.screen.build(self.rubbish.removal())
        shown.screen.build(shown.parts)

    def _take_place(self, frame: Frame, screen: Screen) -> None:
        left, before = self.screen, self.frame
        assert left is not None and before is not None
        left.stop_building()
        if isinstance(left, SettingsScreen) and isinstance(screen, SettingsScreen):
            screen.scroll.scroll_y = left.scroll.scroll_y
        self.keyboard.forget()
        for over in [each for each in before.children if isinstance(each, (Dialog, Toast))]:
            before.remove_widget(over)
            frame.add_widget(over)
        parent = before.parent
        if parent is not None:
            parent.remove_widget(before)
            parent.add_widget(frame)
        before.close()
        Window.clearcolor = rgba(self.look.palette.background)
        self.root = self.frame = frame
        self.screen = screen
        left.left()
        screen.entered()

    def say(self, key: str, **values: Any) -> None:
        """A line that goes by itself."""
        self._say(self.look.words(key, **values))

    def _say(self, text: str) -> None:
        if self.frame is not None:
            self.frame.say(text)

    def ask(self, key: str, answers: list[tuple[str, str, str, Callable[[], None] | None]]) -> None:
        """A dialog; answers: (key, key of its words, kind, what to do), the harmless one last."""
        self._open_dialog(self.look.words(f"{key}.text"), self.look.words(f"{key}.title"), answers)

    def tell_problem(self, error: Exception) -> None:
        """A dialog about what went wrong."""
        self._tell(problem(self.look.words, error))

    def tell_flag(self, flag: str) -> None:
        """A dialog about a sound that is good for nothing."""
        self._tell(self.look.words(f"flag.{flag}"))

    def _tell(self, text: str) -> None:
        title = self.look.words("problem.title")
        self._open_dialog(text, title, [("understood", "ok", "filled", None)])

    def tell_storage_problem(self, error: Exception) -> None:
        """A line about what could not be kept, deleted, played or exported."""
        if isinstance(error, NoSpace) or getattr(error, "errno", None) == errno.ENOSPC:
            self.say("storage.full")
        elif isinstance(error, SharingFailed):
            self.say("export.impossible")
        else:
            Logger.error("Storage: %s: %s", type(error).__name__, error)
            self.say("storage.failed")

    def _open_dialog(
        self,
        text: str,
        title: str,
        answers: list[tuple[str, str, str, Callable[[], None] | None]],
    ) -> None:
        if self.frame is None:
            return
        if self.dialog is not None:
            self.dialog.back()
        self.keyboard.forget()
        said = [(key, self.look.words(words), kind, act) for key, words, kind, act in answers]
        self.frame.add_widget(Dialog(self.look, title, text, said))

    def _load(self, make_recognizer: Callable[[], Recognizer]) -> Recognizer:
        recognizer = make_recognizer()
        recognizer.prepare()
        self.own_voice.check_models(recognizer.models)
        assert edge.__version__  # reading it takes longer than the screen should wait
        self.startup.ended("models")
        Clock.schedule_once(lambda _: self._models_there())
        return recognizer

    def _models_there(self) -> None:
        if self.own_voice.lost:
            self._voice_changed()
        self._look_for_usual()
        if isinstance(self.screen, ResultScreen):
            self.screen.show_meant()
        if self.screen is self._listen and self.session is None:
            self._settled()

    def _history_opened(self, history: History) -> None:
        self.history = history
        self._look_for_usual()
        if history.laid_aside is not None:
            self.say("storage.damaged")
        if isinstance(self.screen, HistoryScreen):
            self.screen.refresh()

    def _first_frame(self, _: Any) -> None:
        Window.unbind(on_flip=self._first_frame)
        self.startup.ended("first frame")
        import_module("kivy.core.clipboard")  # or the first field for text waits, within a frame
        self._settled()
        Logger.info("Startup: %s", self.startup.line())
