"""Everything that was kept, on this device alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.metrics import dp

from app.look.palette import rgba
from app.result import Result
from app.screens.screen import Screen
from app.widgets.box import Box
from app.widgets.buttons import IconButton
from app.widgets.containers import Column, Scroll
from app.widgets.control import Control
from app.widgets.face import Face
from app.widgets.field import Field
from app.widgets.rows import Rows
from app.widgets.text import Text
from app.wording import searchable

if TYPE_CHECKING:
    from app.application import EdgeApp

class HistoryRow(Control, Box):
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
        other = _meant_otherwise(result)
        if other:
            other = words("history.meant", emotion=words(f"emotion.{other}"))
            said.add_widget(Text(look, other, "caption"))
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
        label = ", ".join(filter(None, (emotion, about, other)))
        self.make_pressable(look, label, f"open.{result.number}")
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
        look = self.look
        self.search: Field | None = None
        self._search_soon = Clock.create_trigger(lambda _: self.refresh(), 0.15)
        self.summary = Text(look, "", "caption", look.palette.muted)
        self.rows = Rows(self._row, _shown, self._guess, app.rubbish.dropped)
        self._empty = Column(spacing=dp(12), padding=(0, dp(40), 0, 0))
        self._asked = self._answered = 0

    def parts(self) -> Iterator[Any]:
        look, words = self.look, self.words
        self._export = IconButton(look, "export", "share", words("history.export"))
        self._export.bind(on_release=lambda _: self.app.export())
        self._delete_all = IconButton(look, "delete_all", "bin", words("history.delete_all"))
        self._delete_all.bind(on_release=lambda _: self.app.ask_to_delete_all())
        self.add_widget(
            self.bar(words("history.title"), self._export, self._delete_all, back=False)
        )
        yield
        self.scroll = Scroll()
        self.add_widget(self.scroll)
        self.search = Field(look, "search", words("history.search"))
        self.search.bind(text=lambda *_: self._search_soon())
        self.scroll.column.add_widget(self.search)
        yield
        self.scroll.column.add_widget(self.summary)
        self.scroll.column.add_widget(self.rows)
        self.rows.follow(self.scroll)
        self.refresh()

    @property
    def built(self) -> bool:
        return super().built and self._answered == self._asked and self.rows.complete

    def left(self) -> None:
        self._search_soon.cancel()

    def refresh(self) -> None:
        """Searches anew."""
        if self.search is None:
            return  # it is done when all is there
        self._asked += 1
        asked, wanted, words = self._asked, self.search.text, self.words
        history = self.app.history
        if history is None:
            self._show(asked, [], "")
            return
        self.app.background.run(
            lambda: history.results(wanted, lambda result: searchable(words, result)),
            then=lambda found: self._show(asked, found, wanted),
            failed=lambda error: self._failed(asked, error),
        )

    def _failed(self, asked: int, error: Exception) -> None:
        self._answered = asked
        self.app.tell_storage_problem(error)

    def _show(self, asked: int, found: list[Result], wanted: str) -> None:
        if asked != self._asked:
            return  # something else is looked for by now
        self._answered = asked
        words, look = self.words, self.look
        self.rows.show(found)
        self._empty.clear_widgets()
        self.scroll.column.remove_widget(self._empty)
        for action in (self._export, self._delete_all):
            action.disabled = not found and not wanted
            action.opacity = 0.35 if action.disabled else 1.0
        self.summary.text = words.count("history.count", len(found)) if found else ""
        if found:
            return
        face = Face(look, "calm" if not wanted else "sad", size_hint=(1, None), height=dp(110))
        said = words("history.nothing_found" if wanted else "history.empty")
        self.scroll.column.add_widget(self._empty)
        self._empty.add_widget(face)
        self._empty.add_widget(Text(look, said, colour=look.palette.muted, align="center"))

    def _row(self, result: Result) -> HistoryRow:
        return HistoryRow(self, result)

    def _guess(self, result: Result) -> float:
        """Of a row all of whose texts are in one line."""
        look = self.look
        lines = 1.5 * look.size_of("heading") + 1.5 * look.size_of("caption")
        further = bool(_meant_otherwise(result)) + bool(result.note)
        lines += further * 1.5 * look.size_of("caption")
        return max(lines, dp(52)) + dp(20)


def _shown(result: Result) -> tuple[int | None, str, str]:
    return result.number, result.note, result.meant


def _meant_otherwise(result: Result) -> str:
    """The emotion that was meant, if it is not the one that was answered."""
    return result.meant if result.meant != result.emotion else ""
