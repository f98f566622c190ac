"""The temperature of an int8 expert, fitted anew, since rounding changes how sure it is."""

from __future__ import annotations

import numpy as np

from quantize.errors import QuantizeError
from training import temperature
from training.clip_windows import ClipWindows
from training.corpora import CorpusError
from training.temperature import common_factor

__all__ = ["common_factor", "fitted_temperature"]


def fitted_temperature(windows: ClipWindows, logits: np.ndarray, gender: str) -> float:
    """As `training.temperature.fitted_temperature`, but for the error: QuantizeError."""
    try:
        return temperature.fitted_temperature(windows, logits, gender)
    except CorpusError as error:
        raise QuantizeError(str(error)) from error
