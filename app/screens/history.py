"""Everything that was kept, on this device alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

from app.look.palette import rgba
from app.result import Result
from app.screens.screen import Screen
from app.widgets.buttons import IconButton
from app.widgets.containers import Column, Scroll
from app.widgets.control import Control
from app.widgets.face import Face
from app.widgets.field import Field
from app.widgets.text import Text
from app.wording import searchable

if TYPE_CHECKING:
    from app.application import EdgeApp

ROWS_PER_FRAME = 2
"""So many rows are made before the next frame, so that a long history does not halt the screen."""

ROWS_AT_ONCE = 60
"""Of a longer history so many are shown; searching finds the others."""


class HistoryRow(Control, BoxLayout):
    """One result: pressing opens it."""

    def __init__(self, screen: HistoryScreen, result: Result) -> None:
        super().__init__(size_hint_y=None, spacing=dp(12), padding=(dp(14), dp(10), dp(4), dp(10)))
        look, words = screen.look, screen.words
        self.result = result
        face = Face(look, result.emotion, size_hint=(None, None), size=(dp(46), dp(46)))
        face.uncertain = result.uncertain
        face.pos_hint = {"center_y": 0.5}
        emotion = words(f"emotion.{result.emotion}")
        share = words.percent(result.probabilities[result.emotion])
        about = " · ".join(
            (
                words.moment(result.began),
                words.seconds(result.duration),
                words(f"gender.{result.gender}"),
            )
        )
        said = Column(
            Text(look, f"{emotion}  {share}", "heading"),
            Text(look, about, "caption", look.palette.muted),
            spacing=dp(2),
            pos_hint={"center_y": 0.5},
        )
        if result.note:
            said.add_widget(Text(look, result.note, "caption"))
        delete = IconButton(
            look,
            f"delete.{result.number}",
            "bin",
            words("history.delete", what=f"{emotion}, {words.moment(result.began)}"),
            look.palette.muted,
        )
        delete.pos_hint = {"center_y": 0.5}
        delete.bind(on_release=lambda _: screen.app.ask_to_delete(result))
        for widget in (face, said, delete):
            self.add_widget(widget)
        said.bind(height=self._fit)
        self._colours = (rgba(look.palette.surface), rgba(look.palette.raised))
        with self.canvas.before:
            self._ground_colour = Color(*self._colours[0])
            self._ground = SmoothRoundedRectangle(radius=[dp(16)])
        self.bind(pos=self._move, size=self._move, state=self._move)
        self.make_pressable(look, f"{emotion}, {about}", f"open.{result.number}")
        self.bind(on_release=lambda _: screen.app.open_result(result))

    def _fit(self, _: Any, height: float) -> None:
        self.height = max(height, dp(52)) + dp(20)

    def _move(self, *_: Any) -> None:
        self._ground.pos, self._ground.size = self.pos, self.size
        self._ground_colour.rgba = self._colours[self.state == "down"]


class HistoryScreen(Screen):
    """A field to search in, and the results that match, newest first."""

    name = "history"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        look, words = self.look, self.words
        self._export = IconButton(look, "export", "share", words("history.export"))
        self._export.bind(on_release=lambda _: self.app.export())
        self._delete_all = IconButton(look, "delete_all", "bin", words("history.delete_all"))
        self._delete_all.bind(on_release=lambda _: self.app.ask_to_delete_all())
        self.add_widget(
            self.bar(words("history.title"), self._export, self._delete_all, back=False)
        )
        self.search = Field(look, "search", words("history.search"))
        self._search_soon = Clock.create_trigger(lambda _: self.refresh(), 0.15)
        self.search.bind(text=lambda *_: self._search_soon())
        self.summary = Text(look, "", "caption", look.palette.muted)
        self.rows = Column(spacing=dp(8))
        self._empty = Column(spacing=dp(12), padding=(0, dp(40), 0, 0))
        self._content = Scroll(self.search, self.summary, self.rows)
        self.add_widget(self._content)
        self._waiting: list[Result] = []
        self._adding: Any = None
        self._asked = 0

    def entered(self) -> None:
        self.refresh()

    def left(self) -> None:
        self._search_soon.cancel()
        self._stop_adding()

    def refresh(self) -> None:
        """Searches anew."""
        self._asked += 1
        asked, wanted, words = self._asked, self.search.text, self.words
        history = self.app.history
        if history is None:
            self._show([], "")
            return
        self.app.background.run(
            lambda: history.results(wanted, lambda result: searchable(words, result)),
            then=lambda found: self._show(found, wanted) if asked == self._asked else None,
        )

    def _show(self, found: list[Result], wanted: str) -> None:
        words, look = self.words, self.look
        self._stop_adding()
        self.rows.clear_widgets()
        self._empty.clear_widgets()
        self._content.column.remove_widget(self._empty)
        for action in (self._export, self._delete_all):
            action.disabled = not found and not wanted
            action.opacity = 0.35 if action.disabled else 1.0
        if found:
            self.summary.text = words.count("history.count", len(found))
            if len(found) > ROWS_AT_ONCE:
                self.summary.text += " " + words("history.more", number=ROWS_AT_ONCE)
            self._waiting = found[:ROWS_AT_ONCE]
            self._adding = Clock.schedule_interval(self._add_some, 0)
            self._add_some(0.0)
            return
        self.summary.text = ""
        face = Face(look, "calm" if not wanted else "sad", size_hint=(1, None), height=dp(110))
        said = words("history.nothing_found" if wanted else "history.empty")
        self._content.column.add_widget(self._empty)
        self._empty.add_widget(face)
        self._empty.add_widget(Text(look, said, colour=look.palette.muted, align="center"))

    def _add_some(self, _: float) -> bool:
        for result in self._waiting[:ROWS_PER_FRAME]:
            self.rows.add_widget(HistoryRow(self, result))
        del self._waiting[:ROWS_PER_FRAME]
        return bool(self._waiting)

    def _stop_adding(self) -> None:
        self._waiting = []
        if self._adding is not None:
            self._adding.cancel()
            self._adding = None
