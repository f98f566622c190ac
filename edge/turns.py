"""Finds the turns: speech between two long pauses."""

from __future__ import annotations

ONSET_SECONDS = 0.2
"""So much speech begins a turn."""

ONSET_GAP_SECONDS = 0.2
"""A longer gap in it and the beginning was none, such as a click or a cough."""

PAUSE_SECONDS = 1.0
"""A pause of this length ends a turn, unless the caller says otherwise."""


class TurnFinder:
    """Takes one frame's verdict after the other.

    onset, gap, pause: frames, at least 1.
    start: first frame of the turn; last: its last frame with speech so far. Both mean nothing
    between turns.
    """

    def __init__(self, onset: int, gap: int, pause: int) -> None:
        self._onset, self._gap, self._pause = onset, gap, pause
        self.clear()

    def clear(self) -> None:
        """Back to the state of a new one."""
        self.speaking = False
        self.start = self.last = -1
        self._frame = -1
        self._heard = 0

    def step(self, speech: bool) -> bool:
        """Takes the next frame; returns whether a turn began or ended with it (see `speaking`)."""
        self._frame += 1
        silent = self._frame - self.last
        if self.speaking:
            if speech:
                self.last = self._frame
            elif silent >= self._pause:
                self.speaking = False
                self._heard = 0
                return True
            return False
        if speech:
            if not self._heard:
                self.start = self._frame
            self._heard += 1
            self.last = self._frame
            self.speaking = self._heard >= self._onset
        elif silent > self._gap:
            self._heard = 0
        return self.speaking
