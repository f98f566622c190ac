"""How long the screen's thread is held while it listens, by the clock of its own work."""

from __future__ import annotations

import time

from app.recorders import FileRecorder
from app.recorders.clock import ManualClock

FRAME_SECONDS = 1 / 60
LONGEST_BLOCK = 0.008 / FRAME_SECONDS
"""Of a frame's time, that a frame's work may take besides drawing."""

RECORDINGS = 3
SECONDS = 4.0


def work_of_a_frame() -> float:
    """Does all that a frame does but drawing; seconds that this thread worked."""
    from kivy.clock import Clock
    from kivy.lang import Builder

    begin = time.thread_time()
    Clock.tick()
    Builder.sync()
    Clock.tick_draw()
    Builder.sync()
    return time.thread_time() - begin


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
    assert phone.app.look.words("startup.first frame") in phone.texts()
