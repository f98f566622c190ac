"""Says what is wrong with a sound, so that an answer on it can be taken for what it is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.turns import ONSET_SECONDS
from edge.voice_activity import Activity, snr_db

FLAGS: tuple[str, ...] = ("too_quiet", "clipped", "too_short", "no_speech", "noisy", "unfamiliar")
"""Everything that may be wrong with a sound, in the order in which it is told."""

TOO_QUIET_DBFS = -50.0
"""too_quiet: the speech (or all sound, without speech) has less than this RMS level."""

CLIPPED_SHARE = 0.0005
"""clipped: this share of the samples, or more, stands at full scale beside one that is equal."""

FULL_SCALE = 0.99
"""A sample from here on is at full scale."""

TOO_SHORT_SECONDS = 0.5
"""too_short: less speech than this."""

NO_SPEECH_SECONDS = ONSET_SECONDS
"""no_speech: less than this, too little to begin a turn. The sound is not too_short then."""

NOISY_DB = 10.0
"""noisy: the speech's estimated signal-to-noise ratio is below this."""

UNFAMILIAR = 0.5
"""unfamiliar: the speech is as unlike all that the models learnt from, or more, of 0 to 1; see
`edge.surroundings`. The answer is less sure for it."""


def flags_of(
    activity: Activity,
    clipped_share: float,
    seconds_per_frame: float,
    absolute: bool = True,
    unfamiliar: float = 0.0,
) -> tuple[tuple[str, ...], float | None]:
    """The flags of a sound, and the estimated signal-to-noise ratio of its speech in dB.

    activity: of the sound's frames, at least one.
    clipped_share: of its samples.
    absolute: whether the level is known; without it, nothing is too quiet.
    unfamiliar: how unlike all that the models learnt from it is, 0 to 1.
    """
    speech = activity.speech
    seconds = int(speech.sum()) * seconds_per_frame
    ratio = snr_db(activity)
    loud = activity.power[speech] if speech.any() else activity.power
    level = 10.0 * np.log10(max(1e-12, float(loud.mean(dtype=np.float64))))  # dBFS
    wrong = {
        "too_quiet": absolute and level < TOO_QUIET_DBFS,
        "clipped": clipped_share >= CLIPPED_SHARE,
        "too_short": NO_SPEECH_SECONDS <= seconds < TOO_SHORT_SECONDS,
        "no_speech": seconds < NO_SPEECH_SECONDS,
        "noisy": ratio is not None and ratio < NOISY_DB,
        "unfamiliar": seconds >= NO_SPEECH_SECONDS and unfamiliar >= UNFAMILIAR,
    }
    return tuple(flag for flag in FLAGS if wrong[flag]), ratio


def clipped_samples(
    samples: NDArray[Any], before: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Which samples stand at full scale beside an equal one, in any channel.

    samples: (n,) or (n, channels), n above 0, of the types that `edge.audio` takes.
    before: the last sample before these, (channels,), when the sound has begun.

    Returns their indices, and the last sample for the next call.
    """
    scaled = _of_full_scale(samples.reshape(len(samples), -1))  # (n, channels)
    loud = np.abs(scaled) >= FULL_SCALE
    if not loud.any():
        return np.empty(0, np.intp), scaled[-1].copy()
    previous = np.empty_like(scaled)
    previous[1:] = scaled[:-1]
    usable = before is not None and before.shape == scaled[0].shape
    previous[0] = before if usable else 0.0
    # A little room, since a clipped plateau may carry dither.
    clipped = loud & (np.abs(scaled - previous) < 1e-4)
    return np.flatnonzero(clipped.any(axis=1)), scaled[-1].copy()


def _of_full_scale(samples: NDArray[Any]) -> NDArray[np.float32]:
    scale = {"u": 128.0, "i": 2.0 ** (8 * samples.dtype.itemsize - 1), "f": 1.0}
    centre = 128.0 if samples.dtype.kind == "u" else 0.0
    scaled: NDArray[np.float32] = (samples.astype(np.float32) - np.float32(centre)) * np.float32(
        1.0 / scale[samples.dtype.kind]
    )
    return scaled
