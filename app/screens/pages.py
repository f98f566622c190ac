"""The pages about the app: privacy, the model card, the benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kivy.metrics import dp

from app.benchmark import Benchmark, run_benchmark
from app.device import device_name
from app.screens.screen import Screen
from app.widgets.buttons import WordButton
from app.widgets.containers import Card, Column, Flow, Scroll
from app.widgets.containers import Line as Row
from app.widgets.icon import Icon
from app.widgets.markdown import Block, add_blocks, blocks
from app.widgets.text import Text

if TYPE_CHECKING:
    from app.application import EdgeApp


class PrivacyScreen(Screen):
    """In plain language."""

    name = "privacy"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        self._scroll = Scroll()

    def parts(self) -> Iterator[Any]:
        look, words = self.look, self.words
        add = self._scroll.column.add_widget
        self.add_widget(self.bar(words("privacy.title")))
        self.add_widget(self._scroll)
        yield
        card = Card(look)
        add(card)
        card.column.add_widget(
            Row(
                Icon(look, "shield", look.palette.accent, points=40),
                Text(look, words("privacy.promise"), "heading"),
            )
        )
        for topic in ("network", "microphone", "kept", "shared", "meaning"):
            yield
            card = Card(look, heading=words(f"privacy.{topic}.title"), spacing=dp(6))
            add(card)
            yield
            card.column.add_widget(Text(look, words(f"privacy.{topic}")))


class ModelCardScreen(Screen):
    """The card of the bundle that answers."""

    name = "model_card"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        self._scroll = Scroll()

    def parts(self) -> Iterator[Any]:
        look, words = self.look, self.words
        self.add_widget(self.bar(words("model_card.title")))
        self.add_widget(self._scroll)
        yield
        hint = Text(look, words("model_card.hint"), "caption", look.palette.muted)
        self._scroll.column.add_widget(hint)

    def entered(self) -> None:
        self.app.background.run(lambda: blocks(self.app.model_card()), then=self._show)

    def _show(self, text: list[Block]) -> None:
        if self.app.screen is self:
            self.build(add_blocks(self.look, text, self._scroll.column))


class BenchmarkScreen(Screen):
    """How quick the recogniser is on this device, and how quickly the app was there."""

    name = "benchmark"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        self.benchmark: Benchmark | None = None
        self._measured = Column(spacing=dp(8))
        self._scroll = Scroll()

    def parts(self) -> Iterator[Any]:
        look, words = self.look, self.words
        self.add_widget(self.bar(words("benchmark.title")))
        self.add_widget(self._scroll)
        yield
        card = Card(look)
        self._scroll.column.add_widget(card)
        card.column.add_widget(Text(look, words("benchmark.explained"), colour=look.palette.muted))
        yield
        self._run = WordButton(look, "run", words("benchmark.run"))
        self._run.bind(on_release=lambda _: self._start())
        self._share = WordButton(look, "share_benchmark", words("benchmark.share"), "plain")
        self._share.bind(on_release=lambda _: self.app.share_line(self.line()))
        self._share.disabled = True
        self._share.opacity = 0.35
        self._line = Text(look, "", "caption", look.palette.muted)
        for widget in (Flow(self._run, self._share, spacing=dp(10)), self._measured, self._line):
            card.column.add_widget(widget)
        yield
        card = Card(look, heading=words("benchmark.startup"), spacing=dp(8))
        self._scroll.column.add_widget(card)
        for stage, seconds in self.app.startup.seconds().items():
            yield
            card.column.add_widget(self._figure(words(f"startup.{stage}"), self._seconds(seconds)))

    def line(self) -> str:
        """To be shared; empty before it ran."""
        if self.benchmark is None:
            return ""
        return self.benchmark.line(self.app.startup.seconds().get("first frame"))

    def _start(self) -> None:
        self._run.disabled = True
        self._run.opacity = 0.35
        self.app.background.run(
            lambda: run_benchmark(self.app.recognizer(), device_name()),
            then=self._show,
            failed=self._failed,
        )

    def _failed(self, error: Exception) -> None:
        self._run.disabled = False
        self._run.opacity = 1.0
        self.app.tell_problem(error)

    def _show(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        self._run.disabled = False
        self._run.opacity = self._share.opacity = 1.0
        self._share.disabled = False
        self._measured.clear_widgets()
        self.build(self._figures(benchmark))

    def _figures(self, benchmark: Benchmark) -> Iterator[Any]:
        words = self.words
        for key, value in (
            ("decision", self._milliseconds(benchmark.decision)),
            ("features", self._milliseconds(benchmark.features)),
            ("gender", self._milliseconds(benchmark.gender)),
            ("emotion", self._milliseconds(benchmark.emotion)),
            ("real_time", words.number(benchmark.real_time_factor, 4)),
        ):
            self._measured.add_widget(self._figure(words(f"benchmark.{key}"), value))
            yield
        self._line.text = self.line()

    def _figure(self, name: str, value: str) -> Row:
        return Row(
            Text(self.look, name, colour=self.look.palette.muted),
            Text(self.look, value, fit=True),
        )

    def _milliseconds(self, seconds: float) -> str:
        return self.words("number.milliseconds", value=self.words.number(1000 * seconds, 1))

    def _seconds(self, seconds: float) -> str:
        return self.words("number.seconds", value=self.words.number(seconds, 2))
