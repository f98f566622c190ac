"""The pages about the app: privacy, the model card, the benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kivy.metrics import dp

from app.benchmark import Benchmark, run_benchmark
from app.device import device_name
from app.screens.screen import Screen
from app.widgets.buttons import WordButton
from app.widgets.containers import Card, Column, Flow, Scroll
from app.widgets.containers import Line as Row
from app.widgets.icon import Icon
from app.widgets.markdown import markdown_widgets
from app.widgets.text import Text

if TYPE_CHECKING:
    from app.application import EdgeApp


class PrivacyScreen(Screen):
    """In plain language."""

    name = "privacy"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        look, words = self.look, self.words
        cards = [
            Card(
                look,
                Row(
                    Icon(look, "shield", look.palette.accent, points=40),
                    Text(look, words("privacy.promise"), "heading"),
                ),
            )
        ]
        for topic in ("network", "microphone", "kept", "shared", "meaning"):
            cards.append(
                Card(
                    look,
                    Text(look, words(f"privacy.{topic}")),
                    heading=words(f"privacy.{topic}.title"),
                    spacing=dp(6),
                )
            )
        self.add_widget(self.bar(words("privacy.title")))
        self.add_widget(Scroll(*cards))


class ModelCardScreen(Screen):
    """The card of the bundle that answers."""

    name = "model_card"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        look, words = self.look, self.words
        self.add_widget(self.bar(words("model_card.title")))
        self._card = Card(look)
        self.add_widget(
            Scroll(Text(look, words("model_card.hint"), "caption", look.palette.muted), self._card)
        )

    def entered(self) -> None:
        if not self._card.children:
            self.app.background.run(self.app.model_card, then=self._show)

    def _show(self, text: str) -> None:
        if not self._card.children:
            for widget in markdown_widgets(self.look, text):
                self._card.add_widget(widget)


class BenchmarkScreen(Screen):
    """How quick the recogniser is on this device, and how quickly the app was there."""

    name = "benchmark"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        look, words = self.look, self.words
        self.benchmark: Benchmark | None = None
        self._run = WordButton(look, "run", words("benchmark.run"))
        self._run.bind(on_release=lambda _: self._start())
        self._share = WordButton(look, "share_benchmark", words("benchmark.share"), "plain")
        self._share.bind(on_release=lambda _: self.app.share_line(self.line()))
        self._share.disabled = True
        self._share.opacity = 0.35
        self._measured = Column(spacing=dp(8))
        self._line = Text(look, "", "caption", look.palette.muted)
        startup = Column(spacing=dp(8))
        for stage, seconds in self.app.startup.seconds().items():
            startup.add_widget(self._figure(words(f"startup.{stage}"), self._seconds(seconds)))
        self.add_widget(self.bar(words("benchmark.title")))
        self.add_widget(
            Scroll(
                Card(
                    look,
                    Text(look, words("benchmark.explained"), colour=look.palette.muted),
                    Flow(self._run, self._share, spacing=dp(10)),
                    self._measured,
                    self._line,
                ),
                Card(look, startup, heading=words("benchmark.startup")),
            )
        )

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
        words = self.words
        self.benchmark = benchmark
        self._run.disabled = False
        self._run.opacity = self._share.opacity = 1.0
        self._share.disabled = False
        self._measured.clear_widgets()
        for key, value in (
            ("decision", self._milliseconds(benchmark.decision)),
            ("features", self._milliseconds(benchmark.features)),
            ("gender", self._milliseconds(benchmark.gender)),
            ("emotion", self._milliseconds(benchmark.emotion)),
            ("real_time", words.number(benchmark.real_time_factor, 4)),
        ):
            self._measured.add_widget(self._figure(words(f"benchmark.{key}"), value))
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
