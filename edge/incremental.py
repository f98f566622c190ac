"""Sound in pieces of any size to the log-mel that the whole sound has, bit by bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge._kernels.resample import resample
from edge.features import FrontEnd, LogMel
from edge.resampling import resampling_filter
from edge.sliding import SlidingBuffer

BLOCK_SECONDS = 0.1
"""Longer pieces are worked through in blocks of this length, so that memory has a bound."""


class IncrementalLogMel:
    """Resamples to 16 kHz and makes the log-mel, each as soon as the samples that it needs are in.

    log_mel: shared, it has no state.
    sample_rate: of the sound that comes, 8000 ... 192000 Hz.
    keep_frames: how many of the last frames stay readable.

    Frame f stands at 16 kHz sample 256 f and is ready with sample 256 f + 511; a resampled sample
    is ready some hundredths of a second after its own position. `finish` puts silence after the
    end, as the whole sound has it. Samples have absolute positions in both kernels, which is why
    the frames do not depend on how the sound was cut.
    """

    def __init__(self, log_mel: LogMel, sample_rate: int, keep_frames: int) -> None:
        self._log_mel = log_mel
        self._settings: FrontEnd = log_mel.front_end
        self._rate = sample_rate
        self._filter = resampling_filter(sample_rate)
        self._resampled = sample_rate != self._settings.sample_rate
        self._block = max(1, int(BLOCK_SECONDS * sample_rate))
        taps = self._filter.rows.shape[1]
        block_16k = self._filter.output_length(self._block + taps) + 1
        self._frames_of_a_block = frames = block_16k // self._settings.hop_length + 8
        # The sound at its own rate is needed only around the next resampled sample.
        self._sound = SlidingBuffer(2 * taps, self._block)
        self._sound_16k = SlidingBuffer(2 * self._settings.frame_length, block_16k)
        self._frames = SlidingBuffer(keep_frames, frames, (self._settings.mel_bands,))

    def clear(self) -> None:
        """Back to the state of a new one."""
        for buffer in (self._sound, self._sound_16k, self._frames):
            buffer.clear()

    @property
    def block(self) -> int:
        """Samples that one call of `accept` takes at most."""
        return self._block

    @property
    def frames_of_a_block(self) -> int:
        """Frames that one call of `accept` makes at most."""
        return self._frames_of_a_block

    @property
    def frames_ready(self) -> int:
        """Frames made so far."""
        return self._frames.stop

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers; they never change."""
        return self._sound.nbytes + self._sound_16k.nbytes + self._frames.nbytes

    def frames(self, first: int, stop: int) -> NDArray[np.float32]:
        """Frames [first, stop): (stop - first, mel_bands) float32 absolute dB, a view."""
        return self._frames.rows(first, stop)

    def accept(self, sound: NDArray[np.float32]) -> None:
        """Takes the next at most `block` samples: (n,) float32, mono, full scale 1."""
        if not self._resampled:
            self._sound_16k.extend(len(sound))[:] = sound
        else:
            self._sound.extend(len(sound))[:] = sound
            by = self._filter
            # Output n needs the input up to n * step_in // step_out + reach.
            settled = max(0, self._sound.stop - by.reach)
            self._resample_up_to(by.output_length(settled))
        half = self._settings.frame_length // 2
        settled = self._sound_16k.stop - half
        self._make_frames_up_to(settled // self._settings.hop_length + 1 if settled >= 0 else 0)

    def finish(self) -> None:
        """The sound has ended: makes the samples and frames that were waiting for more of it."""
        if self._resampled:
            self._resample_up_to(self._filter.output_length(self._sound.stop))
        if self._sound_16k.stop:
            self._make_frames_up_to(self._settings.frame_count(self._sound_16k.stop))

    def _resample_up_to(self, stop: int) -> None:
        first = self._sound_16k.stop
        if stop <= first:
            return
        by = self._filter
        origin = max(0, first * by.step_in // by.step_out - by.reach + 1)
        piece = self._sound.rows(origin, self._sound.stop)
        out = self._sound_16k.extend(stop - first)
        resample(piece, origin, by.rows, by.step_in, by.step_out, first, out)

    def _make_frames_up_to(self, stop: int) -> None:
        first = self._frames.stop
        if stop <= first:
            return
        start = first * self._settings.hop_length - self._settings.frame_length // 2
        origin = max(0, start)
        piece = self._sound_16k.rows(origin, self._sound_16k.stop)
        self._log_mel.frames_into(piece, start - origin, self._frames.extend(stop - first))
