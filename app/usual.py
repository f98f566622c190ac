"""How whoever owns the phone usually sounds, by the results that are kept on it."""

from __future__ import annotations

from app.history import History
from app.meant import obstacle
from app.own_voice import OwnVoice
from edge import Voice
from edge.prosody import Usual
from edge.voice import CLIPS_REMEMBERED

FEWEST = 5
"""Results, of which fewer say nothing."""


def usual_by(history: History, own: OwnVoice) -> Usual | None:
    """By the latest results of the models that answer now; None where that is too little.

    What was put right is an example of the voice, and not counted twice. Raises sqlite3.Error.
    """
    voice = Voice()
    for result in reversed(history.latest(CLIPS_REMEMBERED)):
        known = result.example(result.meant) in own.voice.examples
        if result.manner and own.models and not obstacle(result, own.models) and not known:
            voice = voice.heard(result)
    return voice.usual if voice.usual is not None and voice.usual.clips >= FEWEST else None
