"""As much of Markdown as a model card is written in: headings, paragraphs, lists and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kivy.core.text.markup import MarkupLabel
from kivy.graphics import Color, Rectangle
from kivy.metrics import dp
from kivy.uix.widget import Widget
from kivy.utils import escape_markup

from app.gradual import NEXT_FRAME
from app.look.look import Look
from app.look.palette import rgba
from app.widgets.containers import Card, Column, PlainScroll
from app.widgets.letters import LINE_HEIGHT
from app.widgets.text import Text

LONG = 100
"""Letters, of a text after which a frame ends."""

PARAGRAPH = 200
"""Letters, after which a paragraph ends with the sentence: a screen's lines are short."""

BETWEEN_COLUMNS = dp(18)
"""Of a table."""


@dataclass(frozen=True)
class Block:
    """kind: "title", "heading", "text", "list" or "table"; lines: of Kivy's markup.

    Of a table each line is a column, its cells one under the other.
    """

    kind: str
    lines: tuple[str, ...]


def blocks(text: str) -> list[Block]:
    """What a text consists of; knows nothing of the screen."""
    found = []
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.strip().splitlines()
        while lines and (heading := re.match(r"(#+) (.*)", lines[0])):
            found.append(
                Block("title" if len(heading[1]) == 1 else "heading", (_markup(heading[2]),))
            )
            del lines[0]
        if not lines:
            continue
        if lines[0].startswith("|"):
            found.append(Block("table", _columns(lines)))
        elif lines[0].startswith("- "):
            items = re.split(r"(?:^|\n)- ", "\n".join(lines))[1:]
            found.append(Block("list", tuple("•  " + _markup(_joined(item)) for item in items)))
        else:
            paragraphs = _paragraphs(_joined("\n".join(lines)))
            found.append(Block("text", tuple(map(_markup, paragraphs))))
    return found


def add_blocks(look: Look, text: list[Block], column: Column) -> Iterator[Any]:
    """Adds a card for each heading with what follows it, a piece of it with each step."""
    card: Card | None = None
    for block in text:
        if card is None or block.kind in ("title", "heading"):
            card = Card(look)
            column.add_widget(card)
        parent, role = card.column, "body"
        if block.kind == "table":
            yield from _add_table(look, block.lines, parent)
            continue
        if block.kind == "list":
            parent = Column(spacing=dp(6))
            card.column.add_widget(parent)
        elif block.kind != "text":
            role = block.kind
        for line in block.lines:
            parent.add_widget(Text(look, line, role, markup=True))
            yield _pause(line)


def _pause(text: str) -> Any:
    """What to yield after it: the letters of a long one take a good part of a frame."""
    return NEXT_FRAME if len(text) >= LONG else None


def _paragraphs(text: str) -> list[str]:
    paragraphs = [""]
    for sentence in re.split(r"(?<=[.!?]) (?=[A-Z])", text):
        if len(paragraphs[-1]) >= PARAGRAPH:
            paragraphs.append("")
        paragraphs[-1] = f"{paragraphs[-1]} {sentence}".strip()
    return paragraphs


def _joined(text: str) -> str:
    return " ".join(text.split())


def _markup(text: str) -> str:
    marked = re.sub(r"\*\*(.+?)\*\*", r"[b]\1[/b]", escape_markup(text))
    return re.sub(r"`(.+?)`", r"[font=RobotoMono-Regular]\1[/font]", marked)


def _columns(lines: list[str]) -> tuple[str, ...]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    rows = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    width = max(len(row) for row in rows)
    filled = [row + [""] * (width - len(row)) for row in rows]
    filled[0] = [f"**{cell}**" if cell else cell for cell in filled[0]]
    # A space keeps the height of a line whose cell is empty.
    return tuple("\n".join(_markup(row[at]) or " " for row in filled) for at in range(width))


class Table(Widget):
    """Columns of letters side by side, as large as all of them: one widget, not one for each."""

    def __init__(self, look: Look) -> None:
        super().__init__(size_hint=(None, None), size=(0, 0))
        self.text = ""
        self._look = look
        self._columns: list[Rectangle] = []
        with self.canvas:
            Color(*rgba(look.palette.text))
        self.fbind("x", self._place)
        self.fbind("y", self._place)

    def add(self, column: str) -> None:
        """Draws one more."""
        letters = MarkupLabel(
            text=column, font_size=self._look.size_of("caption"), line_height=LINE_HEIGHT
        )
        letters.refresh()
        with self.canvas:
            self._columns.append(Rectangle(texture=letters.texture, size=letters.texture.size))
        self.text = "\n".join(filter(None, (self.text, column)))
        between = BETWEEN_COLUMNS * (len(self._columns) - 1)
        self.width = sum(each.size[0] for each in self._columns) + between
        self.height = max(each.size[1] for each in self._columns)
        self._place()

    def _place(self, *_: Any) -> None:
        x = self.x
        for each in self._columns:
            each.pos = (round(x), round(self.y + self.height - each.size[1]))
            x += each.size[0] + BETWEEN_COLUMNS


def _add_table(look: Look, columns: tuple[str, ...], parent: Column) -> Iterator[Any]:
    """It scrolls sideways where it is wider than the screen."""
    table = Table(look)
    view = PlainScroll(
        size_hint_y=None, do_scroll_y=False, bar_width=dp(3), scroll_type=["bars", "content"]
    )
    table.bind(height=lambda _, height: setattr(view, "height", height + dp(8)))
    view.add_widget(table)
    parent.add_widget(view)
    for column in columns:
        table.add(column)
        yield _pause(column)
