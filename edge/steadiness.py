"""Keeps a label from flickering: exponential smoothing, then hysteresis.

`docs/steadiness.md` shows what the two constants do to the recordings of actors, and what it costs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SMOOTHING_SECONDS = 1.0
"""Time constant: a decision of t seconds ago weighs exp(-t / SMOOTHING_SECONDS) of a new one."""

LEAD = 0.15
"""By how much another emotion's smoothed probability must lead before it takes over."""


class SteadyEmotion:
    """The emotion of one turn: smoothed probabilities, and a label that changes with reluctance.

    smoothing: time constant in seconds, above 0; lead: of probability, from 0.

    probabilities: (labels,) smoothed; None before the first decision.
    label: index of the emotion that holds; -1 before the first decision.
    """

    def __init__(self, smoothing: float = SMOOTHING_SECONDS, lead: float = LEAD) -> None:
        self._smoothing = smoothing
        self._lead = lead
        self.probabilities: NDArray[np.float64] | None = None
        self.label = -1
        self._time = 0.0
        self._leader = -1
        self._led_since = 0.0

    def update(
        self, distribution: NDArray[np.float64], time: float, middle: float
    ) -> float | None:
        """Takes one decision: (labels,) probabilities, heard up to `time` seconds.

        middle: of the window that was judged, in seconds.
        Returns where the emotion changed, when it changed with this decision: the middle of the
        window with which the new emotion took the lead that it never lost since.
        """
        if self.probabilities is None:
            self.probabilities = distribution.copy()
            self._leader = self.label = int(np.argmax(distribution))
            self._led_since, self._time = middle, time
            return None
        gain = 1.0 - math.exp(-(time - self._time) / self._smoothing)
        self._time = time
        self.probabilities = self.probabilities + gain * (distribution - self.probabilities)
        leader = int(np.argmax(self.probabilities))
        if leader != self._leader:
            self._leader, self._led_since = leader, middle
        ahead = self.probabilities[leader] - self.probabilities[self.label]
        if leader == self.label or ahead < self._lead:
            return None
        self.label = leader
        return self._led_since
