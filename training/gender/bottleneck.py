"""The bottleneck network: which crops it sees, and its training.

Crops of clips are drawn evenly over genders and speakers, under random equalisers, noise floors and
slight frequency warps, so that neither a microphone nor a corpus gives the answer away. The loss is
of the mean over a crop's voiced frames and, in part, of each frame.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edge.gender import DECIBELS_PER_NEPER, level_free, loudness_db
from training.acoustics import band_centres
from training.corpora import CorpusError
from training.gender.recordings import Recordings, progress_bar
from training.gender.settings import GateSettings


class Crops:
    """Draws training batches evenly over genders, then over speakers, and perturbs them."""

    def __init__(
        self, recordings: Recordings, chosen: Iterable[int], settings: GateSettings
    ) -> None:
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
        """Perturbed crops: level-free frames, votes, targets.

        (batch, crop_frames, bands) float32, (batch, crop_frames) float32, (batch,) float32.
        """
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
        """Another microphone and room for each crop: an equaliser and a noise floor."""
        s, random, batch = self.settings, self.random, len(x)
        weights = np.array([1.0, 1.0, 0.8, 0.6, 0.4]) * s.equaliser_db
        gains = random.standard_normal((batch, 5)) * weights * (random.random((batch, 1)) < 0.8)
        x = x + (gains.astype(np.float32) @ self.shapes)[:, None]
        level = random.uniform(*s.noise_db, (batch, 1)) + np.where(
            random.random((batch, 1)) < 0.7, 0, -200
        )
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


def train_bottleneck(
    crops: Crops, settings: GateSettings, progress: bool = True
) -> dict[str, np.ndarray]:
    """The network's layers as numpy arrays; the same for the same seed, crops and machine."""
    from training.tensorflow_setup import tf

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
    neighbours = np.clip(
        np.arange(s.crop_frames)[:, None] + np.array(s.context), 0, s.crop_frames - 1
    )

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

    bar = progress_bar(range(s.steps), "bottleneck", s.steps, "step", progress)
    running = None
    for number in bar:
        loss = float(step(*crops.draw(), tf.constant(number, tf.float32)))
        running = loss if running is None else 0.99 * running + 0.01 * loss
        if number % 50 == 0:
            bar.set_postfix(loss=f"{running:.3f}")
    return {name: v.numpy() for name, v in network.items() if not name.startswith("output")}
