"""Keeps a label from flickering: exponential smoothing, then hysteresis."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SMOOTHING_SECONDS = 1.0
"""Time constant: a decision of t seconds ago weighs exp(-t / SMOOTHING_SECONDS) of a new one."""

LEAD = 0.05
"""By how much another emotion's smoothed probability must lead before it takes over."""


class SteadyEmotion:
    """The emotion of one turn: smoothed probabilities, and a label that changes with reluctance.

    probabilities: (labels,) smoothed; None before the first decision.
    label: index of the emotion that holds; -1 before the first decision.
    """

    def __init__(self) -> None:
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
        gain = 1.0 - math.exp(-(time - self._time) / SMOOTHING_SECONDS)
        self._time = time
        self.probabilities = self.probabilities + gain * (distribution - self.probabilities)
        leader = int(np.argmax(self.probabilities))
        if leader != self._leader:
            self._leader, self._led_since = leader, middle
        if self.probabilities[leader] - self.probabilities[self.label] < LEAD:
            return None  # also when the label itself leads
        self.label = leader
        return self._led_since
