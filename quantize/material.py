"""The corpora as a quantization uses them: who was trained on, who validates, who tests."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from edge.audio import read_audio, to_mono_16k
from edge.features import FrontEnd, LogMel
from quantize.errors import QuantizeError
from quantize.float_run import FloatRun
from training.cache import FeatureCache
from training.corpora import Clip, load_log_mel, read_corpora
from training.emotion import Material, is_named
from training.protocol import Protocol


@dataclass(frozen=True)
class Corpora:
    """Every clip with its log-mel, (frames, bands) float16 relative dB, and the split.

    held_out: training speakers ("savee/KL") and corpora ("savee") that the run was not trained on
        after all
    """

    clips: list[Clip]
    log_mels: list[np.ndarray]
    protocol: Protocol
    front_end: FrontEnd
    held_out: frozenset[str] = frozenset()

    @cached_property
    def train(self) -> Material:
        """The clips with an emotion that the run was trained on."""
        chosen = [k for k, clip in enumerate(self.clips) if self._was_trained_on(clip)]
        return Material([self.clips[k] for k in chosen], [self.log_mels[k] for k in chosen])

    def in_use(self, part: str) -> tuple[list[Clip], list[np.ndarray]]:
        """All clips of a part, and their log-mels exactly as the recogniser makes them.

        Unlike those of the cache, the log-mels of sounds, (frames, bands) float32, are absolute: a
        window's floor lies below its own loudest cell, not below the recording's.
        """
        log_mel = LogMel(self.front_end)
        clips = [clip for clip in self.clips if self.protocol.part(clip) == part]
        with ThreadPoolExecutor(2) as pool:
            return clips, list(pool.map(lambda clip: _in_use(clip, log_mel), clips))

    def _was_trained_on(self, clip: Clip) -> bool:
        return self.protocol.part(clip) == "train" and not is_named(clip, self.held_out)


def read_material(run: FloatRun, corpora: Path, cache: Path, protocol_file: Path) -> Corpora:
    """Reads the corpora, split as the run was. QuantizeError when it was split otherwise."""
    digest = hashlib.sha256(protocol_file.read_bytes()).hexdigest()
    if run.config.get("protocol", digest) != digest:
        raise QuantizeError(
            f"run {run.folder} was trained with another protocol than {protocol_file.name}: "
            "speakers that it knows would validate and test it; give its own with --protocol"
        )
    clips = read_corpora(corpora)
    log_mels = FeatureCache(cache, run.front_end).log_mels(clips)
    held_out = frozenset([*run.config.get("hold_out", ()), *run.config.get("exclude", ())])
    return Corpora(clips, log_mels, Protocol.load(protocol_file), run.front_end, held_out)


def _in_use(clip: Clip, log_mel: LogMel) -> np.ndarray:
    if not clip.sound:
        return load_log_mel(clip)
    return log_mel(to_mono_16k(*read_audio(clip.path)))
