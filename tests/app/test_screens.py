"""Every screen in every language, size and letter: nothing unnamed, cut, too small or hidden."""

from __future__ import annotations

from itertools import combinations

import pytest

from app.recorders import FileRecorder
from app.recorders.clock import ManualClock

PHONE, SIDEWAYS, SMALL = (412, 892), (892, 412), (320, 568)
LOOKS = [
    ("en", 1.0, PHONE),
    ("en", 1.5, SIDEWAYS),
    ("de", 1.5, SMALL),
    ("de", 1.25, SIDEWAYS),
]
TAB = 9
TOUCH = 48  # points


def on_each_screen(phone, clock):
    """The name of each screen, while it is shown."""
    app = phone.app
    yield "listen"
    phone.tap("record")
    phone.until(lambda: app.session.level is not None)
    for _ in range(50):
        before = app.session.time
        clock.advance(0.05)
        phone.until(lambda before=before: app.session.time > before)
    yield "recording"
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result" and app.background.idle)
    app.screen.note.text = "A note that goes on for longer than one line of a phone can hold"
    phone.frames(3)
    phone.tap("meant.surprised")
    phone.until(lambda: app.background.idle)
    app.frame.toast.close()
    yield "result"
    app.go("history")
    phone.until(lambda: phone.shows("open.1"))
    yield "history"
    app.ask_to_delete_all()
    phone.frames(3)
    yield "question"
    app.dialog.back()
    for name in ("settings", "privacy", "model_card", "benchmark"):
        app.go(name)
        phone.until(lambda: app.background.idle)
        phone.frames(3)
        yield name
    app.go("own_voice")
    phone.until(lambda: app.complete)
    assert phone.shows("take_back.surprised")
    yield "own_voice"
    phone.tap("teach.surprised")
    phone.until(lambda: app.teaching.session.level is not None)
    phone.frames(3)
    yield "teaching"
    app.back()
    phone.until(lambda: app.teaching.session is None)


def box(widget) -> tuple[float, float, float, float]:
    """Left, bottom, right, top in the window."""
    x, y = widget.to_window(*widget.pos)
    return x, y, x + widget.width, y + widget.height


@pytest.mark.parametrize(
    "look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]}-{look[2][0]}x{look[2][1]}"
)
def test_every_control_is_within_reach_and_every_text_whole(look, open_phone, speech_file):
    language, text_size, size = look
    clock = ManualClock()
    phone = open_phone(
        lambda: FileRecorder(speech_file, realtime=clock),
        size=size,
        language=language,
        text_size=text_size,
        keep_recordings=True,
    )
    for name in on_each_screen(phone, clock):
        check_texts(phone, name, size[0])
        check_controls(phone, name, size)


def check_controls(phone, name: str, size: tuple[int, int]) -> None:
    """They are named, large enough for a finger, apart, and reached by finger and keyboard."""
    from app.keyboard import controls

    found = list(controls(phone.app.top))
    keys = [control.key for control in found]
    assert found and len(set(keys)) == len(keys) and all(keys), (name, keys)
    for control in found:
        where = (name, control.key)
        assert control.label.strip(), where
        assert control.width >= TOUCH - 0.5 and control.height >= TOUCH - 0.5, where
        phone.scroll_to(control)
        left, bottom, right, top = box(control)
        assert left >= -0.5 and right <= size[0] + 0.5, (*where, left, right)
        assert bottom >= -0.5 and top <= size[1] + 0.5, (*where, bottom, top)
    for one, other in combinations(found, 2):
        if other in list(one.walk()) or _scrolled(one) is not _scrolled(other):
            continue  # the button within a row; what scrolls passes under what does not
        (l1, b1, r1, t1), (l2, b2, r2, t2) = box(one), box(other)
        apart = r1 <= l2 + 1 or r2 <= l1 + 1 or t1 <= b2 + 1 or t2 <= b1 + 1
        assert apart, (name, one.key, other.key)
    phone.app.keyboard.forget()
    visited = []
    for _ in found:
        phone.key(TAB)
        visited.append(phone.app.keyboard.focused.key)
    assert visited == keys, name
    phone.app.keyboard.forget()


def _scrolled(widget):
    """The scroll view that it is in; what scrolls may lie under what does not."""
    from kivy.uix.scrollview import ScrollView

    while widget is not None and widget is not widget.parent:
        widget = widget.parent
        if isinstance(widget, ScrollView):
            return widget
    return None


def check_texts(phone, name: str, width: int) -> None:
    """They have the room that their letters take, and no word is broken."""
    from app.widgets.letters import Letters

    for widget in phone.widgets():
        if not isinstance(widget, Letters) or not widget.text:
            continue
        where = (name, widget.text)
        letters_wide, letters_high = widget.texture_size
        assert letters_wide <= widget.width + 1, (*where, letters_wide, widget.width)
        assert letters_high <= widget.height + 1, (*where, letters_high, widget.height)
        left, _, right, _ = box(widget)
        assert left >= -0.5 and right <= width + 0.5, (*where, left, right)
        if not widget.markup:
            lines = [
                "".join(word.text for word in line.words) for line in widget._letters._cached_lines
            ]
            shown = [word for line in lines for word in line.split()]
            assert shown == widget.text.split(), (*where, lines)
