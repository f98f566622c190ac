"""The way between the main screens: a bar below, or beside them in landscape."""

from __future__ import annotations

from typing import Any, Callable

from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty
from kivy.uix.boxlayout import BoxLayout

from app.look.look import Look
from app.look.palette import rgba
from app.widgets.control import Control
from app.widgets.icon import Icon
from app.widgets.text import Text


class Tab(Control, BoxLayout):
    """A screen's icon over its name."""

    chosen = BooleanProperty(False)

    def __init__(self, look: Look, key: str, icon: str, text: str) -> None:
        super().__init__(orientation="vertical", padding=(0, dp(7), 0, dp(5)), spacing=dp(3))
        self._look = look
        self._icon = Icon(look, icon, pos_hint={"center_x": 0.5})
        self.text = Text(look, text, "caption", align="center")
        self.add_widget(self._icon)
        self.add_widget(self.text)
        self.make_pressable(look, text, key)
        self.bind(chosen=self._colour, pos=self._colour, size=self._colour)
        self._icon.bind(pos=self._colour)

    @property
    def least_height(self) -> float:
        """So that nothing of it is cut off."""
        return self._icon.height + self.text.height + dp(16)

    def _colour(self, *_: Any) -> None:
        palette = self._look.palette
        colour = palette.text if self.chosen else palette.muted
        self.text.colour = colour
        self.text.bold = self.chosen
        if self._icon.colour != colour:
            self._icon.show(self._icon.name, colour)
        self.canvas.before.clear()
        if self.chosen:
            with self.canvas.before:
                Color(*rgba(palette.accent, 0.28))
                width, height = dp(60), self._icon.height + dp(6)
                SmoothRoundedRectangle(
                    pos=(self.center_x - width / 2, self._icon.y - dp(3)),
                    size=(width, height),
                    radius=[height / 2],
                )


class Navigation(BoxLayout):
    """go: called with the name of the screen that was chosen."""

    def __init__(self, look: Look, tabs: list[tuple[str, str]], go: Callable[[str], None]) -> None:
        super().__init__()
        self.tabs: dict[str, Tab] = {}
        for name, icon in tabs:
            tab = Tab(look, f"tab.{name}", icon, look.words(f"{name}.tab"))
            tab.bind(on_release=lambda _, name=name: go(name))
            tab.text.bind(height=self._fit)
            self.tabs[name] = tab
            self.add_widget(tab)
        with self.canvas.before:
            Color(*rgba(look.palette.surface))
            self._ground = Rectangle()
        self.bind(pos=self._move, size=self._move)

    def choose(self, name: str) -> None:
        """Shows which screen it is."""
        for own, tab in self.tabs.items():
            tab.chosen = own == name

    def rearrange(self, landscape: bool) -> None:
        """A bar, or a rail at the side."""
        self.orientation = "vertical" if landscape else "horizontal"
        self.size_hint = (None, 1) if landscape else (1, None)
        self.padding = (0, dp(24)) if landscape else (dp(8), 0)
        if landscape:
            self.width = dp(92)
        self._fit()

    def _fit(self, *_: Any) -> None:
        if self.size_hint_y is None:
            self.height = max(tab.least_height for tab in self.tabs.values()) + dp(2)

    def _move(self, *_: Any) -> None:
        self._ground.pos, self._ground.size = self.pos, self.size
