"""How much each frame asks of the screen's thread: counted, and by the clock of its own work."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Iterator

from app.recorders import FileRecorder
from app.recorders.clock import ManualClock

FRAME_SECONDS = 1 / 60

MOST_CALLS = 5_000
"""Of functions, Python's and C's, in a frame's work besides drawing.

How long they take depends on the machine and on what else uses it; how many they are does not.
"""

CALLS_PER_SECOND = 650_000
"""That a frame's pieces are taken to make, where they are counted."""

MOST_OBJECTS = 34_000
"""That Python's collector may look through at once, young collections aside.

Its work is no call: all of it is one block.
"""

ROUNDS = 3
"""In which calls and objects are counted, at most: the first will do if they were not too many, as
they may be when other threads come to more of their work than usual at once."""

SECONDS = 4.0
RESULTS = 200
"""In the history."""

PAGES = ("history", "settings", "own_voice", "privacy", "model_card", "benchmark", "listen")

AFTER = 4
"""Frames that are looked at after all is there."""


class Collector:
    """Counts what Python's collector looks through at its full collections.

    counts: whether it does. Who counts holds all objects for a moment, and a tuple that another
        thread is about to fill must not be held: that thread would fail (SystemError).
    """

    def __init__(self) -> None:
        self.objects = 0
        self.counts = False

    def __enter__(self) -> Collector:
        gc.callbacks.append(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._called)

    def _called(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] == 2 and phase == "start" and self.counts:
            self.objects = len(gc.get_objects())


class Calls:
    """Counts the functions that this thread calls, and tells the time by them.

    Who counts is slower by half, so that what is counted is not timed.
    """

    def __init__(self) -> None:
        self.count = 0

    def seconds(self) -> float:
        """That have passed, wherever the calls come from."""
        return self.count / CALLS_PER_SECOND

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        sys.setprofile(self._happened)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _happened(self, frame: object, event: str, function: object) -> None:
        if event in ("call", "c_call"):
            self.count += 1


def work_of_a_frame(act=None) -> float:
    """Does all that a frame does but drawing; seconds that this thread worked.

    act: what a finger does in it.
    """
    from kivy.clock import Clock
    from kivy.lang import Builder

    begin = time.thread_time()
    Clock.tick()
    if act is not None:
        act()
    Builder.sync()
    Clock.tick_draw()
    Builder.sync()
    return time.thread_time() - begin


@contextlib.contextmanager
def settled(phone) -> Iterator[None]:
    """As `app.main` does some seconds after the start: what is there is not looked at again."""
    phone.until(lambda: phone.app.complete and phone.app.background.idle)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Frames:
    """Does the work of frames, and knows the largest of each action.

    calls: counts them in place of the seconds, if given.
    """

    def __init__(self, collector: Collector, calls: Calls | None = None) -> None:
        self.most: dict[str, float] = defaultdict(float)
        self.objects: dict[str, int] = defaultdict(int)
        self.until_complete: dict[str, int] = defaultdict(int)
        self._collector = collector
        self._calls = calls

    def frame(self, name: str, act=None) -> None:
        """One, of the action of that name."""
        if self._calls is None:
            work = work_of_a_frame(act)
        else:
            before = self._calls.count
            with self._calls.counted():
                work_of_a_frame(act)
            work = self._calls.count - before
        self.most[name] = max(self.most[name], work)

    def measure(self, app, name: str, act, until=lambda: True) -> None:
        """Acts within a frame, and goes on until all of it is there."""
        self._collector.objects = 0
        self._collector.counts = app._models.done()
        self.frame(name, act)
        left, there, frames = AFTER, False, 1
        end = time.monotonic() + 30
        while left:
            assert time.monotonic() < end, f"{name}: it did not happen"
            if not there:
                time.sleep(0.002)  # or no other thread comes to its work
            if app.session is not None or app.teaching.session is not None:
                self._collector.counts = False
            self.frame(name)
            frames += 1
            there = app.complete and app.background.idle and until()
            left = left - 1 if there else AFTER
        self._collector.counts = False
        self.objects[name] = max(self.objects[name], self._collector.objects)
        self.until_complete[name] = max(self.until_complete[name], frames - AFTER)


def open_everything(frames: Frames, app, time_of: str) -> None:
    """Each screen and page."""
    for name in PAGES:
        frames.measure(app, f"{name}, {time_of}", lambda name=name: app.go(name))


