"""A long list, of which only what is in sight exists."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from itertools import accumulate
from typing import Any, Callable

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.widget import Widget

from app.widgets.box import UNPLACED
from app.widgets.containers import Scroll, Sheet

BEYOND = 160
"""Points above and below the sight for which rows are made already."""


class Rows(Widget):
    """Makes a row for each item when it comes near, one in a frame, and drops it when it is far.

    make: the widget of an item, which grows to the height that it needs.
    key: what a row shows; a row stays while a new list has an item of the same key.
    guess: height of a row that was not made yet, in pixels.
    dropped: told how many rows are not needed any more; whether that took the frame's time.
    """

    def __init__(
        self,
        make: Callable[[Any], Widget],
        key: Callable[[Any], Hashable],
        guess: Callable[[Any], float],
        dropped: Callable[[int], bool],
        spacing: float = dp(8),
    ) -> None:
        super().__init__(size_hint_y=None, height=0)
        self._make, self._key, self._guess, self._dropped = make, key, guess, dropped
        self._spacing = spacing
        self._scroll: Scroll | None = None
        self._items: Sequence[Any] = ()
        self._keys: list[Hashable] = []
        self._heights: list[float] = []
        self._tops: list[float] = [0.0]  # how far below the top of all each row begins; the end
        self._made: dict[int, Sheet] = {}
        self._gone = 0  # rows
        self._placing = Clock.create_trigger(self._place, -1)
        self._changing = Clock.create_trigger(self._change, 0)
        self.bind(pos=self._placing, size=self._placing, width=self._changing)

    def follow(self, scroll: Scroll) -> None:
        """The scroll view that it is in."""
        self._scroll = scroll
        scroll.bind(scroll_y=self._changing, height=self._changing)

    @property
    def complete(self) -> bool:
        """Whether every row in sight is there."""
        return not self._changing.is_triggered and not self._placing.is_triggered

    def show(self, items: Sequence[Any]) -> None:
        """Another list."""
        keys = [self._key(item) for item in items]
        places = {key: place for place, key in enumerate(keys)}
        kept = {}
        known = {}
        for place, row in self._made.items():
            now = places.get(self._keys[place])
            if now is None:
                self.remove_widget(row)
                self._gone += 1
            else:
                kept[now] = row
        for key, height in zip(self._keys, self._heights):
            known[key] = height
        if list(kept) != sorted(kept):  # the keyboard goes through them in this order
            for place in sorted(kept):
                self.remove_widget(kept[place])
                self.add_widget(kept[place])
        self._items, self._keys = items, keys
        self._made = {place: kept[place] for place in sorted(kept)}
        self._heights = [
            known[key] if key in known else self._guess(item) for key, item in zip(keys, items)
        ]
        self._measure()
        self._changing()

    def _measure(self) -> None:
        steps = (height + self._spacing for height in self._heights)
        self._tops = list(accumulate(steps, initial=0.0))
        self.height = max(0.0, self._tops[-1] - self._spacing)

    def _sight(self, beyond: float) -> range:
        """The rows that are in sight, or so many pixels beyond it."""
        scroll = self._scroll
        if scroll is None or not self._items:
            return range(0)
        column = scroll.column
        above = (1.0 - scroll.scroll_y) * max(0.0, column.height - scroll.height)
        above -= column.top - self.top
        first = bisect_right(self._tops, above - beyond) - 1
        last = bisect_right(self._tops, above + scroll.height + beyond)
        return range(max(0, first), min(len(self._items), last))

    def _change(self, _: float) -> None:
        """At the beginning of a frame, when everything has its place: one row more."""
        if self.width <= UNPLACED:
            return
        grown = [place for place, row in self._made.items() if row.height != self._heights[place]]
        for place in grown:
            self._heights[place] = self._made[place].height
        if grown:
            self._measure()
        far = self._sight(dp(2 * BEYOND))
        for place in [place for place in self._made if place not in far]:
            self.remove_widget(self._made.pop(place))
            self._gone += 1
        missing = [place for place in self._sight(dp(BEYOND)) if place not in self._made]
        sight = self._sight(0.0)
        waiting = [place for place, row in self._made.items() if row.width != self.width]
        waiting.sort(key=lambda place: place not in sight)
        if self._told_of_gone():
            pass
        elif waiting:
            self._made[waiting[0]].width = self.width
        elif missing:
            self._add(missing[0])
        if waiting or missing or grown:
            self._changing()
        self._placing()

    def _told_of_gone(self) -> bool:
        gone, self._gone = self._gone, 0
        return gone > 0 and self._dropped(gone)

    def _add(self, place: int) -> None:
        row = Sheet(self._make(self._items[place]), size_hint=(None, None), width=self.width)
        self._made[place] = row
        self.add_widget(row, sum(other > place for other in self._made))

    def _place(self, *_: Any) -> None:
        for place, row in self._made.items():
            row.pos = (self.x, self.top - self._tops[place] - row.height)
