"""Fits the gender gate: a bottleneck network, a mixture for each gender, and the calibration.

1. A small network over spliced, level-free log-mel frames learns to tell the genders apart, from
   crops of clips drawn evenly over genders and speakers, under random equalisers, noise floors and
   slight frequency warps, so that neither a microphone nor a corpus gives the answer away. Its loss
   is of the mean over a crop's voiced frames and, in part, of each frame.
2. A linear discriminant analysis with a class for each speaker keeps the bottleneck's directions
   that tell speakers apart; the first of them is mostly gender.
3. scikit-learn fits a Gaussian mixture for each gender there, evenly over speakers. Validation
   speakers choose the size and the kind of covariance; BIC is reported.
4. The posterior is calibrated on validation speakers, over parts of clips, clips and five clips.

`python -m training gender --corpora FOLDER --run runs/NAME` writes `gender.npz` and `gender.json`.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from edge.features import FrontEnd, mel_filters, relative_db
from edge.gender import (
    ARRAYS,
    DECIBELS_PER_NEPER,
    FORMAT,
    Evidence,
    GenderGate,
    VoicingDetector,
    Voicing,
    level_free,
    loudness_db,
)
from edge.labels import LABELS
from edge.windows import active_span, cut_windows
from training.corpora import CorpusError

GENDERS = ("male", "female")  # the index is the target


@dataclasses.dataclass(frozen=True)
class GateSettings:
    """How a gate is trained; what edge needs of it goes into gender.npz."""

    seed: int = 1
    active_db: float = -50.0         # a recording's active span, relative to its loudest cell
    window_hop_frames: int = 94      # windows of one recording begin this far apart
    voicing: Voicing = Voicing()
    floor_db: float = -60.0          # below a frame's loudness
    # Network
    projection: int = 24             # coordinates of one frame
    context: tuple[int, ...] = (-6, -3, 0, 3, 6)  # neighbours, in frames of 16 ms
    hidden: int = 48
    bottleneck: int = 10
    steps: int = 3000
    batch: int = 48                  # crops of a step
    crop_frames: int = 96
    learning_rate: float = 2e-3      # falls to 0 along a cosine
    weight_decay: float = 0.01
    pooled: bool = True              # join the mean over the voiced frames to each
    dropout: float = 0.2             # of hidden units
    band_dropout: float = 0.1        # of a crop's mel bands, whole
    frame_loss: float = 0.3          # weight of the single frames' loss
    vote_scale: float = 2.0          # of the mean over frames before its logistic loss
    label_smoothing: float = 0.025
    # Perturbation of training crops
    equaliser_db: float = 2.0        # standard deviation of each of five smooth shapes
    noise_db: tuple[float, float] = (-85.0, -40.0)  # noise floor against the loudest cell
    warp: float = 0.02               # largest change of the frequency scale
    # Mixtures
    discriminant: int = 4            # dimensions of the mixtures
    components: tuple[int, ...] = (2, 4, 8, 16)
    covariances: tuple[str, ...] = ("full", "diag")
    frames_per_speaker: int = 2500
    ratio_limit: float = 8.0         # a frame's log-likelihood ratio is held within
    # Calibration
    turn_clips: int = 5              # clips of a speaker that make a long turn


@dataclasses.dataclass
class GateFit:
    """A trained gate: the arrays of gender.npz, and the report of how it did."""

    arrays: dict[str, np.ndarray]
    report: dict


def band_centres(front_end: FrontEnd) -> np.ndarray:
    """Centre of gravity of each mel band, (mel_bands,) float64 hertz."""
    filters = mel_filters(front_end)  # (mel_bands, bins)
    hertz = np.linspace(0.0, front_end.sample_rate / 2, filters.shape[1])
    return filters @ hertz / filters.sum(axis=1)


class Recordings:
    """Clips with what training needs of each: its active span's log-mel and its voiced frames."""

    def __init__(self, clips: Sequence, log_mels: Sequence[np.ndarray], settings: GateSettings,
                 front_end: FrontEnd, progress: bool = True) -> None:
        detector = VoicingDetector(band_centres(front_end), settings.voicing)
        self.front_end = front_end
        self.settings = settings
        self.clips, self.spans, self.voiced = [], [], []
        for clip, log_mel in _bar(zip(clips, log_mels), "voicing", len(clips), "clip", progress):
            log_mel = np.asarray(log_mel, dtype=np.float32)
            if not len(log_mel) or log_mel.max() <= front_end.floor_db:
                continue  # CREMA-D has a recording of pure silence
            start, stop = active_span(log_mel, settings.active_db)
            span = log_mel[start:stop]
            voiced = detector.voiced(span, loudness_db(span, settings.voicing.loudness_bands))
            self.clips.append(clip)
            self.spans.append(span)
            self.voiced.append(voiced)
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
        cuts = cut_windows(0, len(span), self.front_end.window_frames, self.settings.window_hop_frames)
        return [relative_db(span[start:stop], self.front_end.floor_db) for start, stop in cuts]


