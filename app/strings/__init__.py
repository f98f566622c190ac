"""Every word that the app says, in one catalogue for each language."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from app.strings.english import ENGLISH
from app.strings.german import GERMAN

CATALOGUES: dict[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}


class Catalogue:
    """The words of one language: `words("history.title")`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in CATALOGUES else "en"
        self._texts = CATALOGUES[self.language]

    def __call__(self, key: str, **values: Any) -> str:
        """The text of that key, with the values put into its {places}."""
        return self._texts[key].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is a text of that key."""
        return key in self._texts

    def number(self, value: float, decimals: int = 0) -> str:
        """With the language's decimal sign."""
        return f"{value:.{decimals}f}".replace(".", self._texts["number.decimal"])

    def percent(self, fraction: float) -> str:
        """0.724 as "72 %" or as the language has it; never 100 for what is less."""
        whole = round(100 * fraction)
        if whole == 100 and fraction < 1.0:
            whole = 99
        return self("number.percent", value=whole)

    def seconds(self, value: float) -> str:
        """As "7.2 s"."""
        return self("number.seconds", value=self.number(value, 1))

    def clock(self, value: float) -> str:
        """As "0:07"."""
        return f"{int(value) // 60}:{int(value) % 60:02d}"

    def moment(self, since_1970: float) -> str:
        """Date and time of day, where this device is."""
        local = time.localtime(since_1970)
        return self(
            "date",
            day=local.tm_mday,
            month=self(f"month.{local.tm_mon}"),
            year=local.tm_year,
            hour=local.tm_hour,
            minute=local.tm_min,
        )

    def count(self, key: str, number: int) -> str:
        """The text of `key.one` or `key.many`."""
        return self(f"{key}.one" if number == 1 else f"{key}.many", number=number)
