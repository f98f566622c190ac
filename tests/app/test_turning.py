"""The phone is turned: what is out of sight is laid out by and by, and nothing gets lost."""

from __future__ import annotations

SIDEWAYS, UPRIGHT = (892, 412), (412, 892)


def turn(size) -> None:
    """Without letting a frame pass."""
    from kivy.core.window import Window

    Window.size = size


def open_model_card(open_phone):
    """The phone, and what scrolls on it."""
    from app.widgets.containers import Scroll

    phone = open_phone()
    app = phone.app
    app.go("model_card")
    phone.until(lambda: app.complete and app.background.idle)
    (scroll,) = (each for each in app.screen.children if isinstance(each, Scroll))
    return phone, scroll


def test_a_long_page_is_turned_by_pieces_and_what_is_read_stays(open_phone):
    phone, scroll = open_model_card(open_phone)
    column = scroll.column

    def topmost():
        """The first that is not all above the sight."""
        cards = column.children[::-1]
        return next(card for card in cards if card.to_window(0, card.y)[1] < scroll.top)

    scroll.scroll_y = 0.5
    phone.frames(2)
    read = topmost()
    for size in (SIDEWAYS, UPRIGHT):
        turn(size)
        phone.frames(1)
        assert not scroll.settled and not phone.app.complete
        phone.until(lambda: phone.app.complete)
        room = column.width - column.padding[0] - column.padding[2]
        assert {each.width for each in column.children} == {room}
        assert all(each.size_hint_x == 1 for each in column.children)
        assert topmost() is read


def test_turned_again_before_it_is_done_a_page_is_as_if_never_turned(open_phone):
    phone, scroll = open_model_card(open_phone)
    before = [tuple(each.size) for each in scroll.column.children]
    for size in (SIDEWAYS, UPRIGHT, SIDEWAYS, UPRIGHT):
        turn(size)
        phone.frames(2)
    phone.until(lambda: phone.app.complete)
    assert [tuple(each.size) for each in scroll.column.children] == before


def test_a_result_turned_while_it_is_built_keeps_its_order(open_phone):
    phone = open_phone(keep_recordings=True)
    app = phone.app
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result" and app.background.idle)
    (result,) = app.history.results()
    app.go("history")
    app.open_result(result)
    for size in (SIDEWAYS, UPRIGHT):
        phone.frames(2)
        assert not app.complete
        turn(size)
    phone.until(lambda: app.complete and app.background.idle)
    screen = app.screen
    cards = [card for _, card in screen._cards]
    (column,) = screen._columns
    assert len(cards) >= 4 and column.column.children[::-1] == cards
    assert [card.top for card in cards] == sorted((card.top for card in cards), reverse=True)
    turn(SIDEWAYS)
    phone.until(lambda: app.complete)
    left, right = screen._columns
    for side, column in enumerate((left, right)):
        here = [card for at, card in screen._cards if at == side]
        assert here and column.column.children[::-1] == here


def test_a_long_history_can_be_scrolled_after_it_was_turned(open_phone):
    import dataclasses

    phone = open_phone()
    app = phone.app
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result" and app.background.idle)
    (result,) = app.history.results()
    for number in range(60):
        note = "a note" if number % 3 else ""
        app.history.add(dataclasses.replace(result, began=result.began - number).with_note(note))
    app.go("history")
    phone.until(lambda: app.complete)
    turn(SIDEWAYS)
    phone.frames(1)
    phone.until(lambda: app.complete)
    scroll, rows = app.screen.scroll, app.screen.rows
    assert {row.width for row in rows.children} == {rows.width}
    for place in (0.7, 0.3, 0.0):
        scroll.scroll_y = place
        phone.frames(1)
        phone.until(lambda: app.complete)
        assert abs(scroll.scroll_y - place) < 0.05
        assert {row.width for row in rows.children} == {rows.width}


def test_who_touches_a_page_while_it_is_turned_moves_it(open_phone):
    phone, scroll = open_model_card(open_phone)
    scroll.scroll_y = 0.5
    phone.frames(2)
    turn(SIDEWAYS)
    phone.frames(1)
    assert scroll._topmost is not None
    phone.touch(*scroll.center)
    assert scroll._topmost is None
    phone.until(lambda: phone.app.complete)


def test_what_is_in_a_card_is_turned_by_pieces_from_the_top(open_phone):
    phone = open_phone()
    app = phone.app
    app.go("own_voice")
    phone.until(lambda: app.complete)
    rows = list(app.screen.rows.values())
    before = rows[0].width
    turn(SIDEWAYS)
    phone.frames(1)
    assert {row.width for row in rows} == {before}
    seen = []
    while not app.complete:
        phone.frames(1)
        seen.append([row.width > before for row in rows])
        assert seen[-1] == sorted(seen[-1], reverse=True)
    assert len({sum(wide) for wide in seen}) > 2  # some of them, and then more
    assert all(seen[-1]) and len({row.width for row in rows}) == 1


def test_listening_is_turned_in_steps_and_nothing_is_missing(open_phone):
    def widgets():
        return {type(each).__name__ for each in app.screen.walk(restrict=True)}

    phone = open_phone()
    app = phone.app
    phone.until(lambda: app.complete)
    upright = widgets()
    for size in (SIDEWAYS, UPRIGHT, SIDEWAYS):
        turn(size)
        phone.frames(1)
        assert not app.complete and "FaceCircle" not in widgets()
        phone.until(lambda: app.complete)
        assert widgets() - {"Widget"} == upright - {"Widget"}
        assert len(app.screen._circle.children) == 9
    turn(UPRIGHT)
    phone.frames(1)  # left and entered again while it is turned
    app.go("settings")
    phone.until(lambda: app.complete)
    app.go("listen")
    phone.until(lambda: app.complete)
    assert widgets() == upright
    assert app.screen.orientation == "vertical"


def test_a_recording_goes_on_while_it_is_turned(open_phone, speech_file):
    from app.recorders import FileRecorder
    from app.recorders.clock import ManualClock

    clock = ManualClock()
    phone = open_phone(lambda: FileRecorder(speech_file, realtime=clock, repeat=True))
    app = phone.app
    phone.tap("record")
    session = app.session
    for size in (SIDEWAYS, UPRIGHT, SIDEWAYS):
        turn(size)
        for _ in range(6):
            before = session.time
            clock.advance(0.2)
            phone.until(lambda before=before: session.time > before)
            phone.frames(1)
        phone.until(lambda: app.complete)
        screen = app.screen
        for widget in (screen.face, screen.emotion, screen.waveform, screen.cancel_button):
            assert widget in list(screen.walk(restrict=True))
    assert screen.face.emotion == session.decision.emotion and session.lost_buffers == 0
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result")


def test_a_result_turned_again_and_again_has_its_width(open_phone):
    phone = open_phone(keep_recordings=True)
    app = phone.app
    phone.tap("record")
    phone.until(lambda: app.screen.name == "result" and app.background.idle and app.complete)
    screen = app.screen
    cards = [card for _, card in screen._cards]
    before = [tuple(card.size) for card in cards]
    inner = [[tuple(each.size) for each in card.column.children] for card in cards]
    for frames in (1, 2, 3, 4, 6):
        for size in (SIDEWAYS, UPRIGHT):
            turn(size)
            phone.frames(frames)
    phone.until(lambda: app.complete)
    assert [tuple(card.size) for card in cards] == before
    assert [[tuple(each.size) for each in card.column.children] for card in cards] == inner
