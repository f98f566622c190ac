"""The first screen: one large button, and what is heard while it is on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kivy.metrics import dp
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from app.gradual import NEXT_FRAME
from app.screens.screen import Screen
from app.session import Session, SessionState
from app.widgets.box import Box
from app.widgets.buttons import RoundButton
from app.widgets.containers import Card, Column, Flow, Scroll
from app.widgets.dial import GenderDial
from app.widgets.face import FACES, Face
from app.widgets.icon import Icon
from app.widgets.meter import LevelMeter
from app.widgets.ribbon_view import RibbonView
from app.widgets.text import Text
from app.widgets.waveform import Waveform
from app.wording import advice

if TYPE_CHECKING:
    from app.application import EdgeApp


class FaceCircle(FloatLayout):
    """All the faces around a microphone, while nothing is heard."""

    def __init__(self, app: EdgeApp) -> None:
        super().__init__()
        self._look = app.look
        self._faces: list[Face] = []
        self._icon = Icon(app.look, "microphone", app.look.palette.muted)
        self.add_widget(self._icon)
        self.bind(pos=self._place, size=self._place)

    def parts(self) -> Iterator[Any]:
        """The faces, one with each step."""
        for emotion in FACES:
            face = Face(self._look, emotion, size_hint=(None, None))
            self._faces.append(face)
            self._place()
            self.add_widget(face)
            yield

    def _place(self, *_: Any) -> None:
        side = min(self.width, self.height, dp(340))
        for number, face in enumerate(self._faces):
            angle = 2 * math.pi * number / len(FACES)
            face.size = (0.22 * side, 0.22 * side)
            face.center = (
                self.center_x + 0.38 * side * math.sin(angle),
                self.center_y + 0.38 * side * math.cos(angle),
            )
        self._icon.size = (0.26 * side, 0.26 * side)
        self._icon.center = self.center


class ListenScreen(Screen):
    """Idle, or over a session."""

    name = "listen"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        self.session: Session | None = None
        self._landscape = False
        self._arranged: tuple[bool, bool, bool] | None = None
        self._number = 0  # of arrangements
        self._second = -1
        self._scroll: Scroll | None = None
        self._beside: list[Widget] = []
        self._followed: list[Widget] = []
        self._shown: Session | None = None
        self._outlined = False

    def parts(self) -> Iterator[Any]:
        yield from self._outline()
        self._outlined = True
        self._begin()
        yield NEXT_FRAME
        yield from self._circle.parts()

    def _outline(self) -> Iterator[Any]:
        """Before all of these are there, nothing is."""
        look, words, muted = self.look, self.words, self.look.palette.muted
        self._title = Text(look, words("listen.title"), "title", align="center")
        self._promise = Flow(
            Icon(look, "shield", muted, points=16),
            Text(look, words("listen.promise"), "caption", muted, align="center", fit=True),
            spacing=dp(6),
            align="center",
        )
        yield
        self._circle = FaceCircle(self.app)
        self._hint = Text(look, words("listen.hint"), colour=muted, align="center")
        yield
        self.face = Face(look)
        self.emotion = Text(look, "", "display", align="center")
        self.certainty = Text(look, "", colour=muted, align="center")
        self.dial = GenderDial(look, size_hint_y=None, height=dp(118))
        yield
        self.waveform = Waveform(look, size_hint_y=None, height=dp(72))
        self.meter = LevelMeter(look)
        self.ribbon = RibbonView(look)
        self._ribbon_heading = Text(look, words("listen.ribbon"), "caption", muted)
        self._live = Card(
            look,
            self.waveform,
            Column(Text(look, words("listen.level"), "caption", muted), self.meter, spacing=dp(6)),
            Column(self._ribbon_heading, self.ribbon, spacing=dp(6)),
        )
        yield
        self.button = RoundButton(look, "record", "microphone", words("listen.start"), 96)
        self.button.bind(on_release=lambda _: self.app.listen_or_stop())
        self.pause_button = RoundButton(look, "pause", "pause", words("listen.pause"), 56, "plain")
        self.pause_button.bind(on_release=lambda _: self.app.pause_or_go_on())
        self.cancel_button = RoundButton(
            look, "cancel", "close", words("listen.cancel"), 56, "plain"
        )
        self.cancel_button.bind(on_release=lambda _: self.app.cancel())
        self.caption = Text(look, "", align="center")

        self._stage = Box(orientation="vertical", size_hint_y=None, spacing=dp(7))
        self._buttons = Flow(spacing=dp(28), align="center")
        self._controls = Column(
            self._buttons, self.caption, spacing=dp(4), padding=(dp(16), dp(4), dp(16), dp(12))
        )
        self._show_idle()

    def entered(self) -> None:
        self._begin()

    def follow(self, session: Session | None) -> None:
        """Shows a session from now on, or nothing; when it is shown again, if it is not now."""
        self.session = session
        if self.parent is not None:
            self._begin()

    def _begin(self) -> None:
        if not self._outlined:
            return
        session = self.session
        self._second = -1
        if self._shown is not session or self._scroll is None:
            self._shown = session
            if session is None:
                self._show_idle()
            else:
                self._show_live()
        for _ in self._arrange():
            pass

    def rearrange(self, landscape: bool) -> None:
        self._landscape = landscape
        if not self._outlined:
            return
        steps = self._arrange()
        if self.parent is None:  # it is about to be shown
            for _ in steps:
                pass
        else:
            next(steps, None)
            self.build(steps)

    def _arrange(self) -> Iterator[Any]:
        """Takes all from its place, and with the next steps puts it where it belongs now."""
        frame = self.app.frame
        cramped = self._landscape or (frame is not None and 0 < frame.height < dp(700))
        wanted = (self._landscape, cramped, self.session is not None)
        if wanted == self._arranged:
            return
        self._arranged = None
        self.clear_widgets()
        for widget in (self._stage, self._live, self._controls, self._title, self._promise):
            if widget.parent is not None:
                widget.parent.remove_widget(widget)
        self._number += 1
        number = self._number
        yield NEXT_FRAME
        if number != self._number:
            return  # it was turned once more
        head = [] if self.session is not None and cramped else [self._title, self._promise]
        live = [self._live] if self.session is not None else []
        if self._landscape:
            self.orientation = "horizontal"
            below: list[Widget] = []
            scroll = Scroll(*head, size_hint_x=0.52)
            side = Box(orientation="vertical", size_hint_x=0.48)
            side.add_widget(Scroll(*live) if live else Widget())
            side.add_widget(self._controls)
            if not live:
                side.add_widget(Widget())
            self.add_widget(scroll)
            self.add_widget(side)
        else:
            self.orientation = "vertical"
            below = live
            scroll = Scroll(*head, *below)
            self.add_widget(scroll)
            self.add_widget(self._controls)
        yield NEXT_FRAME
        if number != self._number:
            return
        scroll.column.add_widget(self._stage, len(below))
        self._fill(scroll, [*head, *below])
        self._arranged = wanted

    def _fill(self, scroll: Scroll, others: list[Widget]) -> None:
        """The stage takes what these leave of the height, and never too little."""
        for widget in self._followed:
            widget.unbind(height=self._fit_stage)
        self._scroll, self._beside = scroll, others
        self._followed = [scroll, *others]
        for widget in self._followed:
            widget.bind(height=self._fit_stage)
        self._fit_stage()

    def _fit_stage(self, *_: Any) -> None:
        if self._scroll is None:
            return
        taken = sum(widget.height for widget in self._beside) + dp(12) * len(self._beside) + dp(36)
        least = dp(250) if self.session is None else dp(320)
        least *= 0.6 if self._landscape else 1.0
        self._stage.height = max(least, self._scroll.height - taken)

    def _show_idle(self) -> None:
        self._stage.clear_widgets()
        self._stage.add_widget(self._circle)
        self._stage.add_widget(self._hint)
        self._place_buttons(live=False)
        self.button.show("microphone", self.words("listen.start"), "filled")
        self.caption.text = self.words("listen.start")

    def _show_live(self) -> None:
        self._stage.clear_widgets()
        for widget in (self.face, self.emotion, self.certainty, self.dial):
            self._stage.add_widget(widget)
        self.face.emotion = ""
        self.emotion.text = self.words("listen.opening")
        self.certainty.text = ""
        self.dial.show(None, 0.5)
        self.ribbon.show((), 0.0)
        self.meter.show(0.0)
        self._place_buttons(live=True)
        self.button.show("stop", self.words("listen.stop"), "danger")

    def _place_buttons(self, live: bool) -> None:
        self._buttons.clear_widgets()
        self.button.disabled = False
        shown = (self.cancel_button, self.button, self.pause_button) if live else (self.button,)
        for button in shown:
            self._buttons.add_widget(button)

    def show(self, session: Session) -> None:
        """What the session is at now; called for every frame."""
        if not self._outlined:
            return
        state = session.state
        if session.level is not None and session.envelope is not None:
            self.meter.show(session.level.fraction if state is SessionState.LISTENING else 0.0)
            self.waveform.show(session.envelope.latest())
            self.ribbon.show(session.ribbon.stretches(), session.time)
            by_voice = session.voice is not None
            key = "listen.ribbon.by_voice" if by_voice else "listen.ribbon"
            self._say(self._ribbon_heading, self.words(key))
        self._show_state(state, session)
        if state is not SessionState.JUDGING:
            self._show_decision(session, state)

    def _show_state(self, state: SessionState, session: Session) -> None:
        words = self.words
        paused = state is SessionState.PAUSED
        icon, label = ("microphone", "listen.resume") if paused else ("pause", "listen.pause")
        self.pause_button.show(icon, words(label), "filled" if paused else "plain")
        active = state in (SessionState.LISTENING, SessionState.PAUSED)
        self.pause_button.disabled = not active
        self.button.disabled = state is SessionState.JUDGING
        if state is SessionState.JUDGING:
            self._say(self.caption, words("listen.judging"))
            return
        if paused:
            key = "listen.interrupted" if session.interrupted else "listen.paused"
            self._say(self.caption, f"{words.clock(session.time)}  {words(key)}")
        elif int(session.time) != self._second or state is SessionState.OPENING:
            self._say(self.caption, words.clock(session.time))
        self._second = int(session.time) if state is SessionState.LISTENING else -1

    def _show_decision(self, session: Session, state: SessionState) -> None:
        words, decision = self.words, session.decision
        if decision is None:
            key = "listen.opening" if state is SessionState.OPENING else "listen.waiting"
            self._say(self.emotion, words(key))
            return
        self.face.emotion, self.face.uncertain = decision.emotion, decision.uncertain
        self._say(self.emotion, words(f"emotion.{decision.emotion}"))
        probability = words.percent(decision.probabilities[decision.emotion])
        certainty = "uncertain.short" if decision.uncertain else "probability"
        said = advice(words, decision.flags) or words(certainty, probability=probability)
        self._say(self.certainty, said)
        self.dial.show(decision.gender, decision.gender_posterior)

    @staticmethod
    def _say(text: Text, words: str) -> None:
        """Letters cost time to draw: only when they change."""
        if text.text != words:
            text.text = words
