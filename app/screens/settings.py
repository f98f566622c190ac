"""What the user may choose, and the pages about the app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kivy.metrics import dp

import edge
from app.preferences import CHOICES
from app.screens.screen import Screen
from app.widgets.box import Box
from app.widgets.buttons import Chip, OnOff
from app.widgets.containers import Card, Column, Flow, Scroll
from app.widgets.containers import Line as Row
from app.widgets.control import Control
from app.widgets.icon import Icon
from app.widgets.text import Text
from app.wording import known_voice

if TYPE_CHECKING:
    from app.application import EdgeApp


class PageRow(Control, Box):
    """Leads to a page; hint: a line below its name."""

    def __init__(self, screen: Screen, key: str, icon: str, text: str, hint: str = "") -> None:
        super().__init__(size_hint_y=None, height=screen.look.touch, spacing=dp(14))
        look = screen.look
        words: Text | Column = Text(look, text)
        if hint:
            words = Column(words, Text(look, hint, "caption", look.palette.muted), spacing=dp(2))
        words.pos_hint = {"center_y": 0.5}
        words.bind(
            height=lambda _, height: setattr(self, "height", max(look.touch, height + dp(12)))
        )
        for widget in (
            Icon(look, icon, look.palette.accent, pos_hint={"center_y": 0.5}),
            words,
            Icon(look, "next", look.palette.muted, pos_hint={"center_y": 0.5}),
        ):
            self.add_widget(widget)
        self.make_pressable(look, text, key)


class SettingsScreen(Screen):
    """A card for each kind of choice."""

    name = "settings"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        self._chips: dict[str, dict[Any, Chip]] = {}
        self._switch: OnOff | None = None
        self.scroll = Scroll()

    def parts(self) -> Iterator[Any]:
        self.add_widget(self.bar(self.words("settings.title"), back=False))
        self.add_widget(self.scroll)
        yield
        card = self._card("recognition")
        yield from self._choice(card, "gate")
        yield from self._choice(card, "interval")
        yield
        card.column.add_widget(
            self._page("own_voice", "person", known_voice(self.words, self.app.own_voice))
        )
        yield from self._keep(self._card("recordings"))
        card = self._card("appearance")
        yield from self._choice(card, "theme")
        yield from self._choice(card, "text_size")
        yield from self._choice(card, "language")
        yield from self._about()

    def _card(self, heading: str, **settings: Any) -> Card:
        card = Card(self.look, heading=self.words(f"settings.{heading}"), **settings)
        self.scroll.column.add_widget(card)
        return card

    def _about(self) -> Iterator[Any]:
        look, words = self.look, self.words
        card = self._card("about", spacing=dp(4))
        pages = {"privacy": "shield", "model_card": "search", "benchmark": "history"}
        for key, icon in pages.items():
            yield
            card.column.add_widget(self._page(key, icon))
        yield
        version = words("settings.version", version=edge.__version__)
        self.scroll.column.add_widget(
            Text(look, version, "caption", look.palette.muted, align="center")
        )

    def chosen(self, name: str, value: Any) -> None:
        for own, chip in self._chips.get(name, {}).items():
            chip.chosen = own == value
        if name == "keep_recordings" and self._switch is not None:
            self._switch.on = value

    def _choice(self, card: Card, name: str) -> Iterator[Any]:
        look, words = self.look, self.words
        yield
        choice = Column(spacing=dp(4))
        card.column.add_widget(choice)
        choice.add_widget(Text(look, words(f"settings.{name}")))
        if words.has(f"settings.{name}.hint"):
            yield
            choice.add_widget(
                Text(look, words(f"settings.{name}.hint"), "caption", look.palette.muted)
            )
        chips = Flow()
        choice.add_widget(chips)
        self._chips[name] = {}
        for value in CHOICES[name]:
            yield
            key = f"{name}.{value}"
            chip = Chip(look, key, words(key), value == getattr(self.app.preferences, name))
            chip.bind(on_release=lambda _, value=value: self.app.choose(name, value))
            self._chips[name][value] = chip
            chips.add_widget(chip)

    def _keep(self, card: Card) -> Iterator[Any]:
        look, words = self.look, self.words
        yield
        column = Column(spacing=dp(4))
        card.column.add_widget(column)
        self._switch = switch = OnOff(
            look,
            "keep_recordings",
            words("settings.keep_recordings"),
            self.app.preferences.keep_recordings,
        )
        switch.bind(on_release=self._toggle)
        column.add_widget(Row(Text(look, words("settings.keep_recordings")), switch))
        yield
        column.add_widget(
            Text(look, words("settings.keep_recordings.hint"), "caption", look.palette.muted)
        )

    def _toggle(self, switch: Any) -> None:
        self.app.choose("keep_recordings", not switch.on)

    def _page(self, key: str, icon: str, hint: str = "") -> PageRow:
        row = PageRow(self, key, icon, self.words(f"{key}.title"), hint)
        row.bind(on_release=lambda _: self.app.go(key))
        return row