def turn_everything(frames: Frames, app, result) -> None:
    """The phone, to its side and back, on each screen and page."""
    from kivy.core.window import Window

    upright = tuple(Window.size)
    pages = {name: lambda name=name: app.go(name) for name in PAGES}
    pages["result"] = lambda: app.open_result(result)
    for name, show in pages.items():
        frames.measure(app, f"{name}, once more", show)
        for way, size in (("aside", upright[::-1]), ("upright", upright)):
            frames.measure(
                app, f"turning {name} {way}", lambda size=size: setattr(Window, "size", size)
            )


def change_and_leave(frames: Frames, app, result) -> None:
    """Another look, and another screen before the settings have it."""
    pages = {
        name: lambda name=name: app.go(name) for name in ("listen", "history", "model_card")
    }
    pages["result"] = lambda: app.open_result(result)
    for number, (name, show) in enumerate(pages.items()):
        app.go("settings")
        frames.measure(app, "settings, once more", lambda: None)
        theme = ("light", "dark")[number % 2]
        for later in (0, 3):
            frames.frame("a theme begins", lambda theme=theme: app.choose("theme", theme))
            for _ in range(later):
                frames.frame("a theme begins")
            assert not app.complete
            frames.measure(app, f"to {name} after {later} frames", show)
            assert app.screen.name == name and app.screen.look is app.look
            app.go("settings")
            frames.measure(app, "settings, once more", lambda: None)
            theme = ("dark", "light")[number % 2]
        frames.measure(app, "theme", lambda theme=theme: app.choose("theme", theme))
        frames.measure(app, "listen, in another look", lambda: app.go("listen"))


