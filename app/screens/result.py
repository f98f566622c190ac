"""What one recording was found to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kivy.metrics import dp

from app.gradual import NEXT_FRAME
from app.meant import obstacle
from app.recording import Recording
from app.result import Result
from app.screens.screen import Screen
from app.widgets.bars import EmotionBars
from app.widgets.box import Box
from app.widgets.buttons import Chip, IconButton
from app.widgets.containers import Beside, Card, Column, Flow, Scroll
from app.widgets.containers import Line as Row
from app.widgets.face import Face
from app.widgets.field import Field
from app.widgets.icon import Icon
from app.widgets.spectrogram_view import SpectrogramView
from app.widgets.text import Text
from app.widgets.timeline import Timeline
from app.wording import certainty, voice
from edge import LABELS

if TYPE_CHECKING:
    from app.application import EdgeApp


class ResultScreen(Screen):
    """result: it may still lack its number, which `numbered` brings.

    recording: None when it was not kept, or is still to be read.
    notice: what went wrong in the midst of it, in the user's words.
    """

    name = "result"

    def __init__(
        self,
        app: EdgeApp,
        result: Result,
        recording: Recording | None = None,
        notice: str = "",
    ) -> None:
        super().__init__(app)
        self.result = result
        self.number = result.number
        """Of the result in the history; a job of the background brings it, and later ones ask."""
        self.recording = recording
        self._notice = notice
        self._body = Box()
        self._landscape = False
        self._scrolls: list[Scroll] = []
        self._columns: list[Scroll] = []  # of these, those that are shown
        self._cards: list[tuple[int, Card]] = []
        self.note: Field | None = None
        self.timeline: Timeline | None = None
        self._spectrogram = Column()
        self._chips: dict[str, Chip] = {}
        self._hint = Text(self.look, "", "caption", self.look.palette.muted)
        self._meant_kept = result.meant
        self._choices_under_way = 0

    def parts(self) -> Iterator[Any]:
        words = self.words
        bar = self.bar(words("result.title"))
        self.add_widget(bar)
        yield
        self.add_widget(self._body)
        self._arrange()
        yield
        share = IconButton(self.look, "share", "share", words("result.share"))
        share.bind(on_release=lambda _: self.app.share_result(self.result))
        delete = IconButton(self.look, "delete", "bin", words("result.delete"))
        delete.bind(on_release=lambda _: self.app.ask_to_delete(self.result))
        self.add_actions(bar, share, delete)
        yield
        yield from self._add_verdict()
        yield from self._add_warnings()
        yield from self._add_probabilities()
        yield from self._add_meant()
        yield from self._add_time()
        yield from self._add_picture()
        yield from self._add_note()

    def numbered(self, result: Result) -> None:
        """It is in the history now; what was written and chosen meanwhile is kept."""
        self.result = result.with_meant(self.result.meant)
        self._keep_note()

    def left(self) -> None:
        self.app.player.stop()
        self._keep_note()

    def rearrange(self, landscape: bool) -> None:
        self._landscape = landscape
        if self._body.parent is not None:
            self._arrange()
            self.build(self._put_all())

    def _arrange(self) -> None:
        """The columns, without the cards."""
        for _, card in self._cards:
            if card.parent is not None:
                card.parent.remove_widget(card)
        self._body.clear_widgets()
        count = 2 if self._landscape else 1
        self._scrolls += [Scroll() for _ in range(count - len(self._scrolls))]
        self._columns = self._scrolls[:count]
        for column in self._columns:
            column.scroll_y = 1.0
            self._body.add_widget(column)

    def _put_all(self) -> Iterator[Any]:
        for side, card in list(self._cards):
            if card.parent is None:
                self._put(side, card)
                yield NEXT_FRAME

    def _put(self, side: int, card: Card) -> None:
        """Into its column, above those that come after it."""
        column = self._columns[min(side, len(self._columns) - 1)].column
        numbers = {other: number for number, (_, other) in enumerate(self._cards)}
        later = sum(numbers[other] > numbers[card] for other in column.children)
        column.add_widget(card, later)

    def _add(self, side: int, heading: str = "", **settings: Any) -> Card:
        """A card; side: 0 for the left, 1 for the right of two columns."""
        card = Card(self.look, heading=heading, **settings)
        self._cards.append((side, card))
        if self._columns:
            self._put(side, card)
        return card

    def show_recording(self, recording: Recording | None) -> None:
        """It was read from the history meanwhile."""
        self.recording = recording
        if recording is None:
            return
        if self.timeline is not None:
            self.timeline.show(self.result, recording.outline)
            self._play.disabled = False
            self._play.opacity = 1.0
            if self._not_kept.parent is not None:
                self._not_kept.parent.remove_widget(self._not_kept)
        if self._spectrogram.parent is not None and not self._spectrogram.children:
            self._add_spectrogram(recording)

    def _add_verdict(self) -> Iterator[Any]:
        look, words, result = self.look, self.words, self.result
        card = self._add(0)
        face = Face(look, result.emotion, size_hint=(None, None), size=(dp(104), dp(104)))
        face.uncertain = result.uncertain
        emotion = words(f"emotion.{result.emotion}")
        measured = Text(look, emotion, "display", fit=True)
        measured.draw_letters()
        said = Column(spacing=dp(4))
        card.column.add_widget(Beside(face, said, max(dp(150), measured.texture_size[0])))
        yield
        self.heading = Text(look, emotion, "display")
        said.add_widget(self.heading)
        yield
        said.add_widget(Text(look, certainty(words, result)))
        said.add_widget(Text(look, voice(words, result), colour=look.palette.muted))
        yield
        about = words(
            "result.about",
            moment=words.moment(result.began),
            seconds=words.seconds(result.duration),
            milliseconds=words.number(1000 * result.decided_in),
        )
        if result.by_voice:
            about = f"{about} · {words('result.by_voice')}"
        card.column.add_widget(Text(look, about, "caption", look.palette.muted))
        yield

    def _add_warnings(self) -> Iterator[Any]:
        look, words, result = self.look, self.words, self.result
        said = [self._notice] if self._notice else []
        said += [words(f"flag.{flag}") for flag in result.flags]
        if result.lost_buffers:
            said.append(words.count("lost", result.lost_buffers))
        if not said:
            return
        card = self._add(0)
        for text in said:
            icon = Icon(look, "warning", look.palette.warning)
            card.column.add_widget(Row(icon, Text(look, text)))
            yield

    def _add_probabilities(self) -> Iterator[Any]:
        card = self._add(0, self.words("result.probabilities"))
        self.bars = EmotionBars(self.look)
        card.column.add_widget(self.bars)
        yield
        yield from self.bars.add(self.result.ranking())

    def _add_meant(self) -> Iterator[Any]:
        look, words = self.look, self.words
        card = self._add(0, words("result.meant"), spacing=dp(8))
        yield
        card.column.add_widget(self._hint)
        self.show_meant()
        yield
        flow = Flow()
        card.column.add_widget(flow)
        for emotion in LABELS:
            yield
            chip = Chip(look, f"meant.{emotion}", words(f"emotion.{emotion}"), False, ticked=True)
            chip.bind(on_release=lambda _, emotion=emotion: self._choose(emotion))
            self._chips[emotion] = chip
            self._mark(emotion)
            flow.add_widget(chip)

    def show_meant(self) -> None:
        """The choice, and whether it teaches the owner's voice."""
        why_not = obstacle(self.result, self.app.own_voice.models)
        self._hint.text = self.words(f"result.meant.{why_not or 'hint'}")
        for emotion in self._chips:
            self._mark(emotion)

    def _mark(self, emotion: str) -> None:
        """Its chip, as chosen or not."""
        words, chip = self.words, self._chips[emotion]
        chip.chosen = emotion == self.result.meant
        chip.label = words(
            "result.meant.take_back" if chip.chosen else "result.meant.choose",
            emotion=words(f"emotion.{emotion}"),
        )

    def _choose(self, emotion: str) -> None:
        """Again takes it back."""
        meant = "" if emotion == self.result.meant else emotion
        self._choices_under_way += 1
        self.result = self.result.with_meant(meant)
        self.show_meant()
        self.app.put_right(self, meant)

    def chosen_is_kept(self, meant: str) -> None:
        """A choice is in the history now."""
        self._meant_kept = meant
        self._choice_is_over()

    def chosen_is_lost(self) -> None:
        """A choice could not be kept: what was kept before is shown again."""
        self._choice_is_over()

    def _choice_is_over(self) -> None:
        self._choices_under_way -= 1
        if not self._choices_under_way:
            self.result = self.result.with_meant(self._meant_kept)
            self.show_meant()

    def _add_time(self) -> Iterator[Any]:
        look, words = self.look, self.words
        card = self._add(1, words("result.timeline"), spacing=dp(8))
        yield
        timeline = Timeline(look, words("result.timeline.label"), self._scrubbed)
        self._play = IconButton(look, "play", "play", words("result.play"))
        self._play.bind(on_release=lambda _: self._play_or_stop())
        self._where = Text(look, "")
        self._not_kept = Text(look, words("result.not_kept"), "caption", look.palette.muted)
        recording = self.recording
        self._play.disabled = recording is None
        self._play.opacity = 1.0 if recording is not None else 0.35
        timeline.show(self.result, recording.outline if recording is not None else None)
        self.timeline = timeline
        card.column.add_widget(timeline)
        yield
        self._show_where(0.0)
        card.column.add_widget(Row(self._play, self._where, spacing=dp(4)))
        if self.recording is None:
            card.column.add_widget(self._not_kept)
        yield

    def _add_picture(self) -> Iterator[Any]:
        if self.recording is None and self.result.sound_file is None:
            return
        card = self._add(1, self.words("result.spectrogram"))
        card.column.add_widget(self._spectrogram)
        yield
        if self.recording is not None and not self._spectrogram.children:
            self._add_spectrogram(self.recording)
            yield

    def _add_spectrogram(self, recording: Recording) -> None:
        self._spectrogram.add_widget(
            SpectrogramView(self.look, recording.picture, self.result.duration)
        )

    def _add_note(self) -> Iterator[Any]:
        words = self.words
        card = self._add(1, words("result.note"))
        yield
        self.note = Field(self.look, "note", words("result.note.hint"), text=self.result.note)
        self.note.bind(focus=lambda _, focus: None if focus else self._keep_note())
        card.column.add_widget(self.note)

    def _keep_note(self) -> None:
        if self.note is None:
            return
        note = self.note.text.strip()
        if note != self.result.note and self.result.number is not None:
            self.result = self.result.with_note(note)
            self.app.change_note(self.result)

    def _scrubbed(self, position: float) -> None:
        self._show_where(position)
        if self.app.player.active:
            self._start_playing()

    def _show_where(self, position: float) -> None:
        window = self.result.window_at(position)
        if window is None:
            return
        words = self.words
        self._where.text = words(
            "result.where",
            position=words.seconds(position),
            emotion=words(f"emotion.{window.emotion}"),
            probability=words.percent(window.probabilities[window.emotion]),
        )

    def _play_or_stop(self) -> None:
        if self.app.player.active:
            self.app.player.stop()
            self._play.show("play", self.words("result.play"))
        else:
            if self.timeline.position >= self.result.duration - 0.05:
                self.timeline.position = 0.0
            self._start_playing()

    def _start_playing(self) -> None:
        if self.recording is None:
            return
        self._play.show("stop", self.words("result.stop"))
        self.app.player.play(
            self.recording.sound, self.timeline.position, self._moved, self._cannot_play
        )

    def _moved(self, position: float | None) -> None:
        if position is None:
            self._play.show("play", self.words("result.play"))
            return
        self.timeline.position = min(position, self.result.duration)
        self._show_where(self.timeline.position)

    def _cannot_play(self, error: Exception) -> None:
        self._play.show("play", self.words("result.play"))
        self.app.tell_storage_problem(error)
