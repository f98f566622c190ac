"""What every screen is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kivy.metrics import dp
from kivy.uix.widget import Widget

from app.gradual import Gradually
from app.widgets.box import Box
from app.widgets.buttons import IconButton
from app.widgets.containers import Scroll
from app.widgets.text import Text

if TYPE_CHECKING:
    from app.application import EdgeApp


class Screen(Box):
    """Told by the app when it is shown, turned and left."""

    name = ""

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(orientation="vertical")
        self.app = app
        self.look = app.look
        self.words = app.look.words
        self._building = Gradually(self.parts())

    @property
    def built(self) -> bool:
        """Whether all of it is there, and has its place."""
        return self._building.done and all(
            each.settled for each in self.walk(restrict=True) if isinstance(each, Scroll)
        )

    def parts(self) -> Iterator[Any]:
        """Adds what the screen consists of, a small part with each step; see `Gradually`.

        From the outside to the inside: what is added to a parent that has its place is laid out
        once.
        """
        yield from ()

    def begin_building(self, then: Iterator[Any]) -> None:
        """The first part, so that no frame shows an empty screen; then these, and all others."""
        self._building.step()
        self._building.add(then, first=True)

    def build(self, steps: Iterator[Any]) -> None:
        """Adds more of it, after what is being added."""
        self._building.add(steps)

    def finish_building(self) -> None:
        """All of it, at once."""
        self._building.finish()

    def parts_left(self) -> Iterator[Any]:
        """All of it, a part with each step of the caller's instead."""
        return self._building.taken()

    def stop_building(self) -> None:
        """It is no longer shown."""
        self._building.stop()

    def entered(self) -> None:
        """It is shown from now on."""

    def left(self) -> None:
        """It is no longer shown."""

    def chosen(self, name: str, value: Any) -> None:
        """One of the preferences has changed."""

    def rearrange(self, landscape: bool) -> None:
        """The window has turned, or is shown for the first time."""

    def back(self) -> bool:
        """The back key; True if the screen itself had something to close."""
        return False

    def bar(self, title: str, *actions: IconButton, back: bool = True) -> Widget:
        """The line at the top: a way back, the title, and what can be done."""
        bar = Box(size_hint_y=None, height=dp(60), padding=(dp(8), dp(4), dp(8), 0), spacing=dp(4))
        if back:
            button = IconButton(self.look, "back", "back", self.words("back"))
            button.bind(on_release=lambda _: self.app.back())
            button.pos_hint = {"center_y": 0.5}
            bar.add_widget(button)
        else:
            bar.add_widget(Widget(size_hint_x=None, width=dp(8)))
        text = Text(self.look, title, "title", pos_hint={"center_y": 0.5})
        text.bind(height=lambda _, height: setattr(bar, "height", max(dp(60), height + dp(12))))
        bar.add_widget(text)
        self.add_actions(bar, *actions)
        return bar

    @staticmethod
    def add_actions(bar: Widget, *actions: IconButton) -> None:
        """What can be done, at the end of the line."""
        for action in actions:
            action.pos_hint = {"center_y": 0.5}
            bar.add_widget(action)
