"""The ribbon of emotions that grows while somebody speaks."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from edge import Decision, Event, SegmentEnded, SegmentStarted


@dataclass(frozen=True)
class Stretch:
    """A piece of the ribbon in one emotion."""

    start: float
    """Seconds from the recording's begin."""
    end: float
    emotion: str
    uncertain: bool = False


class Ribbon:
    """The stretches so far; one thread tells it what the stream said, another one draws it."""

    def __init__(self) -> None:
        self._ended: tuple[Stretch, ...] = ()
        self._growing: Stretch | None = None
        self._lock = threading.Lock()

    def told(self, event: Event) -> None:
        """Takes the stream's next event."""
        with self._lock:
            if isinstance(event, SegmentStarted):
                self._growing = Stretch(event.start, event.time, event.emotion)
            elif isinstance(event, Decision) and self._growing is not None:
                self._growing = replace(self._growing, end=event.end, uncertain=event.uncertain)
            elif isinstance(event, SegmentEnded):
                segment = event.segment
                self._ended += (
                    Stretch(segment.start, segment.end, segment.emotion, segment.uncertain),
                )
                self._growing = None

    def stretches(self) -> tuple[Stretch, ...]:
        """In time order."""
        with self._lock:
            return self._ended if self._growing is None else (*self._ended, self._growing)
