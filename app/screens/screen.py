"""What every screen is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from app.widgets.buttons import IconButton
from app.widgets.text import Text

if TYPE_CHECKING:
    from app.application import EdgeApp


class Screen(BoxLayout):
    """Told by the app when it is shown, turned and left."""

    name = ""

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(orientation="vertical")
        self.app = app
        self.look = app.look
        self.words = app.look.words
        self._makers: list[Callable[[], None]] = []
        self._making: Any = None

    @property
    def built(self) -> bool:
        """Whether all of it is there."""
        return not self._makers

    def build_gradually(self, makers: list[Callable[[], None]]) -> None:
        """Calls the first of them now, and one more for each frame: no frame waits for them all."""
        makers[0]()
        self._makers = makers[1:]
        self._making = Clock.schedule_interval(self._make_next, 0)

    def _make_next(self, _: float) -> bool:
        if self._makers:
            self._makers.pop(0)()
        return bool(self._makers)

    def stop_building(self) -> None:
        """It is no longer shown."""
        self._makers = []
        if self._making is not None:
            self._making.cancel()

    def entered(self) -> None:
        """It is shown from now on."""

    def left(self) -> None:
        """It is no longer shown."""

    def rearrange(self, landscape: bool) -> None:
        """The window has turned, or is shown for the first time."""

    def back(self) -> bool:
        """The back key; True if the screen itself had something to close."""
        return False

    def bar(self, title: str, *actions: IconButton, back: bool = True) -> Widget:
        """The line at the top: a way back, the title, and what can be done."""
        bar = BoxLayout(
            size_hint_y=None, height=dp(60), padding=(dp(8), dp(4), dp(8), 0), spacing=dp(4)
        )
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
        for action in actions:
            action.pos_hint = {"center_y": 0.5}
            bar.add_widget(action)
        return bar
