"""The corpora as a quantization uses them: who was trained on, who validates, who tests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from quantize.errors import QuantizeError
from quantize.float_run import FloatRun
from training.cache import FeatureCache
from training.corpora import Clip, read_corpora
from training.emotion import Material
from training.protocol import Protocol


@dataclass(frozen=True)
class Corpora:
    """Every clip with its log-mel, (frames, bands) float16 relative dB, and the split.

    held_out: training speakers ("savee/KL") that the run was not trained on after all
    """

    clips: list[Clip]
    log_mels: list[np.ndarray]
    protocol: Protocol
    held_out: frozenset[str] = frozenset()

    def part(self, name: str) -> Material:
        """The clips of a part that have an emotion."""
        chosen = [k for k, clip in enumerate(self.clips) if self._part(clip) == name]
        return Material([self.clips[k] for k in chosen], [self.log_mels[k] for k in chosen])

    @cached_property
    def train(self) -> Material:
        return self.part("train")

    @cached_property
    def validation(self) -> Material:
        return self.part("validation")

    def _part(self, clip: Clip) -> str:
        part = self.protocol.part(clip)
        held = part == "train" and f"{clip.corpus}/{clip.speaker}" in self.held_out
        return "held out" if held else part


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
    held_out = frozenset(run.config.get("hold_out", ()))
    return Corpora(clips, log_mels, Protocol.load(protocol_file), held_out)
