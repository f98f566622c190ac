"""What was meant by a result: kept with it in the history and learnt by the voice, or neither."""

from __future__ import annotations

from app.history import History
from app.own_voice import TELLS_NOTHING, OwnVoice
from app.result import Result

NO_SPEECH, OTHER_VERSION = "no_speech", "other_version"


def obstacle(result: Result, models: str) -> str:
    """Why a voice learns nothing from it: NO_SPEECH, OTHER_VERSION, or "" if it does.

    models: those that answer now; "" as long as nobody knows.
    """
    if any(flag in TELLS_NOTHING for flag in result.flags):
        return NO_SPEECH
    if not result.without_voice or result.models != (models or result.models):
        return OTHER_VERSION
    return ""


def put_right(history: History, own: OwnVoice, number: int, meant: str) -> bool:
    """Keeps what was meant by a result instead of what was said before; "" takes that back.

    Returns whether the voice has learnt it. Raises NoSpace, OSError, sqlite3.Error; all is as it
    was then.
    """
    result = history.result(number)
    if result is None:
        return False
    learns = result.models == own.models and not obstacle(result, own.models)
    latter = result.example(meant) if learns else None
    with own.exchanging(result.example(result.meant), latter, result.models):
        history.change_meant(number, meant)
    return latter is not None


def delete(history: History, own: OwnVoice, number: int) -> None:
    """Deletes a result, and what the voice has learnt from it. Again does nothing.

    Raises OSError, sqlite3.Error; result and voice are as they were then, see `History.delete`.
    """
    result = history.result(number)
    if result is None:
        return
    with own.exchanging(result.example(result.meant), None, result.models):
        history.delete(number)
