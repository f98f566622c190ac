"""The light widgets against Kivy's own, which they stand in for."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def look(kivy):
    from app.look.look import Look
    from app.look.palette import DARK
    from app.strings import Catalogue

    return Look(DARK, Catalogue("en"), 1.0)


@pytest.fixture
def place(kivy):
    """A function that lets a widget, and all in it, find their places."""
    from kivy.base import EventLoop
    from kivy.core.window import Window
    from kivy.uix.widget import Widget

    EventLoop.ensure_window()
    ground = Widget()
    Window.add_widget(ground)

    def place_(widget):
        if widget.parent is None:
            ground.add_widget(widget)
        for _ in range(3):
            EventLoop.idle()

    yield place_
    Window.remove_widget(ground)


def children_of(rng, orientation):
    """The same widgets for each of two layouts: some of fixed size, some with a share."""
    from kivy.uix.widget import Widget

    across = ("y", "center_y", "top") if orientation == "horizontal" else ("x", "center_x", "right")
    made = []
    for _ in range(rng.integers(1, 6)):
        width, height = rng.uniform(5, 60, 2).tolist()
        hints = [None if rng.random() < 0.5 else float(rng.uniform(0.2, 1.0)) for _ in range(2)]
        hint = {} if rng.random() < 0.5 else {str(rng.choice(across)): float(rng.random())}
        made.append({"size": (width, height), "size_hint": hints, "pos_hint": hint})
    # BoxLayout begins below where nothing has a share of the height.
    made[0]["size_hint"][0 if orientation == "horizontal" else 1] = 1.0
    return [[Widget(**each) for each in made] for _ in range(2)]


@pytest.mark.parametrize("orientation", ["horizontal", "vertical"])
def test_a_box_places_as_kivys_does(place, orientation):
    from kivy.uix.boxlayout import BoxLayout

    from app.widgets.box import Box

    rng = np.random.default_rng(7)
    for trial in range(20):
        settings = {
            "orientation": orientation,
            "spacing": float(rng.integers(0, 10)),
            "padding": [float(each) for each in rng.integers(0, 12, size=(1, 2, 4)[trial % 3])],
        }
        if len(settings["padding"]) == 1:
            settings["padding"] = settings["padding"][0]
        boxes = []
        for kind, children in zip((Box, BoxLayout), children_of(rng, orientation)):
            box = kind(size_hint=(None, None), size=(500, 400), pos=(30, 20), **settings)
            for child in children:
                box.add_widget(child)
            place(box)
            boxes.append(box)
        for ours, theirs in zip(boxes[0].children, boxes[1].children):
            assert ours.size == pytest.approx(theirs.size)
            assert ours.pos == pytest.approx(theirs.pos), settings


def test_a_box_follows_what_changes_in_it(place):
    from kivy.uix.widget import Widget

    from app.widgets.box import Box
    from app.widgets.containers import Column

    first, second = Widget(size_hint_y=None, height=10), Widget(size_hint_y=None, height=20)
    column = Column(first, second, spacing=4, padding=(1, 2, 3, 5), size_hint_x=None, width=100)
    place(column)
    assert column.height == 2 + 10 + 4 + 20 + 5 and first.width == second.width == 96
    assert first.top == column.top - 2 and second.y == column.y + 5
    second.height = 50
    place(column)
    assert column.height == 71
    column.remove_widget(first)
    column.spacing, column.padding = 9, 6
    place(column)
    assert column.height == 62 and second.pos == [6, 6]
    first.height = 99
    place(column)
    assert column.height == 62
    line = Box(size_hint=(None, None), size=(100, 50))
    line.add_widget(first)
    place(line)
    assert first.width == 100
    first.size_hint_x = None
    first.width = 40
    line.orientation = "vertical"
    place(line)
    assert (first.width, first.top) == (40, 50)


def test_a_box_that_has_no_width_yet_lays_nothing_out(place):
    from kivy.uix.widget import Widget

    from app.widgets.containers import Column

    child = Widget(width=77)
    column = Column(child)
    place(column)
    assert child.width == 77 and column.width == 1


@pytest.mark.parametrize("markup", [False, True])
def test_letters_are_those_of_kivys_label(look, place, markup):
    from kivy.uix.label import Label

    from app.widgets.text import Text

    text = "Some words, and [b]others[/b]; enough for more than one line\nand one more."
    ours = Text(look, text, "body", "#ffffff", markup=markup)
    theirs = Label(
        text=text, font_size=look.size_of("body"), line_height=1.12, markup=markup, halign="left"
    )
    theirs.text_size = (150, None)
    ours.width = 150
    for widget in (ours, theirs):
        place(widget)
    assert tuple(ours.texture_size) == tuple(theirs.texture_size)
    assert ours.height == ours.texture_size[1] > 3 * look.size_of("body")
    assert ours._area.texture.pixels == theirs.texture.pixels


def test_a_text_leaves_the_collector_a_third_of_what_a_label_does(look, kivy):
    import gc

    from kivy.uix.label import Label

    from app.widgets.text import Text

    def objects(make) -> float:
        make()  # what is made once
        gc.collect()
        before = len(gc.get_objects())
        kept = [make() for _ in range(20)]
        return (len(gc.get_objects()) - before) / len(kept)

    text, label = objects(lambda: Text(look, "words")), objects(lambda: Label(text="words"))
    print(f"objects: {text:.0f} of a Text, {label:.0f} of a Label")
    assert 0 < text < 0.36 * label


def test_text_that_fits_its_letters_grows_with_them(look, place):
    from app.widgets.text import Text

    text = Text(look, "no", fit=True, align="right", colour="#102030")
    place(text)
    narrow = text.width
    assert text.natural_width == narrow > 1
    text.text = "nono"
    place(text)
    assert narrow < text.width == text.texture_size[0] < 3 * narrow
    light = text._area.texture.pixels
    text.bold = True
    place(text)
    assert text._area.texture.pixels != light
    text.at_least(200)
    assert text.width == 200
    assert text._area.pos[0] == 200 - text.texture_size[0]  # at its right end
    text.at_least(0)
    text.fit_into(0.75 * text.natural_width)
    place(text)
    assert text.width <= 0.75 * text.natural_width and text.texture_size[1] == text.height
    before = text._area.texture
    text.colour = "#ff0000"
    place(text)
    assert text._ink.rgba == [1, 0, 0, 1] and text._area.texture is before
    text.text = ""
    place(text)
    assert tuple(text.size) == (0, 0) == tuple(text._area.size)


def test_a_sheet_passes_touches_on_to_where_its_content_is(place):
    from kivy.uix.widget import Widget

    from app.widgets.containers import Sheet

    content = Widget(height=50)
    sheet = Sheet(content, size_hint_x=None, width=80, pos=(100.4, 200.6))
    place(sheet)
    assert tuple(content.pos) == (0, 0) and content.width == 80 and sheet.height == 50
    assert content.to_window(5, 6) == pytest.approx((105.4, 206.6))
    assert sheet._shift.xy == (100, 201)  # letters stand on whole pixels
    content.height = 70
    assert sheet.height == 70


def test_a_table_is_as_large_as_its_columns(look, place):
    from kivy.core.text.markup import MarkupLabel

    from app.widgets.markdown import BETWEEN_COLUMNS, Table

    table = Table(look)
    columns = ("[b]corpus[/b]\nravdess\nsavee", "[b]UA[/b]\n60.9")
    sizes = []
    for column in columns:
        table.add(column)
        letters = MarkupLabel(text=column, font_size=look.size_of("caption"), line_height=1.12)
        letters.refresh()
        sizes.append(letters.texture.size)
    table.pos = (10, 30)
    assert table.width == sizes[0][0] + BETWEEN_COLUMNS + sizes[1][0]
    assert table.height == sizes[0][1] > sizes[1][1]
    first, second = table._columns
    assert first.pos == (10, 30)
    assert second.pos == (10 + sizes[0][0] + BETWEEN_COLUMNS, 30 + sizes[0][1] - sizes[1][1])
    assert table.text == "\n".join(columns)


def test_a_long_paragraph_ends_with_a_sentence():
    from app.widgets.markdown import PARAGRAPH, Block, blocks

    sentence = "It says 1. 5 in **bold**, e.g. as `this`, and no more than that."
    shown = sentence.replace("**bold**", "[b]bold[/b]")
    shown = shown.replace("`this`", "[font=RobotoMono-Regular]this[/font]")
    most = -(-PARAGRAPH // (len(sentence) + 1))
    (block,) = blocks("\n".join([sentence] * (2 * most + 1)))
    assert block == Block("text", (" ".join([shown] * most), " ".join([shown] * most), shown))
    assert blocks(sentence) == [Block("text", (shown,))]