class Crops:
    """Draws training batches evenly over genders, then over speakers, and perturbs them."""

    def __init__(self, recordings: Recordings, chosen: Iterable[int], settings: GateSettings) -> None:
        self.recordings = recordings
        self.settings = settings
        self.random = np.random.default_rng(settings.seed)
        groups = recordings.by_speaker(chosen)
        self.speakers = [
            [g for g in groups.values() if recordings.targets[g[0]] == target] for target in (0, 1)
        ]
        if not all(self.speakers):
            raise CorpusError("the gender gate needs training speakers of both genders")
        bands = recordings.front_end.mel_bands
        position = (np.arange(bands) + 0.5) / bands
        self.shapes = np.cos(np.pi * np.arange(1, 6)[:, None] * position).astype(np.float32)
        # The noise's power around its floor, 3 dB of deviation in each cell; drawn once, for speed.
        ripple = 3.0 / DECIBELS_PER_NEPER * self.random.standard_normal((4096, bands), np.float32)
        self.noise = np.exp(ripple).astype(np.float32)
        centres = band_centres(recordings.front_end)
        factors = np.linspace(1.0 - settings.warp, 1.0 + settings.warp, 9)
        self.warps = [warp_matrix(centres, factor) for factor in factors] if settings.warp else []

    def draw(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(batch, crop_frames, bands) level-free frames, (batch, crop_frames) votes, (batch,) targets."""
        s, random = self.settings, self.random
        bands = self.recordings.front_end.mel_bands
        x = np.empty((s.batch, s.crop_frames, bands), np.float32)
        votes = np.zeros((s.batch, s.crop_frames), np.float32)
        targets = np.arange(s.batch) % 2
        for b, target in enumerate(targets):
            group = self.speakers[target][random.integers(len(self.speakers[target]))]
            i = group[random.integers(len(group))]
            span, voiced = self.recordings.spans[i], self.recordings.voiced[i]
            length = min(s.crop_frames, len(span))
            centre = random.choice(np.flatnonzero(voiced))  # so that a crop has voice
            earliest = max(0, min(centre - length + 1, len(span) - length))
            start = random.integers(earliest, min(centre, len(span) - length) + 1)
            crop = span[start : start + length]
            if self.warps:
                crop = crop @ self.warps[random.integers(len(self.warps))]
            x[b, :length], x[b, length:] = crop, crop[-1]
            votes[b, :length] = voiced[start : start + length]
        x = self.perturb(x)
        loudness = loudness_db(x, s.voicing.loudness_bands)
        return level_free(x, loudness, s.floor_db), votes, targets.astype(np.float32)

    def perturb(self, x: np.ndarray) -> np.ndarray:
        """Other microphones and rooms: a smooth equaliser and a sloping noise floor on each crop."""
        s, random, batch = self.settings, self.random, len(x)
        weights = np.array([1.0, 1.0, 0.8, 0.6, 0.4]) * s.equaliser_db
        gains = random.standard_normal((batch, 5)) * weights * (random.random((batch, 1)) < 0.8)
        x = x + (gains.astype(np.float32) @ self.shapes)[:, None]
        level = random.uniform(*s.noise_db, (batch, 1)) + np.where(random.random((batch, 1)) < 0.7, 0, -200)
        slope = 6.0 * random.standard_normal((batch, 1)) * self.shapes[0]
        floor = x.max(axis=(1, 2))[:, None] + level + slope  # (batch, bands)
        neper = np.float32(1.0 / DECIBELS_PER_NEPER)
        floor = np.exp(floor.astype(np.float32) * neper)  # (batch, bands)
        power = np.exp(x * neper)
        for crop, first in enumerate(random.integers(len(self.noise) - x.shape[1], size=batch)):
            power[crop] += self.noise[first : first + x.shape[1]] * floor[crop]
        return np.log(power + np.float32(1e-30)) / neper


def warp_matrix(centres: np.ndarray, factor: float) -> np.ndarray:
    """(bands, bands) that takes a log-mel to one whose frequencies are divided by `factor`."""
    bands = len(centres)
    source = np.interp(centres * factor, centres, np.arange(bands))
    lower = np.minimum(source.astype(int), bands - 2)
    share = source - lower
    matrix = np.zeros((bands, bands), np.float32)
    matrix[lower, np.arange(bands)] += 1.0 - share
    matrix[lower + 1, np.arange(bands)] += share
    return matrix


def train_bottleneck(crops: Crops, settings: GateSettings, progress: bool = True) -> dict[str, np.ndarray]:
    """The network's layers as numpy arrays; the same for the same seed, crops and machine."""
    import tensorflow as tf

    s = settings
    random = np.random.default_rng([s.seed, 1])
    bands = crops.recordings.front_end.mel_bands
    sizes = {
        "projection": (bands, s.projection),
        "hidden": (s.projection * (len(s.context) + s.pooled), s.hidden),
        "bottleneck": (s.hidden, s.bottleneck),
        "output": (s.bottleneck, 1),
    }
    network = {}
    for name, (rows, columns) in sizes.items():
        spread = np.sqrt(2.0 / (rows + columns))
        network[f"{name}_weights"] = tf.Variable(
            (spread * random.standard_normal((rows, columns))).astype(np.float32)
        )
        network[f"{name}_biases"] = tf.Variable(np.zeros(columns, np.float32))
    variables = list(network.values())
    moments = [tf.Variable(tf.zeros_like(v)) for v in variables]
    squares = [tf.Variable(tf.zeros_like(v)) for v in variables]
    neighbours = np.clip(np.arange(s.crop_frames)[:, None] + np.array(s.context), 0, s.crop_frames - 1)

    def odds_of_frames(x, votes, seed):
        """(batch, frames, bands), (batch, frames) -> (batch, frames) log odds of a female voice."""
        if s.band_dropout:
            kept = tf.ones((s.batch, 1, bands))
            x = x * tf.nn.experimental.stateless_dropout(kept, s.band_dropout, seed=seed + 1)
        projected = x @ network["projection_weights"] + network["projection_biases"]
        spliced = tf.gather(projected, neighbours, axis=1)  # (batch, frames, context, projection)
        spliced = tf.reshape(spliced, (s.batch, s.crop_frames, -1))
        if s.pooled:
            total = tf.reduce_sum(projected * votes[..., None], 1, keepdims=True)
            mean = total / tf.reduce_sum(votes, 1)[:, None, None]
            spliced = tf.concat([spliced, tf.repeat(mean, s.crop_frames, axis=1)], axis=-1)
        hidden = tf.nn.relu(spliced @ network["hidden_weights"] + network["hidden_biases"])
        if s.dropout:
            hidden = tf.nn.experimental.stateless_dropout(hidden, s.dropout, seed=seed)
        narrow = hidden @ network["bottleneck_weights"] + network["bottleneck_biases"]
        return (tf.nn.relu(narrow) @ network["output_weights"] + network["output_biases"])[..., 0]

    @tf.function(jit_compile=False)
    def step(x, votes, targets, number):
        cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits
        smooth = targets * (1.0 - 2.0 * s.label_smoothing) + s.label_smoothing
        with tf.GradientTape() as tape:
            odds = odds_of_frames(x, votes, tf.stack([s.seed, tf.cast(number, tf.int32)]))
            mean = tf.reduce_sum(odds * votes, 1) / tf.reduce_sum(votes, 1)
            loss = tf.reduce_mean(cross_entropy(labels=smooth, logits=s.vote_scale * mean))
            frames = cross_entropy(labels=tf.ones_like(odds) * targets[:, None], logits=odds)
            total = loss + s.frame_loss * tf.reduce_sum(frames * votes) / tf.reduce_sum(votes)
        rate = s.learning_rate * 0.5 * (1.0 + tf.cos(np.pi * number / s.steps))
        # AdamW (Loshchilov and Hutter, 2019), with its usual constants
        for v, m, q, g in zip(variables, moments, squares, tape.gradient(total, variables)):
            m.assign(0.9 * m + 0.1 * g)
            q.assign(0.999 * q + 0.001 * g * g)
            m_hat, q_hat = m / (1.0 - 0.9 ** (number + 1.0)), q / (1.0 - 0.999 ** (number + 1.0))
            decay = s.weight_decay if v.shape.rank == 2 else 0.0
            v.assign_sub(rate * (m_hat / (tf.sqrt(q_hat) + 1e-7) + decay * v))
        return loss

    bar = _bar(range(s.steps), "bottleneck", s.steps, "step", progress)
    running = None
    for number in bar:
        loss = float(step(*crops.draw(), tf.constant(number, tf.float32)))
        running = loss if running is None else 0.99 * running + 0.01 * loss
        if number % 50 == 0:
            bar.set_postfix(loss=f"{running:.3f}")
    return {name: v.numpy() for name, v in network.items() if not name.startswith("output")}


def frame_arrays(settings: GateSettings, front_end: FrontEnd, layers: dict[str, np.ndarray]) -> dict:
    """The part of gender.npz that makes features."""
    v = settings.voicing
    return {
        "format": np.array(FORMAT),
        "band_hz": band_centres(front_end).astype(np.float32),
        "loudness_bands": np.array(v.loudness_bands),
        "range_db": np.array(v.range_db),
        "pitch_hz": np.array(v.pitch_hz),
        "steps_per_octave": np.array(v.steps_per_octave),
        "highest_harmonic_hz": np.array(v.highest_harmonic_hz),
        "harmonicity": np.array(v.harmonicity),
        "floor_db": np.array(settings.floor_db),
        "context": np.array(settings.context),
        **layers,
    }


def with_mixtures(frames: dict, mixtures: dict, settings: GateSettings, calibration=(1.0, 0.0, 1.0)) -> dict:
    """All arrays of gender.npz: `frames` of `frame_arrays`, `mixtures` by gender, the calibration."""
    arrays = dict(frames)
    for gender, mixture in mixtures.items():
        for part in ("weights", "means"):
            arrays[f"{gender}_{part}"] = getattr(mixture, f"{part}_").astype(np.float32)
        cholesky = mixture.precisions_cholesky_
        if cholesky.ndim == 3:
            cholesky = np.triu(cholesky)
        arrays[f"{gender}_precisions_cholesky"] = cholesky.astype(np.float32)
    arrays["ratio_limit"] = np.array(settings.ratio_limit)
    for name, value in zip(("slope", "bias", "saturation"), calibration):
        arrays[f"calibration_{name}"] = np.array(float(value))
    return arrays


def extractor(frames: dict, settings: GateSettings) -> GenderGate:
    """A gate that is good for its features only; the bottleneck's when there is no discriminant."""
    frames = dict(frames)
    width = frames["bottleneck_biases"].size
    frames.setdefault("discriminant_weights", np.eye(width))
    frames.setdefault("discriminant_biases", np.zeros(width))
    n = frames["discriminant_biases"].size
    for gender in GENDERS:
        frames[f"{gender}_weights"] = np.ones(1)
        frames[f"{gender}_means"] = np.zeros((1, n))
        frames[f"{gender}_precisions_cholesky"] = np.ones((1, n))
    for name in ("slope", "bias", "saturation"):
        frames[f"calibration_{name}"] = np.array(1.0)
    return GenderGate.from_arrays({**frames, "ratio_limit": np.array(settings.ratio_limit)})


def window_features(recordings: Recordings, chosen: Iterable[int], gate: GenderGate,
                        progress: bool = True) -> dict[int, list[np.ndarray]]:
    """For each chosen recording, each window's features (voiced frames, n)."""
    chosen = list(chosen)
    return {
        i: [gate.features(window) for window in recordings.windows(i)]
        for i in _bar(chosen, "features", len(chosen), "clip", progress)
    }


def speaker_discriminant(speakers: dict[str, np.ndarray], dimensions: int) -> dict[str, np.ndarray]:
    """The first directions of a linear discriminant analysis with a class for each speaker.

    speakers: (frames, bottleneck) of each. Within a speaker, a frame's deviation along each
    direction is 1; the mean over all is 0. Fewer directions than asked for when there are fewer.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x = np.concatenate(list(speakers.values()))
    labels = np.repeat(np.arange(len(speakers)), [len(frames) for frames in speakers.values()])
    analysis = LinearDiscriminantAnalysis(solver="eigen", shrinkage=1e-3).fit(x, labels)
    weights = analysis.scalings_[:, : min(dimensions, len(speakers) - 1, x.shape[1])]
    return {
        "discriminant_weights": weights.astype(np.float32),
        "discriminant_biases": (-x.mean(axis=0) @ weights).astype(np.float32),
    }


def balanced_frames(
    recordings: Recordings, features: dict[int, list[np.ndarray]], settings: GateSettings
) -> dict[str, np.ndarray]:
    """As many frames of each speaker, (frames, n); with repetition of short-spoken ones."""
    random = np.random.default_rng([settings.seed, 2])
    drawn = {}
    for speaker, group in recordings.by_speaker(features).items():
        frames = np.concatenate([window for i in group for window in features[i]])
        if len(frames):
            drawn[speaker] = frames[random.integers(len(frames), size=settings.frames_per_speaker)]
    return drawn


def fit_mixtures(frames: dict[str, np.ndarray], components: int, covariance: str, seed: int) -> dict:
    """A GaussianMixture for each gender."""
    from sklearn.mixture import GaussianMixture

    return {
        gender: GaussianMixture(
            components, covariance_type=covariance, reg_covar=1e-3, max_iter=200, tol=1e-3,
            init_params="k-means++", random_state=seed,
        ).fit(x)
        for gender, x in frames.items()
    }


def clip_evidence(gate: GenderGate, windows: list[np.ndarray], limit: float) -> Evidence:
    """Evidence of a clip from its windows' features, as `GenderGate.evidence` finds it."""
    total = Evidence()
    for features in windows:
        if len(features):
            ratios = gate.female.score_samples(features) - gate.male.score_samples(features)
            total += Evidence(float(np.clip(ratios, -limit, limit).sum()), len(features))
    return total


def calibrate(evidence: Sequence[Evidence], targets: np.ndarray, weights: np.ndarray) -> tuple[float, ...]:
    """(slope, bias, saturation) of least weighted cross-entropy; see GenderGate.posterior.

    A weak pull towards slope 4, bias 0 and saturation 30 keeps it finite when nothing is confused.
    """
    from scipy.optimize import minimize

    sums = np.array([e.log_likelihood_ratio_sum for e in evidence])
    counts = np.array([e.voiced_frames for e in evidence])
    keep = counts > 0
    sums, counts, targets, weights = sums[keep], counts[keep], targets[keep], weights[keep]
    weights = weights / weights.sum()

    def loss(p):
        odds = np.exp(p[0]) * (sums - p[1] * counts) / (counts + np.exp(p[2]))
        pull = (p[0] - np.log(4)) ** 2 + p[1] ** 2 + 0.1 * (p[2] - np.log(30)) ** 2
        return float((weights * np.logaddexp(0.0, np.where(targets == 1, -odds, odds))).sum() + 1e-3 * pull)

    best = minimize(loss, [np.log(4.0), 0.0, np.log(30.0)], method="Nelder-Mead",
                    options={"maxiter": 2000, "xatol": 1e-4, "fatol": 1e-7})
    return float(np.exp(best.x[0])), float(best.x[1]), float(np.exp(best.x[2]))


def calibration_material(recordings: Recordings, features: dict[int, list[np.ndarray]], gate: GenderGate,
                         settings: GateSettings) -> tuple[list[Evidence], np.ndarray, np.ndarray]:
    """Evidence of clips, of the first frames of clips, and of turns of several clips; targets; weights.

    The weights give every speaker of a gender, and both genders, an equal say.
    """
    random = np.random.default_rng([settings.seed, 3])
    evidence, targets, weights = [], [], []
    groups = recordings.by_speaker(features)
    speakers = np.array([recordings.targets[group[0]] for group in groups.values()])
    for group in groups.values():
        target = int(recordings.targets[group[0]])
        whole = [clip_evidence(gate, features[i], settings.ratio_limit) for i in group]
        short = [clip_evidence(gate, [features[i][0][:length]], settings.ratio_limit)
                 for i in group for length in (15, 40)]
        turns = [sum((whole[k] for k in random.choice(len(whole), min(settings.turn_clips, len(whole)),
                                                     replace=False)), Evidence()) for _ in whole]
        # Single clips are what is decided on most.
        for material, share in ((whole, 0.6), (short, 0.2), (turns, 0.2)):
            evidence += material
            targets += [target] * len(material)
            weights += [share / len(material) / (speakers == target).sum()] * len(material)
    return evidence, np.array(targets), np.array(weights)


def recall_by_gender(targets: np.ndarray, posteriors: np.ndarray) -> dict:
    """Recall of each gender and their mean (UAR), in per cent; None where there is no clip of one."""
    named = (posteriors > 0.5).astype(int)
    recalls = {
        gender: round(100.0 * float((named[targets == k] == k).mean()), 2) if (targets == k).any() else None
        for k, gender in enumerate(GENDERS)
    }
    both = None not in recalls.values()
    return {
        "clips": int(len(targets)),
        **recalls,
        "uar": round((recalls["female"] + recalls["male"]) / 2, 2) if both else None,
    }


def assess(recordings: Recordings, chosen: Sequence[int], posteriors: np.ndarray) -> dict:
    """UAR over emotional clips, one at a time; by corpus and by emotion; cross-entropy."""
    chosen = np.asarray(chosen)
    targets = recordings.targets[chosen]
    corpora = np.array([recordings.clips[i].corpus for i in chosen])
    emotions = np.array([recordings.clips[i].emotion or "" for i in chosen])
    emotional = emotions != ""
    truth = np.where(targets == 1, posteriors, 1.0 - posteriors)
    return {
        "emotional": recall_by_gender(targets[emotional], posteriors[emotional]),
        "corpora": {
            name: recall_by_gender(targets[corpora == name], posteriors[corpora == name])
            for name in sorted(set(corpora))
        },
        "emotions": {
            name: recall_by_gender(targets[emotions == name], posteriors[emotions == name])
            for name in LABELS if (emotions == name).any()
        },
        "cross_entropy": round(float(-np.log(np.maximum(truth, 1e-12)).mean()), 4) if len(chosen) else None,
    }


def assess_turns(recordings: Recordings, evidence: dict[int, Evidence], gate: GenderGate,
                 settings: GateSettings) -> dict:
    """UAR when the evidence of several random clips of a speaker adds up; one turn for each clip."""
    random = np.random.default_rng([settings.seed, 4])
    targets, posteriors = [], []
    for group in recordings.by_speaker(i for i in evidence if recordings.clips[i].emotion).values():
        for _ in group:
            picked = random.choice(group, min(settings.turn_clips, len(group)), replace=False)
            posteriors.append(gate.posterior(sum((evidence[i] for i in picked), Evidence())))
            targets.append(recordings.targets[group[0]])
    return recall_by_gender(np.array(targets), np.array(posteriors))


def fit_on(recordings: Recordings, train: Sequence[int], validation: Sequence[int], settings: GateSettings,
           progress: bool = True) -> GateFit:
    """Fits a gate on the recordings `train`, chooses and calibrates on `validation`."""
    layers = train_bottleneck(Crops(recordings, train, settings), settings, progress)
    frames = frame_arrays(settings, recordings.front_end, layers)
    features = window_features(recordings, train, extractor(frames, settings), progress)
    speakers = balanced_frames(recordings, features, settings)
    discriminant = speaker_discriminant(speakers, settings.discriminant)
    frames.update(discriminant)
    held = window_features(recordings, validation, extractor(frames, settings), progress)
    women = {recordings.speakers[i] for i in train if recordings.targets[i] == 1}
    pools = {
        gender: np.concatenate([
            x @ discriminant["discriminant_weights"] + discriminant["discriminant_biases"]
            for speaker, x in speakers.items()
            if (speaker in women) == (gender == "female")
        ])
        for gender in GENDERS
    }

    ladder, best = [], None
    candidates = [(c, k) for c in settings.covariances for k in settings.components]
    for covariance, components in _bar(candidates, "mixtures", len(candidates), "fit", progress):
        mixtures = fit_mixtures(pools, components, covariance, settings.seed)
        raw = GenderGate.from_arrays(with_mixtures(frames, mixtures, settings))
        material = calibration_material(recordings, held, raw, settings)
        calibration = calibrate(*material)
        arrays = with_mixtures(frames, mixtures, settings, calibration)
        gate = GenderGate.from_arrays(arrays)
        odds = np.array([gate.posterior(e) for e in material[0]])
        truth = np.where(material[1] == 1, odds, 1.0 - odds)
        loss = float((material[2] * -np.log(np.maximum(truth, 1e-12))).sum() / material[2].sum())
        posteriors = np.array([gate.posterior(clip_evidence(gate, held[i], settings.ratio_limit)) for i in held])
        ladder.append({
            "covariance": covariance,
            "components": components,
            "bic": round(sum(float(m.bic(pools[g])) for g, m in mixtures.items())),
            "validation_cross_entropy": round(loss, 4),
            "validation_uar": assess(recordings, list(held), posteriors)["emotional"]["uar"],
        })
        if best is None or loss < best[0]:
            best = loss, arrays, ladder[-1]
    return GateFit(best[1], {"chosen": best[2], "mixtures": ladder})


def score(recordings: Recordings, chosen: Iterable[int], arrays: dict, progress: bool = True) -> dict:
    """The report of a gate on the chosen recordings, made by edge's own scoring."""
    gate = GenderGate.from_arrays(arrays)
    chosen = list(chosen)
    evidence = {
        i: sum((gate.evidence(window) for window in recordings.windows(i)), Evidence())
        for i in _bar(chosen, "scoring", len(chosen), "clip", progress)
    }
    report = assess(recordings, chosen, np.array([gate.posterior(evidence[i]) for i in chosen]))
    report[f"turns_of_{recordings.settings.turn_clips}_clips"] = assess_turns(
        recordings, evidence, gate, recordings.settings
    )
    return report


def fit_gate(clips: Sequence, log_mels: Sequence[np.ndarray], protocol, settings: GateSettings | None = None,
             front_end: FrontEnd | None = None, progress: bool = True, test: bool = False) -> GateFit:
    """Fits the gate twice, on SLR45 alone and on all training speakers; keeps the one validation prefers.

    clips: training.corpora.Clip; log_mels: (frames, bands) relative dB of each whole clip;
    protocol: training.protocol.Protocol; test: score the test speakers too, once, at the end.
    """
    settings, front_end = settings or GateSettings(), front_end or FrontEnd()
    recordings = Recordings(clips, log_mels, settings, front_end, progress)
    parts = np.array([protocol.part(clip) for clip in recordings.clips])
    train, validation = np.flatnonzero(parts == "train"), np.flatnonzero(parts == "validation")
    base = [i for i in train if recordings.clips[i].corpus == "slr45"]
    fits, roads = {}, {"slr45": base, "all": train}
    for name, chosen in roads.items():
        if len({recordings.targets[i] for i in chosen}) < 2:
            continue
        fit = fit_on(recordings, chosen, validation, settings, progress)
        fit.report["training_speakers"] = len({recordings.speakers[i] for i in chosen})
        fit.report["training_clips"] = len(chosen)
        fit.report["validation"] = score(recordings, validation, fit.arrays, progress)
        if test:
            fit.report["test"] = score(recordings, np.flatnonzero(parts == "test"), fit.arrays, progress)
        fits[name] = fit
    if not fits:
        raise CorpusError("the gender gate needs training speakers of both genders")
    chosen = min(fits, key=lambda name: fits[name].report["chosen"]["validation_cross_entropy"])
    report = {
        "settings": dataclasses.asdict(settings),
        "chosen": chosen,
        "parameters": GenderGate.from_arrays(fits[chosen].arrays).parameters,
        **{name: fit.report for name, fit in fits.items()},
    }
    return GateFit(fits[chosen].arrays, report)


def write_arrays(path: Path | str, arrays: dict[str, np.ndarray]) -> None:
    """An .npz whose bytes depend on nothing but the arrays: no time stamps, a fixed order, stored."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in (*ARRAYS, *sorted(set(arrays) - set(ARRAYS))):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(arrays[name]), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), content.getvalue())


def _bar(items, description: str, total: int, unit: str, progress: bool):
    from tqdm import tqdm

    return tqdm(items, desc=description, total=total, unit=unit, disable=not progress)


def print_report(report: dict) -> None:
    """A table of both roads on validation and, if scored, test speakers."""
    text = "{:<10} {:<11} {:<22} {:>6} {:>7} {:>7} {:>7}".format
    print(text("trained on", "speakers", "clips of", "clips", "female", "male", "UAR"))
    for road in ("slr45", "all"):
        for part in ("validation", "test"):
            rows = report.get(road, {}).get(part)
            if not rows:
                continue
            groups = {"all emotional": rows["emotional"], **rows["corpora"], **rows["emotions"]}
            groups |= {name.replace("_", " "): rows[name] for name in rows if name.startswith("turns")}
            for name, row in groups.items():
                shown = ["-" if row[k] is None else f"{row[k]:.2f}" for k in ("female", "male", "uar")]
                print(text(road, part, name, row["clips"], *shown))
    print(f"kept: {report['chosen']}, {report[report['chosen']]['chosen']}, {report['parameters']} parameters")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training gender`."""
    parser.add_argument("--corpora", type=Path, required=True, help="folder with one folder for each corpus")
    parser.add_argument("--run", type=Path, required=True, help="folder to write gender.npz and gender.json to")
    parser.add_argument("--protocol", type=Path, help="split by speaker (default: the released models')")
    parser.add_argument("--cache", type=Path, help="folder of cached log-mels (default: cache beside the run)")
    parser.add_argument("--seed", type=int, default=GateSettings.seed)
    parser.add_argument("--steps", type=int, default=GateSettings.steps, help="of the bottleneck's training")
    parser.add_argument("--test", action="store_true", help="score the test speakers too")


def run(arguments: argparse.Namespace, settings: GateSettings | None = None) -> int:
    """Fits, writes RUN/gender.npz and RUN/gender.json, prints the report."""
    from training.cache import FeatureCache
    from training.corpora import read_corpora
    from training.protocol import RELEASE, Protocol

    clips = read_corpora(arguments.corpora)
    cache = arguments.cache or arguments.run.parent / "cache"
    settings = dataclasses.replace(settings or GateSettings(), seed=arguments.seed, steps=arguments.steps)
    protocol_file = Path(arguments.protocol or RELEASE)
    fit = fit_gate(clips, FeatureCache(cache).log_mels(clips), Protocol.load(protocol_file), settings,
                   test=arguments.test)
    fit.report["protocol"] = hashlib.sha256(protocol_file.read_bytes()).hexdigest()
    training = {key: fit.report[key] for key in ("settings", "chosen", "protocol")}
    arguments.run.mkdir(parents=True, exist_ok=True)
    write_arrays(arguments.run / "gender.npz",
                 {**fit.arrays, "training": np.array(json.dumps(training, sort_keys=True))})
    (arguments.run / "gender.json").write_text(json.dumps(fit.report, indent=2) + "\n")
    print_report(fit.report)
    sys.stdout.flush()
    return 0
