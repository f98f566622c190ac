"""Recordings as the gate's training sees them: active spans, voiced frames, windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from edge.features import FrontEnd, relative_db
from edge.gender import VoicingDetector, loudness_db
from edge.windows import active_span, cut_windows
from training.acoustics import band_centres
from training.gender.settings import GENDERS, GateSettings


class Recordings:
    """Clips with what training needs of each: its active span's log-mel and its voiced frames.

    spoilt: which of the clips are copies in bad acoustics, to train on and never to score
    """

    def __init__(
        self,
        clips: Sequence,
        log_mels: Sequence[np.ndarray],
        settings: GateSettings,
        front_end: FrontEnd,
        progress: bool = True,
        spoilt: Sequence[bool] | None = None,
    ) -> None:
        detector = VoicingDetector(band_centres(front_end), settings.voicing)
        self.front_end = front_end
        self.settings = settings
        self.clips, self.spans, self.voiced = [], [], []
        copies: list[bool] = []
        marks = [False] * len(clips) if spoilt is None else spoilt
        for clip, log_mel, copy in progress_bar(
            zip(clips, log_mels, marks), "voicing", len(clips), "clip", progress
        ):
            log_mel = np.asarray(log_mel, dtype=np.float32)
            if not len(log_mel) or log_mel.max() <= front_end.floor_db:
                continue  # CREMA-D has a recording of pure silence
            start, stop = active_span(log_mel, settings.active_db)
            span = log_mel[start:stop]
            voiced = detector.voiced(span, loudness_db(span, settings.voicing.loudness_bands))
            self.clips.append(clip)
            copies.append(bool(copy))
            self.spans.append(span)
            self.voiced.append(voiced)
        self.spoilt = np.array(copies, dtype=bool)
        self.targets = np.array([GENDERS.index(clip.gender) for clip in self.clips])
        self.speakers = np.array([f"{clip.corpus} {clip.speaker}" for clip in self.clips])

    def by_speaker(self, chosen: Iterable[int]) -> dict[str, np.ndarray]:
        """Indices of the chosen recordings that have voice, by speaker."""
        groups: dict[str, list[int]] = {}
        for i in chosen:
            if self.voiced[i].any():
                groups.setdefault(self.speakers[i], []).append(i)
        return {speaker: np.array(group) for speaker, group in sorted(groups.items())}

    def windows(self, i: int) -> list[np.ndarray]:
        """The windows on which the gate decides, each (frames, bands) against its loudest cell."""
        span = self.spans[i]
        cuts = cut_windows(
            0, len(span), self.front_end.window_frames, self.settings.window_hop_frames
        )
        return [relative_db(span[start:stop], self.front_end.floor_db) for start, stop in cuts]


def progress_bar(items: Iterable, description: str, total: int, unit: str, shown: bool):
    """`items` with a bar that tells the time left, unless it is not to be shown."""
    from tqdm import tqdm

    return tqdm(items, desc=description, total=total, unit=unit, disable=not shown)
