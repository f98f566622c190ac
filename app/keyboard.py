"""The app by the keyboard: Tab from control to control, Enter presses, and a key for each verb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from app.widgets.control import Control
from app.widgets.timeline import Timeline

if TYPE_CHECKING:
    from app.application import EdgeApp

TAB, ENTER, KEYPAD_ENTER, ESCAPE, SPACE, RIGHT, LEFT = 9, 13, 271, 27, 32, 275, 276
SCREENS = {ord("1"): "listen", ord("2"): "history", ord("3"): "settings"}


def controls(root: Widget) -> Iterator[Widget]:
    """Everything that can be pressed or written in, in reading order."""
    if getattr(root, "disabled", False):
        return
    if isinstance(root, (Control, TextInput)):
        yield root
    for child in reversed(root.children):
        yield from controls(child)


class Keyboard:
    """Listens to the window's keys for an app."""

    def __init__(self, app: EdgeApp) -> None:
        self._app = app
        self._focused: Widget | None = None

    @property
    def focused(self) -> Widget | None:
        """The control that Enter presses."""
        return self._focused

    def forget(self) -> None:
        """The screen has changed."""
        self._focus(None)

    def pressed(self, window: Any, key: int, code: int, text: str, modifiers: list[str]) -> bool:
        """Bound to the window's `on_key_down`; True takes the key."""
        if key == ESCAPE:
            return self._app.back()
        if key == TAB:
            self._move(-1 if "shift" in modifiers else 1)
            return True
        writing = isinstance(self._focused, TextInput) and self._focused.focus
        if writing or self._someone_writes():
            return False
        focused = self._focused
        if isinstance(focused, Timeline) and key in (RIGHT, LEFT):
            focused.step(1 if key == RIGHT else -1)
            return True
        if isinstance(focused, Control) and key in (ENTER, KEYPAD_ENTER, SPACE):
            focused.press()
            return True
        if {"ctrl", "alt", "meta"} & set(modifiers):
            return False
        return self._verb(key)

    def _verb(self, key: int) -> bool:
        if self._app.dialog is not None:
            return False
        if key in SCREENS:
            self._app.go(SCREENS[key])
        elif key in (SPACE, ord("r")):
            self._app.listen_or_stop()
        elif key == ord("p"):
            self._app.pause_or_go_on()
        else:
            return False
        return True

    def _someone_writes(self) -> bool:
        return any(isinstance(each, TextInput) and each.focus for each in controls(self._app.top))

    def _move(self, step: int) -> None:
        within = list(controls(self._app.top))
        if not within:
            return
        if self._focused in within:
            at = (within.index(self._focused) + step) % len(within)
        else:
            at = 0 if step > 0 else -1
        self._focus(within[at])

    def _focus(self, widget: Widget | None) -> None:
        if isinstance(self._focused, Control):
            self._focused.focused = False
        elif isinstance(self._focused, TextInput):
            self._focused.focus = False
        self._focused = widget
        if isinstance(widget, Control):
            widget.focused = True
        elif isinstance(widget, TextInput):
            widget.focus = True
        if widget is not None:
            scroll_into_view(widget)


def scroll_into_view(widget: Widget) -> None:
    """Scrolls what the widget is in as far as it needs to be seen."""
    parent = widget.parent
    while parent is not None and parent is not parent.parent:
        if isinstance(parent, ScrollView) and parent.do_scroll_y:
            content = parent.children[0]
            if content.height > parent.height:
                parent.scroll_to(widget, animate=False)
                parent.scroll_y = max(0.0, min(1.0, parent.scroll_y))
            return
        parent = parent.parent
