"""How long the screen's thread is held by each frame, by the clock of its own work."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest

from app.recorders import FileRecorder
from app.recorders.clock import ManualClock

pytestmark = pytest.mark.alone

FRAME_SECONDS = 1 / 60
LONGEST_BLOCK = 0.008 / FRAME_SECONDS
"""Of a frame's time, that a frame's work may take besides drawing."""

MOST_OBJECTS = 34_000
"""That Python's collector may look through at once, young collections aside.

How long that takes depends on what else uses the memory: some 7 ms on a machine that does nothing
else, and half as long again where others work. How many there are does not depend on it.
"""

RECORDINGS = 3
SECONDS = 4.0

ROUNDS = (2, 6)
"""At least, and at most: more are gone if a block was too long, as it may be for others' work."""
RESULTS = 200
"""In the history."""

PAGES = ("history", "settings", "own_voice", "privacy", "model_card", "benchmark", "listen")

AFTER = 4
"""Frames that are looked at after all is there."""


class Collector:
    """Watches what Python's collector does at its full collections.

    counts: whether objects are counted. Who counts holds them all for a moment, and a tuple that
        another thread is about to fill must not be held: that thread would fail (SystemError).
    """

    def __init__(self) -> None:
        self.seconds = self._counting = 0.0
        self.objects = 0
        self.counts = False

    def __enter__(self) -> Collector:
        gc.callbacks.append(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._called)

    def taken(self) -> tuple[float, float]:
        """Seconds that it worked since it was asked before, and those that counting took."""
        taken, self.seconds, self._counting = (self.seconds, self._counting), 0.0, 0.0
        return taken

    def _called(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < 2:
            return
        now = time.thread_time()
        if phase == "start":
            if self.counts:
                self.objects = len(gc.get_objects())
            self._began = time.thread_time()
            self._counting += self._began - now
        else:
            self.seconds += now - self._began


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


class Blocks:
    """The longest block of each action; of the rounds the best, since others use the machine.

    A full collection of Python's is no part of a block here: it is held to `MOST_OBJECTS`.
    """

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._with_collector: dict[str, list[float]] = defaultdict(list)
        self._objects: dict[str, list[int]] = defaultdict(list)

    def measure(self, app, name: str, act, until=lambda: True) -> None:
        """Acts within a frame, and goes on until all of it is there."""
        self._collector.objects = 0
        self._collector.taken()
        self._collector.counts = app._models.done()
        blocks = [self._frame(act)]
        left, there = AFTER, False
        end = time.monotonic() + 30
        while left:
            assert time.monotonic() < end, f"{name}: it did not happen"
            if not there:
                time.sleep(0.002)  # or no other thread comes to its work
            if app.session is not None or app.teaching.session is not None:
                self._collector.counts = False
            blocks.append(self._frame())
            there = app.complete and app.background.idle and until()
            left = left - 1 if there else AFTER
        self._collector.counts = False
        self.note(name, [work for work, _ in blocks])
        self._with_collector[name].append(max(work + collecting for work, collecting in blocks))
        self._objects[name].append(self._collector.objects)

    def note(self, name: str, blocks: list[float]) -> None:
        """Seconds of each frame."""
        self._seconds[name].append(max(blocks))

    def _frame(self, act=None) -> tuple[float, float]:
        """Seconds of a frame without the collector, and of the collector."""
        work = work_of_a_frame(act)
        collecting, counting = self._collector.taken()
        return work - collecting - counting, collecting

    def ratios(self, with_collector: bool = False) -> dict[str, float]:
        """Of a frame's time."""
        seconds = {**self._seconds, **(self._with_collector if with_collector else {})}
        return {name: min(each) / FRAME_SECONDS for name, each in seconds.items()}

    def too_long(self) -> dict[str, float]:
        """Those that are."""
        return {name: ratio for name, ratio in self.ratios().items() if ratio > LONGEST_BLOCK}

    def objects(self) -> dict[str, int]:
        """That the collector looked through at once."""
        return {name: min(each) for name, each in self._objects.items()}


def open_everything(blocks: Blocks, app, time_of: str) -> None:
    """Each screen and page."""
    for name in PAGES:
        blocks.measure(app, f"{name}, {time_of}", lambda name=name: app.go(name))


def turn_everything(blocks: Blocks, app, result) -> None:
    """The phone, to its side and back, on each screen and page."""
    from kivy.core.window import Window

    upright = tuple(Window.size)
    pages = {name: lambda name=name: app.go(name) for name in PAGES}
    pages["result"] = lambda: app.open_result(result)
    for name, show in pages.items():
        blocks.measure(app, f"{name}, once more", show)
        for way, size in (("aside", upright[::-1]), ("upright", upright)):
            blocks.measure(
                app, f"turning {name} {way}", lambda size=size: setattr(Window, "size", size)
            )


def change_and_leave(blocks: Blocks, app, result) -> None:
    """Another look, and another screen before the settings have it."""
    pages = {
        name: lambda name=name: app.go(name) for name in ("listen", "history", "model_card")
    }
    pages["result"] = lambda: app.open_result(result)
    for number, (name, show) in enumerate(pages.items()):
        app.go("settings")
        blocks.measure(app, "settings, once more", lambda: None)
        theme = ("light", "dark")[number % 2]
        for frames in (0, 3):
            begun = [work_of_a_frame(lambda theme=theme: app.choose("theme", theme))]
            begun += [work_of_a_frame() for _ in range(frames)]
            blocks.note("a theme begins", begun)
            assert not app.complete
            blocks.measure(app, f"to {name} after {frames} frames", show)
            assert app.screen.name == name and app.screen.look is app.look
            app.go("settings")
            blocks.measure(app, "settings, once more", lambda: None)
            theme = ("dark", "light")[number % 2]
        blocks.measure(app, "theme", lambda theme=theme: app.choose("theme", theme))
        blocks.measure(app, "listen, in another look", lambda: app.go("listen"))


def use_everything(blocks: Blocks, app, record) -> None:
    """All but recording, from a first result on."""
    blocks.measure(app, "the result of a recording", record)
    blocks.measure(app, "back", app.back)
    open_everything(blocks, app, "first")
    open_everything(blocks, app, "again")
    (result,) = app.history.results()
    for number in range(RESULTS - 1):
        earlier = dataclasses.replace(result, began=result.began - 3600.0 * (number + 1))
        app.history.add(earlier.with_note(f"note x{number}x" if number % 2 else ""))
    blocks.measure(app, "a long history", lambda: app.go("history"))
    assert len(app.screen.rows.children) < 40

    def found(count: int) -> bool:
        words = app.look.words
        return app.screen.summary.text == words.count("history.count", count)

    for written, count in (("note", RESULTS // 2 - 1), ("x19x", 1), ("", RESULTS)):
        blocks.measure(
            app,
            f"searching {written!r}",
            lambda written=written: setattr(app.screen.search, "text", written),
            lambda count=count: found(count),
        )
    for place in (0.99, 0.9, 0.5, 0.0):
        blocks.measure(
            app, "scrolling", lambda place=place: setattr(app.screen.scroll, "scroll_y", place)
        )
    blocks.measure(app, "a kept result", lambda: app.open_result(result))
    for place in (0.2, 0.5, 0.9):
        blocks.measure(
            app,
            "scrubbing",
            lambda place=place: app.screen.timeline._scrub(place * app.screen.timeline.duration),
        )
    for emotion in ("happy", "sad", "sad", "calm"):
        blocks.measure(
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
            blocks.measure(app, name, lambda name=name, value=value: app.choose(name, value))
    change_and_leave(blocks, app, result)
    turn_everything(blocks, app, result)
    blocks.measure(app, "own_voice, once more", lambda: app.go("own_voice"))
    for number, emotion in enumerate(("happy", "sad", "happy")):
        blocks.measure(
            app,
            "an example of a voice",
            lambda emotion=emotion: app.teaching.begin_or_stop(emotion),
            lambda number=number: len(app.own_voice.voice.examples) == number + 2,
        )
    blocks.measure(
        app,
        "an example taken back",
        lambda: app.take_example_back("happy"),
        lambda: app.own_voice.voice.counts() == {"calm": 1, "happy": 1, "sad": 1},
    )
    blocks.measure(app, "a question", app.ask_to_delete_all)
    blocks.measure(app, "its answer", app.dialog.back)
    blocks.measure(app, "a word in passing", lambda: app.say("export.copied"))


def test_no_frame_of_opening_a_screen_holds_it(
    open_phone, speech_file, tmp_path, record_property
):
    with Collector() as collector:
        blocks = Blocks(collector)
        for number in range(ROUNDS[1]):
            phone = open_phone(folder=tmp_path / str(number), keep_recordings=True)
            app = phone.app
            with settled(phone):
                begun = [work_of_a_frame(app.listen_or_stop), work_of_a_frame()]
                blocks.note("listening begins", begun)
                session = app.session
                assert session.wait(60)
                use_everything(blocks, app, lambda app=app: app.tick(0.0))
                phone.close()
            if number + 1 >= ROUNDS[0] and not blocks.too_long():
                break
    objects = blocks.objects()
    for name, ratio in blocks.ratios(with_collector=True).items():
        record_property(name, ratio)
        print(f"{name + ':':28} {ratio:.2f} of a frame, {objects.get(name, 0):6,} objects")
    assert blocks.too_long() == {}
    assert max(objects.values()) > 0
    assert {name: each for name, each in objects.items() if each > MOST_OBJECTS} == {}


def test_no_frame_of_a_recording_holds_the_screen(open_phone, speech_file, record_property):
    """The longest block of each recording; the shortest of these, since others use the machine."""
    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock, repeat=True))
    app = phone.app
    longest = []
    for _ in range(RECORDINGS):
        phone.tap("record")
        session = app.session
        phone.until(lambda session=session: session.level is not None)
        blocks = []
        while session.time < SECONDS:
            before = session.time
            clock.advance(0.05)
            while session.time == before:
                blocks.append(work_of_a_frame())
            app.tick(0.0)
            blocks.append(work_of_a_frame())
        longest.append(max(blocks))
        assert session.decisions >= 4 and app.screen.face.emotion == session.decision.emotion
        assert session.lost_buffers == 0
        phone.tap("cancel")
        phone.until(lambda: app.session is None)
    ratio = min(longest) / FRAME_SECONDS
    record_property("longest block, of a frame", ratio)
    print(f"longest block: {ratio:.2f} of a frame")
    assert ratio <= LONGEST_BLOCK


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
