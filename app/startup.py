"""How long the app took from the start of its process to its first frame, stage by stage."""

from __future__ import annotations

import os
import time

STAGES = ("interpreter", "window", "imports", "screens", "first frame", "models")
"""In the order in which they end; the models load in a thread of their own meanwhile."""


class Startup:
    """The moments at which the stages ended; each is noted once."""

    def __init__(self) -> None:
        now = time.perf_counter()
        age = _age_of_this_process()
        self._began = now if age is None else now - age
        self._ended: dict[str, float] = {}
        if age is not None:
            self._ended["interpreter"] = now

    def ended(self, stage: str) -> None:
        """Notes that a stage has ended now; again does nothing."""
        if stage not in STAGES:
            raise ValueError(f"{stage!r} is no stage of {STAGES}")
        self._ended.setdefault(stage, time.perf_counter())

    def seconds(self) -> dict[str, float]:
        """Since the process began, at the end of each stage that has ended."""
        return {stage: self._ended[stage] - self._began for stage in STAGES if stage in self._ended}

    def line(self) -> str:
        """For a log."""
        return ", ".join(f"{stage} {at:.2f} s" for stage, at in self.seconds().items())


def _age_of_this_process() -> float | None:
    """Seconds; None where the system does not tell."""
    try:
        with open("/proc/self/stat", encoding="ascii") as stat:
            ticks = int(stat.read().rpartition(")")[2].split()[19])  # field 22, proc(5)
        with open("/proc/uptime", encoding="ascii") as uptime:
            up = float(uptime.read().split()[0])
        return max(0.0, up - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return None
