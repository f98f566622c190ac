"""What one recording was found to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from numpy.typing import NDArray

from app.envelope import whole_envelope
from app.result import Result
from app.screens.screen import Screen
from app.sound import Sound
from app.widgets.bars import EmotionBars
from app.widgets.buttons import IconButton
from app.widgets.containers import Beside, Card, Column, Scroll
from app.widgets.containers import Line as Row
from app.widgets.face import Face
from app.widgets.field import Field
from app.widgets.icon import Icon
from app.widgets.spectrogram_view import SpectrogramView
from app.widgets.text import Text
from app.widgets.timeline import Timeline
from app.wording import certainty, voice

if TYPE_CHECKING:
    from app.application import EdgeApp

OUTLINE_COLUMNS = 360


class ResultScreen(Screen):
    """result: it may still lack its number, which `numbered` brings.

    sound, picture: None when the recording was not kept.
    notice: what went wrong in the midst of it, in the user's words.
    """

    name = "result"

    def __init__(
        self,
        app: EdgeApp,
        result: Result,
        sound: Sound | None = None,
        picture: NDArray[np.uint8] | None = None,
        notice: str = "",
    ) -> None:
        super().__init__(app)
        self.result = result
        self.sound = sound
        self._picture = picture
        self._notice = notice
        words = self.words
        share = IconButton(self.look, "share", "share", words("result.share"))
        share.bind(on_release=lambda _: self.app.share_result(self.result))
        delete = IconButton(self.look, "delete", "bin", words("result.delete"))
        delete.bind(on_release=lambda _: self.app.ask_to_delete(self.result))
        self.add_widget(self.bar(words("result.title"), share, delete))
        self._body = BoxLayout()
        self.add_widget(self._body)
        self._columns: list[Scroll] = []
        self._cards: list[tuple[int, Card]] = []
        self.note: Field | None = None
        self.timeline: Timeline | None = None
        self._spectrogram = Column()
        self.build_gradually(
            [
                lambda: self._add(0, self._verdict()),
                lambda: self._add(0, self._warnings()),
                lambda: self._add(0, self._probabilities()),
                lambda: self._add(1, self._over_time()),
                lambda: self._add(1, self._sound_picture()),
                lambda: self._add(1, self._note()),
            ]
        )

    def numbered(self, result: Result) -> None:
        """It is in the history now; words written meanwhile are kept."""
        self.result = result
        self._keep_note()

    def left(self) -> None:
        self.app.player.stop()
        self._keep_note()

    def rearrange(self, landscape: bool) -> None:
        for _, card in self._cards:
            if card.parent is not None:
                card.parent.remove_widget(card)
        self._body.clear_widgets()
        self._columns = [Scroll(), Scroll()] if landscape else [Scroll()]
        for column in self._columns:
            self._body.add_widget(column)
        for side, card in self._cards:
            self._columns[min(side, len(self._columns) - 1)].column.add_widget(card)

    def _add(self, side: int, card: Card | None) -> None:
        """side: 0 for the left, 1 for the right of two columns."""
        if card is None:
            return
        self._cards.append((side, card))
        if self._columns:
            self._columns[min(side, len(self._columns) - 1)].column.add_widget(card)

    def show_sound(self, sound: Sound | None, picture: NDArray[np.uint8] | None) -> None:
        """The recording was read from the history meanwhile."""
        self.sound, self._picture = sound, picture
        if sound is not None and self.timeline is not None:
            self.timeline.show(self.result, whole_envelope(sound.samples, OUTLINE_COLUMNS))
            self._play.disabled = False
            self._play.opacity = 1.0
            if self._not_kept.parent is not None:
                self._not_kept.parent.remove_widget(self._not_kept)
        if picture is not None and self._spectrogram.parent and not self._spectrogram.children:
            self._spectrogram.add_widget(SpectrogramView(self.look, picture, self.result.duration))

    def _verdict(self) -> Card:
        look, words, result = self.look, self.words, self.result
        face = Face(look, result.emotion, size_hint=(None, None), size=(dp(104), dp(104)))
        face.uncertain = result.uncertain
        self.heading = Text(look, words(f"emotion.{result.emotion}"), "display")
        said = Column(
            self.heading,
            Text(look, certainty(words, result)),
            Text(look, voice(words, result), colour=look.palette.muted),
            spacing=dp(4),
        )
        about = words(
            "result.about",
            moment=words.moment(result.began),
            seconds=words.seconds(result.duration),
            milliseconds=words.number(1000 * result.decided_in),
        )
        measured = Text(look, self.heading.text, "display", fit=True)
        measured.texture_update()
        return Card(
            look,
            Beside(face, said, max(dp(150), measured.texture_size[0])),
            Text(look, about, "caption", look.palette.muted),
        )

    def _warnings(self) -> Card | None:
        look, words, result = self.look, self.words, self.result
        said = [self._notice] if self._notice else []
        said += [words(f"flag.{flag}") for flag in result.flags]
        if result.lost_buffers:
            said.append(words.count("lost", result.lost_buffers))
        if not said:
            return None
        rows = []
        for text in said:
            icon = Icon(look, "warning", look.palette.warning)
            rows.append(Row(icon, Text(look, text)))
        return Card(look, *rows)

    def _probabilities(self) -> Card:
        self.bars = EmotionBars(self.look)
        self.bars.show(self.result.ranking())
        return Card(self.look, self.bars, heading=self.words("result.probabilities"))

    def _over_time(self) -> Card:
        look, words = self.look, self.words
        self.timeline = Timeline(look, words("result.timeline.label"), self._scrubbed)
        outline = None
        if self.sound is not None:
            outline = whole_envelope(self.sound.samples, OUTLINE_COLUMNS)
        self.timeline.show(self.result, outline)
        self._play = IconButton(look, "play", "play", words("result.play"))
        self._play.bind(on_release=lambda _: self._play_or_stop())
        self._where = Text(look, "")
        self._not_kept = Text(look, words("result.not_kept"), "caption", look.palette.muted)
        if self.sound is None:
            self._play.disabled = True
            self._play.opacity = 0.35
        self._show_where(0.0)
        return Card(
            look,
            self.timeline,
            Row(self._play, self._where, spacing=dp(4)),
            *([] if self.sound is not None else [self._not_kept]),
            heading=words("result.timeline"),
            spacing=dp(8),
        )

    def _sound_picture(self) -> Card | None:
        if self._picture is not None:
            self._spectrogram.add_widget(
                SpectrogramView(self.look, self._picture, self.result.duration)
            )
        elif self.result.sound_file is None:
            return None
        return Card(self.look, self._spectrogram, heading=self.words("result.spectrogram"))

    def _note(self) -> Card:
        words = self.words
        self.note = Field(self.look, "note", words("result.note.hint"), text=self.result.note)
        self.note.bind(focus=lambda _, focus: None if focus else self._keep_note())
        return Card(self.look, self.note, heading=words("result.note"))

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
        if self.sound is None:
            return
        self._play.show("stop", self.words("result.stop"))
        self.app.player.play(self.sound, self.timeline.position, self._moved, self._cannot_play)

    def _moved(self, position: float | None) -> None:
        if position is None:
            self._play.show("play", self.words("result.play"))
            return
        self.timeline.position = min(position, self.result.duration)
        self._show_where(self.timeline.position)

    def _cannot_play(self, error: Exception) -> None:
        self._play.show("play", self.words("result.play"))
        self.app.tell_storage_problem(error)
