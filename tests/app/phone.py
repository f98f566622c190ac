"""Drives the app on a real window, as fingers do: taps, turns, and waits for frames."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

PATIENCE = 0.002  # seconds between two frames in which nothing happens
SIDE = 1200  # pixels; the window is made so large, since an offscreen one cannot grow later


def prepare_kivy(
    home: Path, density: float = 1.0, side: int = SIDE, samples: int = 0
) -> None:
    """To be called before anything imports Kivy. Uses no display, no sound and no home folder."""
    os.environ.update(
        KIVY_HOME=str(home),
        KIVY_NO_ARGS="1",
        KIVY_LOG_MODE="PYTHON",  # leaves the root logger and standard error alone
        KIVY_NO_FILELOG="1",
        KIVY_METRICS_DENSITY=str(density),
        KIVY_METRICS_FONTSCALE="1",
        SDL_VIDEODRIVER="offscreen",
        SDL_AUDIODRIVER="dummy",
    )
    from kivy.config import Config

    Config.set("graphics", "width", str(side))
    Config.set("graphics", "height", str(side))
    Config.set("graphics", "multisamples", str(samples))
    Config.set("graphics", "maxfps", "0")
    for option in Config.options("input"):
        Config.remove_option("input", option)


class Phone:
    """The app in its window; size: of the screen, in pixels."""

    def __init__(self, app: Any, size: tuple[int, int] = (412, 892)) -> None:
        from kivy.base import EventLoop
        from kivy.core.window import Window

        self.app = app
        self.closed = False
        self._loop = EventLoop
        self._window = Window
        EventLoop.ensure_window()
        self.turn(size)
        app.root = app.build()
        Window.add_widget(app.root)
        if EventLoop.status != "started":
            EventLoop.start()
        self.frames(2)
        self.until(lambda: app.background.idle)

    def close(self) -> None:
        """Ends the app and takes its widgets away."""
        self.closed = True
        self.app.on_stop()
        self._window.remove_widget(self.app.root)
        self.frames(1)

    def frames(self, count: int = 1) -> None:
        """Lets so many frames pass."""
        for _ in range(count):
            self._loop.idle()

    def until(self, condition: Callable[[], Any], seconds: float = 120.0) -> None:
        """Lets frames pass until it holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            self._loop.idle()
            if self.app.complete:
                time.sleep(PATIENCE)  # it is another thread that is waited for
        self._until_built()

    def _until_built(self) -> None:
        """Screens are built by pieces, a few in each frame."""
        end = time.monotonic() + 60.0
        while not self.app.complete:
            assert time.monotonic() < end, "the screen was not completed"
            self._loop.idle()
        self.frames(2)

    def turn(self, size: tuple[int, int]) -> None:
        """Another size of the screen, as when the phone is turned."""
        self._window.size = size
        self.frames(3)

    def find(self, key: str) -> Any:
        """The control of that key which is on the screen."""
        from app.keyboard import controls

        found = [each for each in controls(self.app.top) if each.key == key]
        assert found, f"no control {key!r} among {[each.key for each in controls(self.app.top)]}"
        return found[0]

    def shows(self, key: str) -> bool:
        """Whether there is such a control."""
        from app.keyboard import controls

        return any(each.key == key for each in controls(self.app.top))

    def texts(self) -> list[str]:
        """Everything that can be read."""
        return [widget.text for widget in self.widgets() if getattr(widget, "text", "")]

    def widgets(self) -> Iterator[Any]:
        """All of them, from the root on."""
        waiting = [self.app.root]
        while waiting:
            widget = waiting.pop()
            yield widget
            waiting += widget.children

    def tap(self, key: str) -> None:
        """A finger on the middle of a control, scrolled to first if need be."""
        self._until_built()
        control = self.find(key)
        self.scroll_to(control)
        self.touch(*control.to_window(*control.center))

    def scroll_to(self, control: Any) -> None:
        """As far as it needs to be seen."""
        from app.keyboard import scroll_into_view

        scroll_into_view(control)
        self.frames(2)

    def touch(self, x: float, y: float, *moves: tuple[float, float]) -> None:
        """A finger there, perhaps moved, and lifted."""
        from kivy.tests.common import UnitTestTouch

        touch = UnitTestTouch(x, y)
        touch.touch_down()
        self.frames(1)
        for to_x, to_y in moves:
            touch.touch_move(to_x, to_y)
            self.frames(1)
        touch.touch_up()
        self.frames(3)
        self._until_built()

    def key(self, code: int, *modifiers: str) -> None:
        """A key of a keyboard."""
        self._window.dispatch("on_key_down", code, 0, "", list(modifiers))
        self.frames(2)

    def picture(self) -> Any:
        """(height, width, 3) RGB of what is shown."""
        import numpy as np
        from kivy.graphics.opengl import GL_RGBA, GL_UNSIGNED_BYTE, glReadPixels

        width, height = self._window.size
        self._window.dispatch("on_draw")
        # Four bytes each: Kivy's own screenshot skews widths that are no multiple of four.
        pixels = glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE)
        rgba = np.frombuffer(pixels, np.uint8).reshape(height, width, 4)
        return rgba[::-1, :, :3].copy()
