"""One example of the owner's voice after the other: from a tap to what was learnt of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kivy.clock import Clock

from app.own_voice import TELLS_NOTHING
from app.recorders import PermissionDenied, Recorder
from app.screens.own_voice import OwnVoiceScreen
from app.session import OVER, Question, Session, SessionState

if TYPE_CHECKING:
    from app.application import EdgeApp

SENTENCE_SECONDS = 8.0
"""An example ends by itself after so long, if nobody has spoken and paused before."""

FRAMES_PER_SECOND = 30


class Teaching:
    """For the page of an app. The microphone is on only while that page is shown."""

    def __init__(self, app: EdgeApp) -> None:
        self._app = app
        self._ticking: Any = None
        self.session: Session | None = None
        self.emotion = ""
        """What is meant by what is recorded now."""

    def begin_or_stop(self, emotion: str) -> None:
        """An example of that emotion; again ends it."""
        if self.session is not None:
            if emotion == self.emotion:
                self.stop()
        elif self._app.session is not None:
            self._app.say("own_voice.busy")
        else:
            self._app.with_microphone(lambda recorder: self._begin(recorder, emotion))

    def stop(self) -> None:
        """What was said up to now is the example."""
        session = self.session
        if session is None:
            return
        if session.state is SessionState.OPENING:
            session.cancel()
        else:
            session.stop()

    def cancel(self) -> None:
        """Forgets what is being recorded."""
        if self.session is not None:
            self.session.cancel()

    def close(self) -> None:
        """The end of the app."""
        self.cancel()
        if self._ticking is not None:
            self._ticking.cancel()

    def _begin(self, recorder: Recorder, emotion: str) -> None:
        app = self._app
        if self._page is None or self.session is not None or app.session is not None:
            return  # the page was left while the system asked for the microphone
        question = Question(app.preferences.gender, limit=SENTENCE_SECONDS, one_sentence=True)
        self.session, self.emotion = Session(app.recognizer, recorder, question), emotion
        self._page.follow(self.session, emotion)
        self._ticking = Clock.schedule_interval(self.tick, 1 / FRAMES_PER_SECOND)
        self.session.start()

    @property
    def _page(self) -> OwnVoiceScreen | None:
        screen = self._app.screen
        return screen if isinstance(screen, OwnVoiceScreen) else None

    def tick(self, _: float) -> None:
        """Looks at the session, for every frame."""
        session = self.session
        if session is None:
            return
        if session.state in OVER:
            self._over(session)
        elif self._page is not None:
            self._page.show(session)

    def _over(self, session: Session) -> None:
        self.session = None
        self._ticking.cancel()
        self._ticking = None
        if self._page is not None:
            self._page.follow(None, "")
        if session.state is SessionState.CANCELLED:
            return
        problem, prediction = session.problem, session.prediction
        if isinstance(problem, PermissionDenied):
            emotion = self.emotion
            self._app.tell_denied(problem.for_ever, lambda again: self._begin(again, emotion))
        elif problem is not None:
            self._app.tell_problem(problem)
        elif prediction is not None:
            unfit = [flag for flag in prediction.flags if flag in TELLS_NOTHING]
            if unfit:
                self._app.tell_flag(unfit[0])
            else:
                self._app.teach(prediction, self.emotion)
