"""Sentences made of a result, in the user's language."""

from __future__ import annotations

from collections.abc import Sequence

from app.own_voice import OwnVoice
from app.recorders import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    MissingPackage,
    PermissionDenied,
    UnsupportedFormat,
)
from app.result import Result
from app.session import NothingRecorded
from app.strings import Catalogue
from edge import (
    EmptyAudioError,
    RuntimeMissingError,
    SilentAudioError,
    TooShortAudioError,
)

_PROBLEMS: tuple[tuple[type[Exception], str], ...] = (
    (PermissionDenied, "problem.permission"),
    (MicrophoneMissing, "problem.missing"),
    (MicrophoneBusy, "problem.busy"),
    (MicrophoneLost, "problem.lost"),
    (UnsupportedFormat, "problem.format"),
    (MissingPackage, "problem.package"),
    (NothingRecorded, "problem.nothing"),
    (EmptyAudioError, "problem.nothing"),
    (SilentAudioError, "problem.silent"),
    (TooShortAudioError, "problem.short"),
    (RuntimeMissingError, "problem.package"),
)


def problem(words: Catalogue, error: Exception) -> str:
    """What went wrong, and what to do about it."""
    for kind, key in _PROBLEMS:
        if isinstance(error, kind):
            return words(key)
    return words("problem.other", error=str(error) or type(error).__name__)


def certainty(words: Catalogue, result: Result) -> str:
    """How sure the emotion is."""
    (_, probability), (second, _), *_ = result.ranking()
    if result.uncertain:
        return words(
            "uncertain",
            probability=words.percent(probability),
            second=words(f"emotion.{second}"),
        )
    return words("probability", probability=words.percent(probability))


def voice(words: Catalogue, result: Result) -> str:
    """Whose voice it was taken for."""
    if result.gender_posterior >= 1.0:
        return words("voice.told", gender=words(f"gender.{result.gender}"))
    return words(
        "voice",
        gender=words(f"gender.{result.gender}"),
        probability=words.percent(result.gender_posterior),
    )


def known_voice(words: Catalogue, own: OwnVoice) -> str:
    """How well the owner's voice is known."""
    if own.lost:
        return words("own_voice.known.lost")
    if own.usual is not None and not own.voice.examples:
        return words("own_voice.known.usual", number=own.usual.clips)
    return examples(words, "own_voice.known", len(own.voice.examples))


def examples(words: Catalogue, key: str, number: int) -> str:
    """How many there are; `key.none` if there are none."""
    return words.count(key, number) if number else words(f"{key}.none")


def advice(words: Catalogue, flags: Sequence[str]) -> str:
    """What to do about the sound, by its first flag about which something can be done; or ""."""
    mended = [flag for flag in flags if flag != "unfamiliar"]
    return words(f"flag.{mended[0]}") if mended else ""


def searchable(words: Catalogue, result: Result) -> str:
    """Every word by which a result is found in the history."""
    return " ".join(
        (
            words(f"emotion.{result.emotion}"),
            words(f"emotion.{result.meant}") if result.meant else "",
            words(f"gender.{result.gender}"),
            words.moment(result.began),
            *(words(f"flag.{flag}.name") for flag in result.flags),
            result.note,
        )
    )
