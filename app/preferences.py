"""What the user chose, kept in one small JSON file."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHOICES: dict[str, tuple[Any, ...]] = {
    "gate": ("automatic", "female", "male", "both"),
    "interval": (0.25, 0.5, 1.0),
    "theme": ("automatic", "light", "dark"),
    "text_size": (1.0, 1.25, 1.5),
    "language": ("automatic", "en", "de"),
    "keep_recordings": (False, True),
    "hear_by_voice": (False, True),
    "always_me": (False, True),
}
"""What each of them may be."""


@dataclass(frozen=True)
class Preferences:
    """The defaults are those of a fresh installation."""

    gate: str = "automatic"
    """Who is asked for the emotion: the expert that the gate chooses, or one by name, or both."""
    interval: float = 0.5
    """Seconds from one decision to the next."""
    theme: str = "automatic"
    text_size: float = 1.0
    """Factor on all text, beside the system's own."""
    language: str = "automatic"
    keep_recordings: bool = False
    """Whether the sound itself is kept with its result."""
    hear_by_voice: bool = True
    """Whether the owner's voice is made use of, once it is known."""
    always_me: bool = False
    """Whether it is always the owner who speaks: each result then says how they usually sound."""

    @property
    def gender(self) -> str | None:
        """The gate's setting as the recogniser takes it."""
        return None if self.gate == "automatic" else self.gate

    def with_choice(self, name: str, value: Any) -> Preferences:
        """The same with another choice. Raises ValueError for what cannot be chosen."""
        if name not in CHOICES or value not in CHOICES[name]:
            raise ValueError(f"{name} cannot be {value!r}; it is one of {CHOICES.get(name)}")
        return dataclasses.replace(self, **{name: value})


def load_preferences(path: Path) -> Preferences:
    """The preferences of that file; the default for each that is missing or makes no sense."""
    preferences = Preferences()
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return preferences
    for name, value in stored.items() if isinstance(stored, dict) else ():
        try:
            preferences = preferences.with_choice(name, value)
        except (TypeError, ValueError):
            continue
    return preferences


def save_preferences(path: Path, preferences: Preferences) -> None:
    """Writes the file, whole or not at all. Raises OSError."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_text(json.dumps(dataclasses.asdict(preferences), indent=1))
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
