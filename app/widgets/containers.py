"""What holds other widgets: cards, rows that wrap, and the column that scrolls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from kivy.clock import Clock
from kivy.graphics import Color, PopMatrix, PushMatrix, SmoothRoundedRectangle, Translate
from kivy.input.motionevent import MotionEvent
from kivy.metrics import dp
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from app.gradual import NEXT_FRAME, Gradually
from app.look.look import Look
from app.look.palette import rgba
from app.widgets.box import UNPLACED, Box
from app.widgets.text import Text


class Column(Box):
    """One under the other, as high as all of them."""

    def __init__(self, *widgets: Widget, spacing: float = dp(12), **settings: Any) -> None:
        super().__init__("vertical", spacing, grows=True, size_hint_y=None, **settings)
        for widget in widgets:
            self.add_widget(widget)


class Line(Box):
    """Side by side, as high as the highest of them, centred on one another."""

    def __init__(self, *widgets: Widget, spacing: float = dp(12), **settings: Any) -> None:
        super().__init__("horizontal", spacing, grows=True, size_hint_y=None, **settings)
        for widget in widgets:
            widget.pos_hint = {"center_y": 0.5}
            self.add_widget(widget)


class Sheet(Widget):
    """Holds one widget, as wide as itself. It moves as a whole: nothing within is drawn anew.

    As Kivy's RelativeLayout, but for shifting by whole pixels: letters between two are blurred.
    """

    def __init__(self, content: Widget, **settings: Any) -> None:
        super().__init__(**{"size_hint_y": None, "width": UNPLACED, **settings})
        with self.canvas.before:
            PushMatrix()
            self._shift = Translate(round(self.x), round(self.y), 0)
        with self.canvas.after:
            PopMatrix()
        self.content = content
        content.size_hint = (None, None)
        content.width, self.height = self.width, content.height
        self.fbind("width", content.setter("width"))
        self.fbind("pos", self._move)
        content.fbind("height", self.setter("height"))
        self.add_widget(content)

    def to_parent(self, x: float, y: float, **_: Any) -> tuple[float, float]:
        return x + self.x, y + self.y

    def to_local(self, x: float, y: float, **_: Any) -> tuple[float, float]:
        return x - self.x, y - self.y

    def on_touch_down(self, touch: MotionEvent) -> bool:
        return self._within(touch, super().on_touch_down)

    def on_touch_move(self, touch: MotionEvent) -> bool:
        return self._within(touch, super().on_touch_move)

    def on_touch_up(self, touch: MotionEvent) -> bool:
        return self._within(touch, super().on_touch_up)

    def _within(self, touch: MotionEvent, pass_on: Callable[[MotionEvent], bool]) -> bool:
        touch.push()
        touch.apply_transform_2d(self.to_local)
        taken = pass_on(touch)
        touch.pop()
        return taken

    def _apply_transform(self, matrix: Any, pos: Any = None) -> Any:
        matrix.translate(self.x, self.y, 0)
        return super()._apply_transform(matrix, (0, 0))

    def _move(self, *_: Any) -> None:
        self._shift.xy = (round(self.x), round(self.y))


class Card(Sheet):
    """A column on a rounded ground, under a heading if it has one."""

    def __init__(self, look: Look, *widgets: Widget, heading: str = "", **settings: Any) -> None:
        self.column = Column(padding=dp(16), spacing=settings.pop("spacing", dp(12)))
        super().__init__(self.column, **settings)
        with self.column.canvas.before:
            Color(*rgba(look.palette.surface))
            self._ground = SmoothRoundedRectangle(radius=[dp(18)])
        self.column.bind(size=lambda _, size: setattr(self._ground, "size", size))
        if heading:
            self.column.add_widget(Text(look, heading, "heading"))
        for widget in widgets:
            self.column.add_widget(widget)


class Beside(Box):
    """Two side by side; one under the other where the second has less room than `least` pixels."""

    def __init__(self, first: Widget, second: Widget, least: float) -> None:
        super().__init__(spacing=dp(18), grows=True, size_hint_y=None)
        self._first, self._second, self._least = first, second, least
        self.bind(width=self._arrange)
        self.add_widget(first)
        self.add_widget(second)
        self._arrange()

    def _arrange(self, *_: Any) -> None:
        wide = self.width - self._first.width - dp(18) >= self._least
        self.orientation = "horizontal" if wide else "vertical"
        self.spacing = dp(18) if wide else dp(8)
        for widget in (self._first, self._second):
            widget.pos_hint = {"center_y": 0.5} if wide else {"x": 0}


class Flow(Widget):
    """Widgets of fixed sizes, in as many rows as they need; align: "left" or "center"."""

    def __init__(self, *widgets: Widget, spacing: float = dp(4), align: str = "left") -> None:
        super().__init__(size_hint_y=None, height=0)
        self._spacing = spacing
        self._align = align
        self._lay_out = Clock.create_trigger(self._place, -1)
        self.bind(pos=self._lay_out, width=self._lay_out, children=self._lay_out)
        for widget in widgets:
            self.add_widget(widget)

    def add_widget(self, widget: Widget, *where: Any, **settings: Any) -> None:
        widget.bind(size=self._lay_out)
        super().add_widget(widget, *where, **settings)

    def remove_widget(self, widget: Widget, *where: Any, **settings: Any) -> None:
        widget.unbind(size=self._lay_out)
        super().remove_widget(widget, *where, **settings)

    def _place(self, *_: Any) -> None:
        rows: list[list[Widget]] = [[]]
        used = 0.0
        for child in reversed(self.children):
            fit_into = getattr(child, "fit_into", None)
            if fit_into is not None and self.width > dp(100):
                fit_into(self.width)
            if rows[-1] and used + self._spacing + child.width > self.width:
                rows.append([])
                used = 0.0
            used += child.width + (self._spacing if rows[-1] else 0.0)
            rows[-1].append(child)
        heights = [max((child.height for child in row), default=0.0) for row in rows]
        self.height = sum(heights) + self._spacing * (len(rows) - 1)
        top = self.top
        for row, height in zip(rows, heights):
            width = sum(child.width for child in row) + self._spacing * (len(row) - 1)
            left = self.x if self._align == "left" else self.center_x - width / 2
            for child in row:
                child.pos = (left, top - height + (height - child.height) / 2)
                left += child.width + self._spacing
            top -= height + self._spacing


WIDEST = 640
"""Points; text in longer lines is hard to read."""

PIECE = 120
"""Points of a column's height that get another width in one frame."""


