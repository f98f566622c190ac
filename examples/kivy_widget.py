"""A Kivy widget of the speaker's gender and emotions: python examples/kivy_widget.py

Needs: pip install kivy sounddevice. `EmotionBars` knows nothing of where the sound comes from:
hand it the decisions of any stream. The app below hands it those of the microphone.
"""

from __future__ import annotations

import threading

from kivy.app import App
from kivy.clock import Clock
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.progressbar import ProgressBar

from edge import LABELS, Decision, EdgeError, Recognizer
from edge.microphone import Microphone

STRONG, PLAIN, FAINT = (1.0, 0.85, 0.3, 1.0), (1.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 0.5)


class EmotionBars(BoxLayout):
    """The gender above a bar for each emotion; the one that is held stands out."""

    def __init__(self, **settings) -> None:
        super().__init__(orientation="vertical", padding=16, spacing=4, **settings)
        self.heading = Label(text="waiting for speech", font_size="20sp")
        self.add_widget(self.heading)
        self.names = {label: Label(text=label, size_hint_x=0.4) for label in LABELS}
        self.bars = {label: ProgressBar(max=1.0) for label in LABELS}
        for label in LABELS:
            row = BoxLayout()
            row.add_widget(self.names[label])
            row.add_widget(self.bars[label])
            self.add_widget(row)

    def show(self, decision: Decision) -> None:
        """Call it in Kivy's own thread."""
        self.heading.text = f"{decision.gender}, {decision.gender_posterior:.0%}"
        for label, bar in self.bars.items():
            bar.value = decision.probabilities.get(label, 0.0)
            held = label == decision.emotion
            self.names[label].color = (FAINT if decision.uncertain else STRONG) if held else PLAIN


class MicrophoneApp(App):
    """The widget over the microphone."""

    title = "How do I sound?"

    def build(self) -> EmotionBars:
        """Called by Kivy when the window is there."""
        self.widget = EmotionBars()
        try:
            self.microphone = Microphone().__enter__()
        except EdgeError as error:
            self.widget.heading.text = str(error)
            return self.widget
        self.stream = Recognizer().stream(self.microphone.sample_rate)
        threading.Thread(target=self._recognise, daemon=True).start()
        Clock.schedule_interval(self._show_latest, 1 / 30)
        return self.widget

    def on_stop(self) -> None:
        """Called by Kivy when the window closes."""
        if hasattr(self, "stream"):
            self.microphone.close()

    def _recognise(self) -> None:
        with self.stream:
            for block in self.microphone:
                self.stream.accept_waveform(block)

    def _show_latest(self, _: float) -> None:
        decisions = [event for event in self.stream.poll() if isinstance(event, Decision)]
        if decisions:
            self.widget.show(decisions[-1])


if __name__ == "__main__":
    MicrophoneApp().run()
