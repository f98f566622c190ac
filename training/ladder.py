"""The ladder of experiments: what was tried, rung by rung, and what it gave on validation.

A file of JSON lines, one object for each rung, in the order in which they were tried:

    {"rung": "longer training", "what": "80 epochs instead of 40", "before": 61.2, "after": 62.0,
     "seeds": 3, "interval": [0.1, 1.5], "kept": true, "measure": "mean validation UA",
     "command": "python -m training emotion ... --set universal.epochs=80"}

before, after: in per cent; interval: of the gain, in points, 95 % over the seeds, or null of a
single seed. `measure` and `command` may be left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import SettingsError
from training.tables import table

_NEEDED = {"rung": str, "what": str, "before": float, "after": float, "seeds": int, "kept": bool}
_FREE = {"interval": list, "measure": str, "command": str}


@dataclass(frozen=True)
class Rung:
    """One experiment; before and after are in per cent, the interval of the gain in points."""

    rung: str
    what: str
    before: float
    after: float
    seeds: int
    kept: bool
    interval: tuple[float, float] | None = None
    measure: str = "mean validation UA"
    command: str = ""

    @property
    def gain(self) -> float:
        """In points."""
        return self.after - self.before


def read_ladder(path: Path) -> list[Rung]:
    """The rungs of a file; SettingsError names the line that is not one, and why."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"the ladder {path} cannot be read: {error}") from error
    rungs = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rungs.append(_rung(json.loads(line)))
            except ValueError as error:
                raise SettingsError(f"the ladder {path}, line {number}: {error}") from error
    return rungs


def _rung(content: Any) -> Rung:
    if not isinstance(content, dict):
        raise ValueError("not an object")
    missing, unknown = set(_NEEDED) - set(content), set(content) - set(_NEEDED) - set(_FREE)
    if missing or unknown:
        raise ValueError(f"missing or unknown: {', '.join(sorted(missing | unknown))}")
    for name, kind in {**_NEEDED, **_FREE}.items():
        value = content.get(name)
        if value is None and name in _FREE:
            continue
        if kind is float and type(value) is int:
            continue
        if type(value) is not kind:
            raise ValueError(f"{name} is {value!r}, not {kind.__name__}")
    interval = content.get("interval")
    if interval is not None:
        if len(interval) != 2 or any(type(end) not in (int, float) for end in interval):
            raise ValueError(f"interval is {interval!r}, not two numbers")
        if interval[0] > interval[1]:
            raise ValueError(f"interval {interval!r} ends before it begins")
    given = {name: value for name, value in content.items() if value is not None}
    return Rung(**{**given, "interval": None if interval is None else tuple(interval)})


def format_ladder(rungs: list[Rung]) -> str:
    """A table."""
    rows = [
        (
            rung.rung, rung.what, f"{rung.before:.2f}", f"{rung.after:.2f}", f"{rung.gain:+.2f}",
            "-" if rung.interval is None
            else f"{rung.interval[0]:+.2f} ... {rung.interval[1]:+.2f}",
            str(rung.seeds), "yes" if rung.kept else "no",
        )
        for rung in rungs
    ]
    return table(
        ("rung", "what", "before", "after", "gain", "95 %", "seeds", "kept"), rows
    )