class PlainScroll(ScrollView):
    """Its bar changes colour at once.

    Kivy would fade it, which is work for every frame of a second, and keeps a screen that was left
    for so long.
    """

    def _bind_inactive_bar_color(self, *_: Any) -> None:
        self.funbind("bar_color", self._change_bar_color)
        self._bar_color = self.bar_inactive_color


class Scroll(PlainScroll):
    """A column that scrolls, centred where the window is wide.

    When its own width changes, what is in it is laid out by and by, from the top of the sight on
    and what is above it last, while what is at the top of the sight stays there.
    """

    def __init__(self, *widgets: Widget, widest: float | None = None, **settings: Any) -> None:
        super().__init__(
            width=UNPLACED,
            do_scroll_x=False,
            bar_width=dp(4),
            bar_inactive_color=(0, 0, 0, 0),
            scroll_type=["bars", "content"],
            **settings,
        )
        self._widest = dp(WIDEST) if widest is None else widest
        self.column = Column(*widgets)
        self._waiting: dict[Widget, float] = {}  # what is to become wider, and its size_hint_x
        self._widening: Gradually | None = None
        self._topmost: tuple[Widget, float] | None = None  # and how far its top is out of sight
        self._hold = Clock.create_trigger(self._hold_topmost, -1)
        self.bind(width=self._centre)
        self.column.bind(height=self._hold)
        self.add_widget(self.column)

    @property
    def settled(self) -> bool:
        """Whether everything in it has its width."""
        return self._widening is None or self._widening.done

    def _centre(self, *_: Any) -> None:
        side = max(dp(16), (self.width - self._widest) / 2)
        if self.column.width > UNPLACED:
            self._hold_back()
        self.column.padding = (side, dp(12), side, dp(24))

    def on_touch_down(self, touch: Any) -> bool:
        """Who scrolls says himself what is to be seen."""
        if self.collide_point(*touch.pos):
            self._topmost = None
        return super().on_touch_down(touch)

    def _hold_back(self) -> None:
        """All stays as wide as it is, for now."""
        column = self.column
        above = max(0.0, column.height - self.height) * (1.0 - self.scroll_y)
        children = column.children[::-1]
        first = next(
            (at for at, child in enumerate(children) if column.top - child.y > above), 0
        )
        if self._topmost is None and children:
            child = children[first]
            self._topmost = (child, above - (column.top - child.top))
        held, self._waiting = self._waiting, {}
        for child in children[first:] + children[:first]:
            for part in _parts(child):
                if part.size_hint_x is not None:
                    held[part] = part.size_hint_x
                    part.size_hint_x = None
                if part in held:
                    self._waiting[part] = held.pop(part)
        for part, share in held.items():  # what is elsewhere by now
            part.size_hint_x = share
        if self.settled:
            self._widening = Gradually(self._widened())

    def _widened(self) -> Iterator[Any]:
        yield NEXT_FRAME
        while self._waiting:
            height = 0.0
            while self._waiting and height < dp(PIECE):
                part = next(iter(self._waiting))
                part.size_hint_x = self._waiting.pop(part)
                if not isinstance(part, Card):  # what is in it is counted
                    height += part.height
            yield NEXT_FRAME
        yield NEXT_FRAME
        self._topmost = None

    def _hold_topmost(self, *_: Any) -> None:
        column, spare = self.column, self.column.height - self.height
        if self._topmost is None or spare <= 0:
            return
        child, above = self._topmost
        if child.parent is column:
            hidden = column.top - child.top + min(above, child.height)
            self.scroll_y = min(1.0, max(0.0, 1.0 - hidden / spare))


def _parts(widget: Widget) -> list[Widget]:
    """What can become wider for itself: a widget, and if it is a card what is in it."""
    return [widget, *widget.column.children[::-1]] if isinstance(widget, Card) else [widget]
