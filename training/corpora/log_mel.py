"""The log-mel spectrogram of a clip, whichever form its corpus comes in."""

from __future__ import annotations

import numpy as np

from edge.audio import read_audio, to_mono_16k
from edge.features import FrontEnd, LogMel, relative_db, require_audible
from training.corpora.clip import Clip, CorpusError


def load_log_mel(clip: Clip, log_mel: LogMel | None = None) -> np.ndarray:
    """The whole clip's log-mel, (frames, mel bands) float32, decibels relative to its loudest cell.

    Sound goes through `log_mel` (default: of the default `FrontEnd`); pictures were made by the
    default front end and cannot be had by another. CorpusError for a picture that is not one of a
    log-mel, `edge`'s AudioError for a sound that cannot be read.
    """
    if clip.sound:
        log_mel = LogMel(FrontEnd()) if log_mel is None else log_mel
        decibels = log_mel(to_mono_16k(*read_audio(clip.path)))
        require_audible(decibels)
        return relative_db(decibels, log_mel.front_end.floor_db)
    return picture_log_mel(clip)


def picture_log_mel(clip: Clip) -> np.ndarray:
    """The log-mel of an 8-bit picture, (frames, mel bands) float32 relative dB.

    Columns are frames and rows are mel bands, the lowest at the bottom; grey 255 is 0 dB and grey 0
    is `-clip.range_db`.
    """
    from PIL import Image

    try:
        with Image.open(clip.path) as image:
            pixels = np.asarray(image)  # (mel bands, frames)
    except (
        OSError,
        SyntaxError,
        ValueError,
    ) as error:  # Pillow raises each of them for a broken PNG
        raise CorpusError(f"{clip.corpus}: {clip.path} cannot be read: {error}") from error
    bands = FrontEnd().mel_bands
    if (
        pixels.dtype != np.uint8
        or pixels.ndim != 2
        or pixels.shape[0] != bands
        or pixels.shape[1] < clip.frames
    ):
        raise CorpusError(
            f"{clip.corpus}: {clip.path} is {pixels.shape} {pixels.dtype}, "
            f"not 8-bit grey of {bands} rows and at least {clip.frames} columns"
        )
    decibels = (pixels.astype(np.float32) / 255 - 1) * np.float32(clip.range_db)
    return np.ascontiguousarray(decibels[::-1, : clip.frames].T)  # (frames, mel bands)
