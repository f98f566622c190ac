"""As much of Markdown as a model card is written in: headings, paragraphs, lists and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kivy.metrics import dp
from kivy.uix.gridlayout import GridLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget
from kivy.utils import escape_markup

from app.look.look import Look
from app.widgets.containers import Column
from app.widgets.text import Text


def markdown_widgets(look: Look, text: str) -> Iterator[Widget]:
    """A widget for each block."""
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.strip().splitlines()
        while lines and (heading := re.match(r"(#+) (.*)", lines[0])):
            role = "title" if len(heading[1]) == 1 else "heading"
            yield _text(look, heading[2], role)
            del lines[0]
        if not lines:
            continue
        if lines[0].startswith("|"):
            yield _table(look, lines)
        elif lines[0].startswith("- "):
            items = re.split(r"(?:^|\n)- ", "\n".join(lines))[1:]
            yield Column(*(_text(look, "•  " + _joined(item)) for item in items), spacing=dp(6))
        else:
            yield _text(look, _joined("\n".join(lines)))


def _joined(text: str) -> str:
    return " ".join(text.split())


def _text(look: Look, text: str, role: str = "body", **settings: object) -> Text:
    return Text(look, _markup(text), role, markup=True, **settings)


def _markup(text: str) -> str:
    marked = re.sub(r"\*\*(.+?)\*\*", r"[b]\1[/b]", escape_markup(text))
    return re.sub(r"`(.+?)`", r"[font=RobotoMono-Regular]\1[/font]", marked)


def _table(look: Look, lines: list[str]) -> ScrollView:
    """It scrolls sideways where it is wider than the screen."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    rows = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    columns = max(len(row) for row in rows)
    grid = GridLayout(cols=columns, size_hint=(None, None), spacing=(dp(18), dp(6)))
    grid.bind(minimum_size=grid.setter("size"))
    for number, row in enumerate(rows):
        for cell in row + [""] * (columns - len(row)):
            role = "caption"
            text = f"**{cell}**" if number == 0 and cell else cell
            colour = look.palette.muted if number == 0 else look.palette.text
            grid.add_widget(Text(look, _markup(text), role, colour, fit=True, markup=True))
    view = ScrollView(
        size_hint_y=None, do_scroll_y=False, bar_width=dp(3), scroll_type=["bars", "content"]
    )
    grid.bind(height=lambda _, height: setattr(view, "height", height + dp(8)))
    view.add_widget(grid)
    return view
