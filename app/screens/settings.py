"""What the user may choose, and the pages about the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

import edge
from app.preferences import CHOICES
from app.screens.screen import Screen
from app.widgets.buttons import Chip, OnOff
from app.widgets.containers import Card, Column, Flow, Scroll
from app.widgets.containers import Line as Row
from app.widgets.control import Control
from app.widgets.icon import Icon
from app.widgets.text import Text

if TYPE_CHECKING:
    from app.application import EdgeApp


class PageRow(Control, BoxLayout):
    """Leads to a page."""

    def __init__(self, screen: Screen, key: str, icon: str, text: str) -> None:
        super().__init__(size_hint_y=None, height=screen.look.touch, spacing=dp(14))
        look = screen.look
        words = Text(look, text, pos_hint={"center_y": 0.5})
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

    def __init__(self, app: EdgeApp, scrolled: float = 1.0) -> None:
        """scrolled: where to, once all of it is there; 1 is the top."""
        super().__init__(app)
        self._chips: dict[str, dict[Any, Chip]] = {}
        self.add_widget(self.bar(self.words("settings.title"), back=False))
        self.scroll = Scroll()
        self.add_widget(self.scroll)
        add = self.scroll.column.add_widget
        makers: list[Callable[[], None]] = [
            lambda: add(self._card("recognition", "gate", "interval")),
            lambda: add(
                Card(self.look, self._keep(), heading=self.words("settings.recordings"))
            ),
            lambda: add(self._card("appearance", "theme", "text_size", "language")),
            lambda: add(self._about()),
        ]
        if scrolled < 1.0:  # all at once, or what the user looks at would run away
            for make in makers:
                make()
            self.scroll.scroll_y = scrolled
        else:
            self.build_gradually(makers)

    def _card(self, heading: str, *names: str) -> Card:
        choices = [self._choice(name) for name in names]
        return Card(self.look, *choices, heading=self.words(f"settings.{heading}"))

    def _about(self) -> Column:
        look, words = self.look, self.words
        pages = [
            self._page(key, icon)
            for key, icon in (
                ("privacy", "shield"),
                ("model_card", "search"),
                ("benchmark", "history"),
            )
        ]
        version = words("settings.version", version=edge.__version__)
        return Column(
            Card(look, *pages, heading=words("settings.about"), spacing=dp(4)),
            Text(look, version, "caption", look.palette.muted, align="center"),
        )

    def chosen(self, name: str, value: Any) -> None:
        """One of the preferences has changed."""
        for own, chip in self._chips.get(name, {}).items():
            chip.chosen = own == value

    def _choice(self, name: str) -> Column:
        look, words = self.look, self.words
        chosen = getattr(self.app.preferences, name)
        chips = self._chips[name] = {}
        for value in CHOICES[name]:
            key = f"{name}.{value}"
            text = words(key)
            chip = Chip(look, key, text, value == chosen)
            chip.bind(on_release=lambda _, value=value: self.app.choose(name, value))
            chips[value] = chip
        texts = [Text(look, words(f"settings.{name}"))]
        if words.has(f"settings.{name}.hint"):
            texts.append(Text(look, words(f"settings.{name}.hint"), "caption", look.palette.muted))
        return Column(*texts, Flow(*chips.values()), spacing=dp(4))

    def _keep(self) -> Column:
        look, words = self.look, self.words
        switch = OnOff(
            look,
            "keep_recordings",
            words("settings.keep_recordings"),
            self.app.preferences.keep_recordings,
        )
        switch.bind(on_release=self._toggle)
        return Column(
            Row(Text(look, words("settings.keep_recordings")), switch),
            Text(look, words("settings.keep_recordings.hint"), "caption", look.palette.muted),
            spacing=dp(4),
        )

    def _toggle(self, switch: Any) -> None:
        switch.on = not switch.on
        self.app.choose("keep_recordings", switch.on)

    def _page(self, key: str, icon: str) -> PageRow:
        row = PageRow(self, key, icon, self.words(f"{key}.title"))
        row.bind(on_release=lambda _: self.app.go(key))
        return row
