"""The page on which the app is taught how the owner of the phone sounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.graphics import Color, SmoothEllipse
from kivy.metrics import dp
from kivy.uix.widget import Widget

from app.keyboard import scroll_into_view
from app.look.look import Look
from app.look.palette import rgba
from app.screens.screen import Screen
from app.session import Session, SessionState
from app.usual import FEWEST
from app.widgets.box import Box
from app.widgets.buttons import IconButton, OnOff, WordButton
from app.widgets.containers import Card, Column, Flow, Scroll, Sheet
from app.widgets.containers import Line as Row
from app.widgets.control import Control
from app.widgets.drawing import Drawing
from app.widgets.face import Face
from app.widgets.icon import Icon, draw_icon
from app.widgets.meter import LevelMeter
from app.widgets.text import Text
from app.wording import examples
from edge import LABELS

if TYPE_CHECKING:
    from app.application import EdgeApp


LONGEST_WORD = 6.5
"""Of its letters' height; an emotion's word has this room at least."""


class Mark(Drawing):
    """A microphone on a round ground; while it is on, the sign to stop."""

    def __init__(self, look: Look) -> None:
        super().__init__(
            look, size_hint=(None, None), size=(dp(44), dp(44)), pos_hint={"center_y": 0.5}
        )
        self._state = "ready"

    @property
    def recording(self) -> bool:
        """Whether it is on."""
        return self._state == "on"

    def show(self, state: str) -> None:
        """state: "ready", "on" or "idle"."""
        if state != self._state:
            self._state = state
            self.redraw()

    def draw(self) -> None:
        palette = self.look.palette
        icon, ground, ink = {
            "ready": ("microphone", palette.raised, palette.accent),
            "on": ("stop", palette.danger, palette.on_danger),
            "idle": ("microphone", palette.surface, palette.outline),
        }[self._state]
        Color(*rgba(ground))
        SmoothEllipse(pos=self.pos, size=self.size)
        side = 0.5 * self.width
        x, y = self.middle()
        draw_icon(icon, ink, x - side / 2, y - side / 2, side)


class EmotionRow(Control, Box):
    """An emotion with its examples; pressing records one more.

    A button within takes the last one back. Where it would leave the words too little room, it is
    below the mark.
    """

    def __init__(self, screen: OwnVoiceScreen, emotion: str) -> None:
        super().__init__(size_hint_y=None, height=screen.look.touch, spacing=dp(14))
        look = screen.look
        self._screen, self._key = screen, emotion
        self._palette, self._words = look.palette, screen.words
        self._emotion = screen.words(f"emotion.{emotion}")
        self.caption = Text(look, "", "caption", look.palette.muted)
        self._word = Text(look, self._emotion)
        self._said = Column(self._word, self.caption, spacing=dp(3), pos_hint={"center_y": 0.5})
        self._said.bind(height=self._fit)
        self._mark = Mark(look)
        self._side = Box(size_hint=(None, None), pos_hint={"center_y": 0.5})
        self._side.bind(height=self._fit)
        self._least_words = LONGEST_WORD * look.size_of("body")
        self._number = 0
        self._take_back: IconButton | None = None
        self._face = Face(look, emotion, size_hint=(None, None), size=(dp(40), dp(40)))
        self._face.pos_hint = {"center_y": 0.5}
        for widget in (self._face, self._said, self._side):
            self.add_widget(widget)
        self.bind(width=self._arrange)
        self._arrange()
        label = self._words("own_voice.teach", emotion=self._emotion)
        self.make_pressable(look, label, f"teach.{emotion}")
        self.bind(on_release=lambda _: screen.app.teaching.begin_or_stop(emotion))

    def show_count(self, number: int) -> None:
        """How many examples there are."""
        self.say(examples(self._words, "own_voice.count", number))
        self._number = number
        self._arrange()

    def say(self, text: str) -> None:
        """Below the emotion."""
        if self.caption.text != text:
            self.caption.text = text

    def begin(self, meter: LevelMeter) -> None:
        """Its example is being recorded."""
        self.label = self._words("own_voice.stop", emotion=self._emotion)
        self._mark.show("on")
        self._said.add_widget(meter)
        self._arrange()

    def end(self, meter: LevelMeter) -> None:
        """It no longer is."""
        self.label = self._words("own_voice.teach", emotion=self._emotion)
        self._mark.show("ready")
        self._said.remove_widget(meter)
        self._arrange()

    def allow(self, allowed: bool) -> None:
        """Whether it may be pressed. Its face stays as it is: pale, its colour would be another."""
        if allowed is self.disabled:
            self.disabled = not allowed
            self._word.colour = self._palette.text if allowed else self._palette.muted
            self._mark.show("ready" if allowed else "idle")
            if self._take_back is not None:
                self._take_back.opacity = 1.0 if allowed else 0.35

    def _button(self) -> IconButton:
        app, emotion = self._screen.app, self._key
        label = self._words("own_voice.take_back", emotion=self._emotion)
        button = IconButton(
            self._screen.look, f"take_back.{emotion}", "undo", label, self._palette.muted
        )
        button.bind(on_release=lambda _: app.take_example_back(emotion))
        return button

    def _arrange(self, *_: Any) -> None:
        """The mark, and beside or below it the button, while there is an example to take back."""
        mark, side = self._mark, self._side
        parts: list[Widget] = [mark]
        orientation = "horizontal"
        if self._number and not mark.recording:
            if self._take_back is None:
                self._take_back = self._button()
            button = self._take_back
            room = self.width - self._face.width - mark.width - button.width - 3 * self.spacing
            orientation = "horizontal" if room >= self._least_words else "vertical"
            parts = [button, mark] if orientation == "horizontal" else [mark, button]
        if side.children[::-1] == parts and side.orientation == orientation:
            return
        side.clear_widgets()
        side.orientation = orientation
        widths, heights = [part.width for part in parts], [part.height for part in parts]
        lying = orientation == "horizontal"
        side.size = (sum if lying else max)(widths), (max if lying else sum)(heights)
        for part in parts:
            part.pos_hint = {"center_y": 0.5} if lying else {"right": 1.0}
            side.add_widget(part)

    def _fit(self, *_: Any) -> None:
        self.height = max(dp(56), self._said.height + dp(12), self._side.height + dp(8))


class OwnVoiceScreen(Screen):
    """What it is for, whether it is made use of, and a row for each emotion."""

    name = "own_voice"

    def __init__(self, app: EdgeApp) -> None:
        super().__init__(app)
        self.scroll = Scroll()
        self._notice: tuple[str, Card] | None = None
        self._switch: OnOff | None = None
        self._always: OnOff | None = None
        self._hint, self._always_hint = (
            Text(self.look, "", "caption", self.look.palette.muted) for _ in range(2)
        )
        self._forget: WordButton | None = None
        self.rows: dict[str, EmotionRow] = {}
        self.meter = LevelMeter(self.look)
        self._recorded: EmotionRow | None = None
        self._grown = Clock.create_trigger(self._see_recorded)

    def parts(self) -> Iterator[Any]:
        look, words = self.look, self.words
        add = self.scroll.column.add_widget
        self.add_widget(self.bar(words("own_voice.title")))
        self.add_widget(self.scroll)
        yield
        card = Card(look)
        add(card)
        card.column.add_widget(Text(look, words("own_voice.explained")))
        self._show_notice()
        yield
        column = Column(spacing=dp(4))
        card.column.add_widget(column)
        self._switch = OnOff(look, "hear_by_voice", words("own_voice.hear"), False)
        self._switch.bind(on_release=self._toggle)
        column.add_widget(Row(Text(look, words("own_voice.hear")), self._switch))
        column.add_widget(self._hint)
        self._show_switches()
        yield
        column = Column(spacing=dp(4))
        card.column.add_widget(column)
        self._always = OnOff(look, "always_me", words("own_voice.always"), False)
        self._always.bind(on_release=lambda switch: self.app.choose("always_me", not switch.on))
        column.add_widget(Row(Text(look, words("own_voice.always")), self._always))
        column.add_widget(self._always_hint)
        self._show_switches()
        yield
        card = Card(look, heading=words("own_voice.examples"), spacing=dp(4))
        add(card)
        for emotion in LABELS:
            yield
            row = EmotionRow(self, emotion)
            row.show_count(self._counts().get(emotion, 0))
            card.column.add_widget(Sheet(row))
            self.rows[emotion] = row
            self._allow()
        yield
        self._forget = WordButton(look, "forget_voice", words("own_voice.forget"), "plain")
        self._forget.bind(on_release=lambda _: self.app.ask_to_forget_voice())
        add(Flow(self._forget))
        self._allow()

    def left(self) -> None:
        self.app.teaching.cancel()

    def chosen(self, name: str, value: Any) -> None:
        if name in ("hear_by_voice", "always_me"):
            self._show_switches()

    def refresh(self) -> None:
        """More or less is known than before."""
        self._show_notice()
        self._show_switches()
        for emotion, row in self.rows.items():
            if row is not self._recorded:
                row.show_count(self._counts().get(emotion, 0))
        self._allow()

    def follow(self, session: Session | None, emotion: str) -> None:
        """An example of that emotion is being recorded, or nothing any more."""
        if self._recorded is not None:
            self._recorded.unbind(height=self._grown)
            self._recorded.end(self.meter)
        self._recorded = self.rows[emotion] if session is not None else None
        if self._recorded is not None:
            self.meter.show(0.0)
            self._recorded.begin(self.meter)
            self._recorded.say(self.words("listen.opening"))
            self._recorded.bind(height=self._grown)
        self.refresh()

    def show(self, session: Session) -> None:
        """What the session is at now; called for every frame."""
        if self._recorded is None:
            return
        state = session.state
        if state is SessionState.OPENING:
            return
        heard = state is SessionState.LISTENING and session.level is not None
        self.meter.show(session.level.fraction if heard and session.level is not None else 0.0)
        judging = state is SessionState.JUDGING
        self._recorded.say(self.words("listen.judging" if judging else "own_voice.speak"))

    def _see_recorded(self, _: float) -> None:
        """With its meter it may reach out of sight."""
        if self._recorded is not None:
            scroll_into_view(self._recorded)

    def _counts(self) -> dict[str, int]:
        return self.app.own_voice.voice.counts()

    def _show_notice(self) -> None:
        """At the top: why the voice is not known any more."""
        column, lost = self.scroll.column, self.app.own_voice.lost
        if self._notice is not None and self._notice[0] != lost:
            column.remove_widget(self._notice[1])
            self._notice = None
        if lost and self._notice is None:
            icon = Icon(self.look, "warning", self.look.palette.warning)
            text = Text(self.look, self.words(f"own_voice.{lost}"))
            self._notice = lost, Card(self.look, Row(icon, text))
            column.add_widget(self._notice[1], len(column.children))

    def _show_switches(self) -> None:
        words, own = self.words, self.app.own_voice
        if self._switch is not None:
            self._switch.on = self.app.hears_by_voice
            self._switch.disabled = not own.useful
            self._hint.text = words(f"own_voice.hear.{'hint' if own.useful else 'too_few'}")
        if self._always is not None:
            self._always.on = self.app.preferences.always_me
            said = [words("own_voice.always.hint")]
            if own.usual is not None:
                said.append(words("own_voice.always.known", number=own.usual.clips))
            elif self._always.on:
                said.append(words("own_voice.always.too_few", number=FEWEST))
            self._always_hint.text = " ".join(said)

    def _toggle(self, switch: Any) -> None:
        self.app.choose("hear_by_voice", not switch.on)

    def _allow(self) -> None:
        """While one example is recorded, nothing else can be done about the voice."""
        for row in self.rows.values():
            row.allow(self._recorded in (None, row))
        if self._forget is not None:
            own = self.app.own_voice
            known = bool(own.voice.examples or own.lost or own.usual)
            self._forget.disabled = not known or self._recorded is not None
            self._forget.opacity = 0.35 if self._forget.disabled else 1.0