def use_everything(frames: Frames, app, record) -> None:
    """All but recording, from a first result on."""
    frames.measure(app, "the result of a recording", record)
    frames.measure(app, "back", app.back)
    open_everything(frames, app, "first")
    open_everything(frames, app, "again")
    (result,) = app.history.results()
    for number in range(RESULTS - 1):
        earlier = dataclasses.replace(result, began=result.began - 3600.0 * (number + 1))
        app.history.add(earlier.with_note(f"note x{number}x" if number % 2 else ""))
    frames.measure(app, "a long history", lambda: app.go("history"))
    assert len(app.screen.rows.children) < 40

    def found(count: int) -> bool:
        words = app.look.words
        return app.screen.summary.text == words.count("history.count", count)

    for written, count in (("note", RESULTS // 2 - 1), ("x19x", 1), ("", RESULTS)):
        frames.measure(
            app,
            f"searching {written!r}",
            lambda written=written: setattr(app.screen.search, "text", written),
            lambda count=count: found(count),
        )
    for place in (0.99, 0.9, 0.5, 0.0):
        frames.measure(
            app, "scrolling", lambda place=place: setattr(app.screen.scroll, "scroll_y", place)
        )
    frames.measure(app, "a kept result", lambda: app.open_result(result))
    for place in (0.2, 0.5, 0.9):
        frames.measure(
            app,
            "scrubbing",
            lambda place=place: app.screen.timeline._scrub(place * app.screen.timeline.duration),
        )
    for emotion in ("happy", "sad", "sad", "calm"):
        frames.measure(
            app,
            "an answer put right",
            lambda emotion=emotion: app.screen._chips[emotion].press(),
        )
    assert app.own_voice.voice.counts() == {"calm": 1}
    app.go("settings")
    for name, values in (
        ("theme", ("light", "dark")),
        ("language", ("de", "en")),
        ("text_size", (1.5, 1.0)),
    ):
        for value in values:
            frames.measure(app, name, lambda name=name, value=value: app.choose(name, value))
    change_and_leave(frames, app, result)
    turn_everything(frames, app, result)
    frames.measure(app, "own_voice, once more", lambda: app.go("own_voice"))
    for number, emotion in enumerate(("happy", "sad", "happy")):
        frames.measure(
            app,
            "an example of a voice",
            lambda emotion=emotion: app.teaching.begin_or_stop(emotion),
            lambda number=number: len(app.own_voice.voice.examples) == number + 2,
        )
    frames.measure(
        app,
        "an example taken back",
        lambda: app.take_example_back("happy"),
        lambda: app.own_voice.voice.counts() == {"calm": 1, "happy": 1, "sad": 1},
    )
    frames.measure(app, "a question", app.ask_to_delete_all)
    frames.measure(app, "its answer", app.dialog.back)
    frames.measure(app, "a word in passing", lambda: app.say("export.copied"))


def use(frames: Frames, phone) -> None:
    """All of the app, from the beginning of a first recording on."""
    app = phone.app
    with settled(phone):
        frames.frame("listening begins", app.listen_or_stop)
        frames.frame("listening begins")
        assert app.session.wait(60)
        use_everything(frames, app, lambda: app.tick(0.0))
        phone.close()


def listen(frames: Frames, phone, clock: ManualClock) -> None:
    """Four seconds, of which nothing is kept."""
    app = phone.app
    phone.tap("record")
    session = app.session
    phone.until(lambda: session.level is not None)
    while session.time < SECONDS:
        before = session.time
        clock.advance(0.05)
        while session.time == before:
            frames.frame("while it listens")
        app.tick(0.0)
        frames.frame("while it listens")
    assert session.decisions >= 4 and app.screen.face.emotion == session.decision.emotion
    assert session.lost_buffers == 0
    phone.tap("cancel")
    phone.until(lambda: app.session is None)


def least(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Of each action, since other threads have a part in what a round has."""
    return {name: min(each[name] for each in rounds) for name in rounds[0]}


def more_than(most: float, found: dict[str, float]) -> dict[str, float]:
    """Those of them that are."""
    return {name: each for name, each in found.items() if each > most}


def in_rounds(monkeypatch, act) -> tuple[Frames, dict[str, float], dict[str, float]]:
    """Acts with frames whose calls are counted, then with frames that are timed.

    Returns the timed ones, and of the others the calls and the objects of each action.
    """
    calls = Calls()
    rounds: list[Frames] = []
    with Collector() as collector:
        with monkeypatch.context() as patched:
            # By this clock, pieces of work know when a frame has enough of them.
            patched.setattr("app.gradual.perf_counter", calls.seconds)
            while len(rounds) < ROUNDS:
                rounds.append(Frames(collector, calls))
                act(rounds[-1])
                counts = least([each.most for each in rounds])
                objects = least([each.objects for each in rounds])
                if not more_than(MOST_CALLS, counts) and not more_than(MOST_OBJECTS, objects):
                    break
        timed = Frames(collector)
        act(timed)
    return timed, counts, objects


def tell(timed, counts, objects, record_property) -> None:
    for name, seconds in timed.most.items():
        ratio = seconds / FRAME_SECONDS
        record_property(name, ratio)
        print(
            f"{name + ':':28} {ratio:.2f} of a frame, {counts[name]:6,} calls, "
            f"{objects.get(name, 0):6,} objects, {timed.until_complete[name]:3} frames"
        )


def test_no_frame_of_opening_a_screen_holds_it(
    open_phone, speech_file, tmp_path, record_property, monkeypatch
):
    folders = (tmp_path / str(number) for number in itertools.count())
    timed, counts, objects = in_rounds(
        monkeypatch,
        lambda frames: use(frames, open_phone(folder=next(folders), keep_recordings=True)),
    )
    tell(timed, counts, objects, record_property)
    assert max(counts.values()) > MOST_CALLS / 2
    assert more_than(MOST_CALLS, counts) == {}
    assert max(objects.values()) > MOST_OBJECTS / 2
    assert more_than(MOST_OBJECTS, objects) == {}


def test_no_frame_of_a_recording_holds_the_screen(
    open_phone, speech_file, record_property, monkeypatch
):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock, repeat=True))
    timed, counts, objects = in_rounds(
        monkeypatch, lambda frames: listen(frames, phone, clock)
    )
    tell(timed, counts, objects, record_property)
    assert 0 < counts["while it listens"] <= MOST_CALLS


def test_calls_are_those_of_functions_while_they_are_counted():
    calls = Calls()
    with calls.counted():
        for _ in range(100):
            len([])
    counted = calls.count
    len([])
    assert 100 <= counted == calls.count < 110
    assert calls.seconds() == counted / CALLS_PER_SECOND


def test_a_screen_that_never_draws_costs_no_sound(open_phone, speech_file):
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock, repeat=True))
    phone.tap("record")
    session = phone.app.session
    phone.until(lambda: session.level is not None)
    for _ in range(240):  # 12 s without one frame, more than a recorder holds
        before = session.time
        clock.advance(0.05)
        while session.time == before:
            pass
    phone.tap("record")
    phone.until(lambda: phone.app.screen.name == "result")
    assert phone.app.screen.result.lost_buffers == 0
    assert phone.app.screen.result.duration > 12.0 - 0.1


def test_the_start_is_told_stage_by_stage(open_phone):
    phone = open_phone()
    seconds = phone.app.startup.seconds()
    assert {"screens", "first frame", "models"} <= set(seconds)
    assert 0 < seconds["screens"] <= seconds["first frame"]
    phone.app.go("settings")
    phone.app.go("benchmark")
    phone.until(lambda: phone.app.complete)
    assert phone.app.look.words("startup.first frame") in phone.texts()
