"""What is around every screen: the navigation, and the layer for dialogs and toasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from app.screens.screen import Screen
from app.widgets.navigation import Navigation
from app.widgets.overlays import Dialog, Toast

if TYPE_CHECKING:
    from app.application import EdgeApp

TABS = [("listen", "microphone"), ("history", "history"), ("settings", "settings")]


class Frame(FloatLayout):
    """The root of all widgets."""

    def __init__(self, app: EdgeApp) -> None:
        super().__init__()
        self._look = app.look
        self._screen: Screen | None = None
        self._landscape: bool | None = None
        self._body = BoxLayout()
        self.navigation = Navigation(app.look, TABS, app.go)
        self._arrangement = BoxLayout()
        self.add_widget(self._arrangement)
        self.bind(size=self._turn)

    @property
    def dialog(self) -> Dialog | None:
        """The one that is open."""
        return next((child for child in self.children if isinstance(child, Dialog)), None)

    @property
    def toast(self) -> Toast | None:
        """The one that is shown."""
        return next((child for child in self.children if isinstance(child, Toast)), None)

    @property
    def top(self) -> Widget:
        """What the keyboard reaches: the dialog, or else everything."""
        return self.dialog or self._arrangement

    def show(self, screen: Screen, tab: str) -> None:
        """Puts a screen in the place of the one before."""
        self._screen = screen
        self._body.clear_widgets()
        screen.rearrange(bool(self._landscape))
        self._body.add_widget(screen)
        self.navigation.choose(tab)

    def say(self, text: str) -> None:
        """A toast in the place of the one before."""
        if self.toast is not None:
            self.toast.close()
        self.add_widget(Toast(self._look, text))

    def close(self) -> None:
        """Another one is in its place. It may stay in memory, and lets go of what it showed."""
        if self.toast is not None:
            self.toast.close()
        self.show_nothing()

    def show_nothing(self) -> None:
        """Lets go of the screen."""
        self._screen = None
        self._body.clear_widgets()

    def _turn(self, *_: Any) -> None:
        landscape = self.width > self.height
        if landscape is self._landscape:
            return
        self._landscape = landscape
        self._arrangement.clear_widgets()
        self._arrangement.orientation = "horizontal" if landscape else "vertical"
        self.navigation.rearrange(landscape)
        parts = [self._body, self.navigation]
        for part in reversed(parts) if landscape else parts:
            self._arrangement.add_widget(part)
        if self._screen is not None:
            self._screen.rearrange(landscape)
