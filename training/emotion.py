"""Trains the emotion experts: two networks on everybody, then one specialised for each gender.

Two, since their errors differ, the more if they see different things (`settings.SHIPPED`): an
expert that answers with a little of the other one's opinion is better than either (`Blend.most`).
Without the stage "second", both come from one network.

    python -m training emotion --corpora CORPORA --run runs/NAME

Killed at any time, the same command goes on from the last whole epoch. How many epochs there are is
fixed beforehand: validation speakers are scored along the way and stop nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import queue
import threading
from collections.abc import Collection, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable

import numpy as np

from edge.emotion import softmax
from edge.features import (
    EmotionFeatures,
    FrontEnd,
    emotion_features,
    normalised_cepstrum,
    relative_db,
)
from edge.labels import GENDERS, LABELS
from edge.windows import active_span, cut_windows
from training.acoustics import Acoustics
from training.augment import LogMelAugmenter, mix
from training.cache import FeatureCache
from training.corpora import Clip, CorpusError, read_corpora
from training.metrics import confusion_matrix, unweighted_average_recall
from training.protocol import RELEASE, Protocol
from training.run import STAGES, Run, RunError
from training.settings import SHIPPED, StageSettings, TrainingSettings

WINDOW_HOP = 94  # frames; of the windows that validation scores
_LEAST_PRIOR = np.float32(1e-8)  # of a label that a corpus does not have


class Material:
    """Clips with a label, as arrays: what the network is trained on or scored with."""

    def __init__(self, clips: Sequence[Clip], log_mels: Sequence[np.ndarray]) -> None:
        kept = [index for index, clip in enumerate(clips) if clip.emotion is not None]
        self.log_mels = [log_mels[index] for index in kept]  # (frames, bands) float16 relative dB
        self.clips = [clips[index] for index in kept]
        self.labels = np.array([LABELS.index(clip.emotion) for clip in self.clips], dtype=int)
        self.corpora = np.array([clip.corpus for clip in self.clips])
        self.genders = np.array([clip.gender for clip in self.clips])

    def __len__(self) -> int:
        return len(self.clips)

    def fingerprint(self) -> str:
        """A digest of the clips, their labels and their spectrograms."""
        digest = hashlib.sha256()
        for clip, log_mel in zip(self.clips, self.log_mels):
            digest.update(f"{clip.corpus} {clip.name} {clip.speaker} {clip.emotion}".encode())
            digest.update(np.ascontiguousarray(log_mel).tobytes())
        return digest.hexdigest()

    def labels_of(self, corpus: str) -> np.ndarray:
        """Which of the labels a corpus has, (8,) bool."""
        return np.isin(np.arange(len(LABELS)), self.labels[self.corpora == corpus])


def unit_variance(material: Material, features: EmotionFeatures) -> EmotionFeatures:
    """The features with the scale that gives each coefficient unit variance over the material."""
    plain = EmotionFeatures(**{**features.to_dict(), "scale": (1.0,) * features.n_mfcc})
    squares, frames = np.zeros(features.n_mfcc), 0
    for index in np.random.default_rng(0).permutation(len(material))[:1000]:
        log_mel = material.log_mels[index].astype(np.float32)
        start, stop = active_span(log_mel, features.trim_db)
        spoken = relative_db(log_mel[start:stop])
        cepstrum = normalised_cepstrum(spoken, plain)  # of mean 0
        squares += np.square(cepstrum, dtype=np.float64).sum(axis=0)
        frames += len(cepstrum)
    scale = (float(f"{value:.5g}") for value in np.sqrt(frames / squares))
    return EmotionFeatures(**{**features.to_dict(), "scale": tuple(scale)})


class Batches:
    """Augmented batches of a stage, the same for the same seed, stage and epoch.

    taught: the floor of its teachers' features; then behind each example comes what they hear, the
        clip in its own good acoustics
    """

    def __init__(
        self,
        material: Material,
        settings: TrainingSettings,
        features: EmotionFeatures,
        stage: str,
        front_end: FrontEnd | None = None,
        taught: float | None = None,
    ) -> None:
        self._material = material
        self._settings = settings
        self._features = features
        self._stage = stage
        self.scale = features.scale
        self._augmenter = LogMelAugmenter(settings.augmentation, material.log_mels[0].shape[1])
        front_end = front_end or FrontEnd()
        self._acoustics = Acoustics(settings.augmentation.acoustics, front_end, material.log_mels)
        self._taught = None if taught is None else dataclasses.replace(features, floor_db=taught)
        corpora = {corpus: material.labels_of(corpus) for corpus in np.unique(material.corpora)}
        smooth = np.stack([corpora[corpus] / corpora[corpus].sum() for corpus in material.corpora])
        hard = np.eye(len(LABELS))[material.labels]
        # Smoothing spreads over the labels that the clip's corpus has.
        share = settings.label_smoothing
        self._targets = ((1 - share) * hard + share * smooth).astype(np.float32)  # (clips, 8)
        self._priors = _priors(material, corpora)  # (clips, 8)
        self.steps = len(self._order(self._generator(0))) // settings.batch_size

    def _generator(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, STAGES.index(self._stage), epoch])

    def _order(self, rng: np.random.Generator) -> np.ndarray:
        """The clips of one epoch, shuffled."""
        material, settings = self._material, self._settings
        chosen = []
        for corpus in np.unique(material.corpora):
            here = material.corpora == corpus
            for gender in GENDERS:
                elsewhere = self._stage in GENDERS and self._stage != gender
                share = settings.other_gender if elsewhere else 1.0
                clips = np.flatnonzero(here & (material.genders == gender))
                most = settings.clips_per_epoch.get(corpus, len(clips))
                times = settings.repeats.get(corpus, 1.0)
                chosen.append(_drawn(clips, round(share * times * min(most, len(clips))), rng))
        return rng.permutation(np.concatenate(chosen))

    def epoch(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(batch, frames, n_mfcc, 1) features, (batch, 8) targets and adjustments, all float32.

        Of a taught stage the features are (batch, frames, n_mfcc, 2), the teachers' behind.
        """
        rng, size = self._generator(epoch), self._settings.batch_size
        mixup, strength = self._settings.augmentation.mixup, self._settings.prior_adjustment
        order = self._order(rng)
        for step in range(self.steps):
            chosen = order[step * size : (step + 1) * size]
            features = np.stack([self._example(index, rng) for index in chosen])
            told = np.concatenate([self._targets[chosen], self._priors[chosen]], axis=1)
            features, told = mix(features, told, mixup, rng)
            targets, priors = np.split(told, 2, axis=1)
            yield features, targets, strength * np.log(np.maximum(priors, _LEAST_PRIOR))

    def _example(self, index: int, rng: np.random.Generator) -> np.ndarray:
        clean = self._material.log_mels[index].astype(np.float32)
        reshape = self._augmenter.reshaping(rng)
        place = rng.random(2)  # of the window in the clip, and of a short clip in the window
        spoilt = self._acoustics.spoilt(clean, rng)
        heard = [self._cepstrum(spoilt, reshape, place[0], self._features)]
        if self._taught is not None:
            alike = spoilt is clean and self._taught == self._features
            heard.append(
                heard[0].copy() if alike
                else self._cepstrum(clean, reshape, place[0], self._taught)
            )
        heard[0] = self._augmenter.masked(heard[0], rng)
        return np.stack([self._placed(cepstrum, place[1]) for cepstrum in heard], axis=-1)

    def _cepstrum(
        self,
        log_mel: np.ndarray,
        reshape: Callable[[np.ndarray], np.ndarray],
        place: float,
        features: EmotionFeatures,
    ) -> np.ndarray:
        start, stop = active_span(log_mel, features.trim_db)
        log_mel = reshape(log_mel[start:stop])
        spare = max(0, len(log_mel) - features.frames)
        begin = int(place * (spare + 1))
        window = relative_db(log_mel[begin : begin + features.frames])
        return normalised_cepstrum(window, features)

    def _placed(self, cepstrum: np.ndarray, place: float) -> np.ndarray:
        out = np.zeros((self._features.frames, cepstrum.shape[1]), np.float32)
        before = int(place * (len(out) - len(cepstrum) + 1))
        out[before : before + len(cepstrum)] = cepstrum
        return out


def _drawn(clips: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """So many of the clips in random order, none of them twice before each was drawn."""
    rounds = -(-wanted // max(1, len(clips)))
    drawn = [rng.permutation(clips) for _ in range(rounds)]
    return np.concatenate([*drawn, clips[:0]])[:wanted]


def _priors(material: Material, labels: dict[str, np.ndarray]) -> np.ndarray:
    """How often the corpus of each clip has each label, (clips, 8) float32, rows of sum 1."""
    shares = {}
    for corpus, has in labels.items():
        counts = np.bincount(material.labels[material.corpora == corpus], minlength=len(has))
        shares[corpus] = counts / counts.sum()
    return np.stack([shares[corpus] for corpus in material.corpora]).astype(np.float32)


def clip_windows(log_mel: np.ndarray, features: EmotionFeatures) -> np.ndarray:
    """The experts' inputs for a whole clip, (windows, frames, n_mfcc) float32, cut as in use."""
    log_mel = log_mel.astype(np.float32)
    cuts = cut_windows(*active_span(log_mel, features.trim_db), features.frames, WINDOW_HOP)
    return np.stack([emotion_features(relative_db(log_mel[a:b]), features) for a, b in cuts])


class Validation:
    """Scores a network on clips of speakers that it was not trained on."""

    def __init__(self, material: Material, features: EmotionFeatures) -> None:
        self._material = material
        windows = [clip_windows(log_mel, features) for log_mel in material.log_mels]
        self._counts = [len(parts) for parts in windows]
        self._inputs = np.concatenate(windows)[..., None]

    def score(self, logits: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
        """UA in percent over the labels of each corpus: of the corpus, and of its women and men."""
        rows = np.concatenate(
            [logits(self._inputs[i : i + 256]) for i in range(0, len(self._inputs), 256)]
        )
        ends = np.cumsum(self._counts)
        clips = np.stack([
            np.mean([softmax(row) for row in rows[end - count : end]], axis=0)
            for end, count in zip(ends, self._counts)
        ])  # (clips, 8)
        material, scores = self._material, {}
        for corpus in np.unique(material.corpora):
            decided = np.where(material.labels_of(corpus), clips, -1.0).argmax(axis=1)
            for group in ("all", *GENDERS):
                here = material.corpora == corpus
                if group != "all":
                    here &= material.genders == group
                if here.any():
                    counts = confusion_matrix(material.labels[here], decided[here], len(LABELS))
                    recall = float(unweighted_average_recall(counts))
                    scores[f"{corpus} {group}"] = round(100 * recall, 2)
        return scores


class Teachers:
    """Other runs' networks of everybody, whose mean opinion of a batch a stage learns from, too."""

    def __init__(self, runs: Sequence[Run]) -> None:
        floors = {run.emotion_features().floor_db for run in runs}
        if len(floors) > 1:
            raise RunError(
                f"teachers with features of one floor are wanted, not of {sorted(floors)} dB"
            )
        self.floor_db = floors.pop() if floors else None
        self._networks = []
        for run in runs:
            for stage in run.of_everybody():
                network = run.expert(stage)
                network.trainable = False
                self._networks.append((network, np.array(run.emotion_features().scale)))
        self.n_mfcc = max((len(scale) for _, scale in self._networks), default=0)

    def __len__(self) -> int:
        return len(self._networks)

    def probabilities(self, features: Any, scale: Sequence[float]) -> Any:
        """(batch, frames, n, 1) features to (batch, 8), both tensors of float32.

        scale: the features', of n coefficients, which are all that any of the teachers hears.
        """
        from training.tensorflow_setup import tf

        opinions = []
        for network, own in self._networks:
            ratio = tf.constant((own / np.array(scale[: len(own)]))[:, None], tf.float32)
            logits = network(features[:, :, : len(own)] * ratio, training=False)
            opinions.append(tf.nn.softmax(logits))
        return tf.add_n(opinions) / len(opinions)


class Stage:
    """One stage of a run: trains a network, with a checkpoint after every epoch."""

    def __init__(
        self,
        run: Run,
        name: str,
        settings: TrainingSettings,
        batches: Batches,
        model: Any,
        teachers: Teachers,
        board: Path | None = None,
    ) -> None:
        from training.tensorflow_setup import keras, reseed_dropout, tf

        self._reseed_dropout = reseed_dropout
        self._run, self._name, self._settings, self._batches = run, name, settings, batches
        self._plan: StageSettings = (
            settings.specialised if name in GENDERS else settings.universal
        )
        self.model = model
        self._optimizer = keras.optimizers.AdamW(
            self._plan.learning_rate, weight_decay=settings.weight_decay, clipnorm=1.0
        )
        self._optimizer.build(model.trainable_variables)
        self._average = [tf.Variable(weight) for weight in model.weights]
        self._steps_done = tf.Variable(0.0)
        self._board = None if board is None else tf.summary.create_file_writer(str(board / name))

        share = settings.distillation if len(teachers) else 0.0
        heard = settings.n_mfcc

        @tf.function(autograph=False)  # whose rewriting of Keras takes most of a short training
        def step(features: Any, targets: Any, adjustments: Any) -> Any:
            opinions = teachers.probabilities(features[..., 1:], batches.scale) if share else None
            with tf.GradientTape() as tape:
                logits = model(features[:, :, :heard, :1], training=True)
                # Adjusted by what is usual in its corpus, a clip teaches what is unusual about it.
                loss = (1.0 - share) * _cross_entropy(targets, logits + adjustments)
                if share:
                    loss += share * _cross_entropy(opinions, logits)
            gradients = tape.gradient(loss, model.trainable_variables)
            self._optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            self._steps_done.assign_add(1.0)
            # Young averages forget quickly, or they would remember the random start.
            young = (1.0 + self._steps_done) / (10.0 + self._steps_done)
            decay = tf.minimum(settings.average_decay, young)
            for average, weight in zip(self._average, model.weights):
                average.assign(decay * average + (1.0 - decay) * weight)
            return loss

        self._step = step

    def train(self, validation: Validation | None, bar: Any) -> dict[str, float]:
        """All epochs that are still to be done; the model then holds the averaged weights."""
        first = self._resume()
        bar.update(first * self._batches.steps)
        for epoch in range(first, self._plan.epochs):
            # So that an epoch is the same whether or not the run was interrupted before it.
            self._reseed_dropout(self.model, self._settings.seed + 100 * epoch)
            losses = []
            for step, batch in enumerate(_ahead(self._batches.epoch(epoch))):
                self._optimizer.learning_rate.assign(self._learning_rate(epoch, step))
                losses.append(float(self._step(*batch)))
                bar.update()
            self._save(epoch + 1)
            judged = validation is not None and (epoch + 1) % 5 == 0
            scores = self._validate(validation) if judged else {}
            self._note(epoch + 1, float(np.mean(losses)), scores)
            self._show(epoch + 1, float(np.mean(losses)), scores)
            bar.set_postfix_str(f"{self._name} loss {np.mean(losses):.3f}")
        for weight, average in zip(self.model.weights, self._average):
            weight.assign(average)
        return {} if validation is None else self._validate(validation)

    def _learning_rate(self, epoch: int, step: int) -> float:
        done = (epoch + step / self._batches.steps) / self._plan.epochs
        if done < self._plan.warm_up:
            return self._plan.learning_rate * max(done / self._plan.warm_up, 1e-3)
        fallen = (done - self._plan.warm_up) / (1 - self._plan.warm_up)
        return self._plan.learning_rate * max(0.5 * (1 + np.cos(np.pi * fallen)), 1e-3)

    def _validate(self, validation: Validation) -> dict[str, float]:
        """The scores of the averaged weights."""
        trained = self.model.get_weights()
        self.model.set_weights([average.numpy() for average in self._average])
        scores = validation.score(lambda inputs: self.model(inputs, training=False).numpy())
        self.model.set_weights(trained)
        return scores

    def _note(self, epoch: int, loss: float, scores: dict[str, float]) -> None:
        line = {"stage": self._name, "epoch": epoch, "loss": round(loss, 4), **scores}
        with open(self._run.history_path, "a", encoding="utf-8") as history:
            history.write(json.dumps(line) + "\n")

    def _show(self, epoch: int, loss: float, scores: dict[str, float]) -> None:
        """The epoch's figures to TensorBoard, if it is to have them."""
        if self._board is None:
            return
        from training.tensorflow_setup import tf

        with self._board.as_default(step=epoch):
            tf.summary.scalar("loss", loss)
            tf.summary.scalar("learning rate", float(self._optimizer.learning_rate))
            for name, score in scores.items():
                tf.summary.scalar(f"validation UA/{name}", score)
        self._board.flush()

    def _state(self) -> list[Any]:
        return [*self.model.weights, *self._optimizer.variables, *self._average, self._steps_done]

    def _save(self, epochs: int) -> None:
        path = self._run.checkpoint_path(self._name)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".partial.npz")
        arrays = {f"{i:04d}": variable.numpy() for i, variable in enumerate(self._state())}
        np.savez(aside, epochs=epochs, **arrays)
        os.replace(aside, path)

    def _resume(self) -> int:
        """Takes up the checkpoint, if there is one; returns how many epochs it has behind it."""
        path = self._run.checkpoint_path(self._name)
        if not path.exists():
            return 0
        with np.load(path, allow_pickle=False) as saved:
            for i, variable in enumerate(self._state()):
                variable.assign(saved[f"{i:04d}"])
            return int(saved["epochs"])


def _cross_entropy(targets: Any, logits: Any) -> Any:
    from training.tensorflow_setup import tf

    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def _ahead(batches: Iterator[Any], depth: int = 6) -> Iterator[Any]:
    """The same batches, made by a thread that keeps a few ready."""
    ready: queue.Queue[Any] = queue.Queue(depth)
    stopped = threading.Event()

    def offer(item: Any) -> None:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.5)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for batch in batches:
                offer((batch, None))
                if stopped.is_set():
                    return
            offer((None, None))
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that trains
            offer((None, error))

    threading.Thread(target=make, daemon=True).start()
    try:
        while True:
            batch, error = ready.get()
            if error is not None:
                raise error
            if batch is None:
                return
            yield batch
    finally:
        stopped.set()


def train_experts(
    run: Run,
    train: Material,
    validation: Material | None,
    settings: TrainingSettings,
    front_end: FrontEnd,
    config: dict[str, Any],
    stages: Sequence[str] = STAGES,
    progress: bool = True,
    teachers: Sequence[Run] = (),
    initial: Sequence[Run | tuple[Run, str]] = (),
    bar: Any = None,
    tensorboard: bool = False,
) -> dict[str, dict[str, float]]:
    """Trains whatever of the run is not there yet; returns each stage's validation scores.

    config: what the run's config.json records besides settings and fingerprint.
    initial: a run whose networks the stages of everybody begin with, and whose scale of the
        features is kept, since that is what the network knows; or one for each of the two stages.
        With a stage beside it, it is that stage's network.
    tensorboard: whether RUN/tensorboard gets each epoch's figures, for a live view.
    bar: a progress bar of more than this training, told each step; else there is one of its own.
    RunError when the folder holds a run of another configuration, or when the initial run has
    another network or other features.
    """
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm

    from training.network import build_network
    from training.tensorflow_setup import compute_in_bfloat16, keras, seed_everything

    run.settle({
        "settings": settings.to_dict(),
        "data": train.fingerprint(),
        "teachers": [
            teacher.fingerprint(stage) for teacher in teachers for stage in teacher.of_everybody()
        ],
        "initial": [
            begun.fingerprint(known)
            for stage in stages if stage not in GENDERS and initial
            for begun, known in [_source(initial, stage)]
        ],
        **config,
    })
    seed_everything(settings.seed)
    compute_in_bfloat16(settings.bfloat16)
    taught = Teachers(teachers)
    wide = unit_variance(train, _features(settings, front_end, taught.n_mfcc))
    runs_before = [begun[0] if isinstance(begun, tuple) else begun for begun in initial]
    for run_before in runs_before:
        wide = _rescaled(wide, run_before, settings, front_end)
    for run_before in runs_before:
        scale = run_before.emotion_features().scale
        if scale != wide.scale[: len(scale)]:
            raise RunError(
                f"run {run_before.folder} has another scale than the other one: "
                "both cannot be begun with"
            )
    features = dataclasses.replace(
        wide, n_mfcc=settings.n_mfcc, scale=wide.scale[: settings.n_mfcc]
    )
    run.write("features.json", {
        "labels": {stage: list(LABELS) for stage in STAGES},
        "front_end": front_end.to_dict(),
        "emotion_features": features.to_dict(),
    })
    judge = None if validation is None or not len(validation) else Validation(validation, features)
    share = settings.distillation if teachers else 0.0
    batches = {
        stage: Batches(
            train, settings, wide, stage, front_end, taught=taught.floor_db if share else None
        )
        for stage in stages
    }
    plans = {stage: settings.specialised if stage in GENDERS else settings.universal
             for stage in stages}
    metrics = run.read("metrics.json") if (run.folder / "metrics.json").exists() else {}
    total = sum(plans[stage].epochs * batches[stage].steps for stage in stages)
    with (
        # The batches' small sums are no quicker on several threads, which wait by spinning.
        threadpool_limits(1, user_api="blas"),
        tqdm(total=total, unit="step", disable=not progress, mininterval=5.0)
        if bar is None else contextlib.nullcontext(bar) as bar,
    ):
        for stage in stages:
            if run.model_path(stage).exists():
                bar.update(plans[stage].epochs * batches[stage].steps)
                continue
            # Each stage starts from the same random state, however the run came there.
            keras.utils.set_random_seed(settings.seed + 1 + STAGES.index(stage))
            everybody = run.parent(stage) if stage in GENDERS else stage
            model = build_network(
                settings.network_of(everybody), features.frames, features.n_mfcc, features.scale
            )
            if stage in GENDERS:
                model.set_weights(run.expert(everybody).get_weights())
            elif initial:
                _begin_with(model, *_source(initial, stage))
            board = run.folder / "tensorboard" if tensorboard else None
            trained = Stage(run, stage, settings, batches[stage], model, taught, board)
            metrics[stage] = {
                "parameters": int(model.count_params()), **trained.train(judge, bar)
            }
            run.save_expert(stage, model)
            run.write("metrics.json", metrics)
    return metrics


def planned_steps(train: Material, settings: TrainingSettings, stages: Sequence[str]) -> int:
    """How many steps `train_experts` would make."""
    features = _features(settings, FrontEnd(), settings.n_mfcc)
    return sum(
        (settings.specialised if stage in GENDERS else settings.universal).epochs
        * Batches(train, settings, features, stage).steps
        for stage in stages
    )


def _features(settings: TrainingSettings, front_end: FrontEnd, least: int) -> EmotionFeatures:
    """What the settings say of the features, with at least so many coefficients."""
    n_mfcc = max(settings.n_mfcc, least)
    return EmotionFeatures(
        n_mfcc=n_mfcc,
        trim_db=settings.trim_db,
        floor_db=settings.floor_db,
        frames=front_end.window_frames,
        scale=(1.0,) * n_mfcc,
    )


def _rescaled(
    features: EmotionFeatures, initial: Run, settings: TrainingSettings, front_end: FrontEnd
) -> EmotionFeatures:
    """The features with the initial run's scale; RunError when it hears anything else.

    The floor may be another one: to hear with it is what the network then learns. More
    coefficients than it knows have a scale of their own.
    """
    known = initial.emotion_features()
    count = min(known.n_mfcc, settings.n_mfcc)
    wanted = {
        **features.to_dict(), "n_mfcc": count, "scale": known.to_dict()["scale"],
        "floor_db": known.floor_db,
    }
    if initial.front_end() != front_end or known.to_dict() != wanted:
        raise RunError(
            f"run {initial.folder} has other features than the settings: it cannot be begun with"
        )
    return dataclasses.replace(features, scale=known.scale + features.scale[count:])


def _source(initial: Sequence[Run | tuple[Run, str]], stage: str) -> tuple[Run, str]:
    """The run and its stage that a network of everybody begins with."""
    begun = initial[0 if stage == "universal" else -1]
    if isinstance(begun, tuple):
        return begun
    if stage == "second" and len(initial) == 1 and begun.model_path("second").exists():
        return begun, "second"
    return begun, "universal"


def _begun(text: str) -> Run | tuple[Run, str]:
    """Of RUN or RUN:STAGE."""
    folder, colon, stage = text.rpartition(":")
    return (Run(folder), stage) if colon and stage in STAGES else Run(text)


def _begin_with(model: Any, initial: Run, stage: str) -> None:
    """Gives the model an initial run's weights; RunError when it is another network.

    A network that is to see only the coefficients that the run has, of more, may begin with it.
    """
    from training.network import COLUMNS

    known, own = initial.expert(stage), model.get_weights()
    new = len(own) - len(known.get_weights())
    alike = same_network(known, model) and known.input_shape == model.input_shape
    if not alike and new == 2 and any(layer.name == COLUMNS for layer in model.layers):
        count = known.input_shape[2]
        first = np.array_equal(own[0][0, 0], np.eye(len(own[0][0, 0]), count))
        behind = [entry for n, entry in enumerate(_structure(model)) if n not in (1, 2, 3)]
        alike = first and behind == _structure(known)
    if not alike:
        raise RunError(
            f"run {initial.folder} has another network than the settings: it cannot be begun with"
        )
    model.set_weights([*own[:new], *known.get_weights()])


def same_network(one: Any, other: Any) -> bool:
    """Whether two Keras models differ in nothing but weights, names and dropout."""
    return _structure(one) == _structure(other)


def _structure(model: Any) -> list[tuple[str, dict[str, str], list[list[int]]]]:
    """Each layer's kind, what shapes it, and its weights' shapes; names and dropout are free."""
    shaping = ("strides", "dilation_rate", "padding", "pool_size", "activation", "use_bias", "axis",
               "target_shape", "depth_multiplier")
    layers = []
    for layer in model.layers:
        config = layer.get_config()
        settings = {name: str(config[name]) for name in shaping if name in config}
        shapes = [list(weight.shape) for weight in layer.weights]
        layers.append((type(layer).__name__, settings, shapes))
    return layers


def is_named(clip: Clip, names: Collection[str]) -> bool:
    """Whether the names, each CORPUS or CORPUS/SPEAKER, have the clip among them."""
    return clip.corpus in names or f"{clip.corpus}/{clip.speaker}" in names


def require_known(names: Collection[str], clips: Sequence[Clip]) -> None:
    """CorpusError names the first of the names, each CORPUS or CORPUS/SPEAKER, without a clip."""
    known = {clip.corpus for clip in clips} | {f"{clip.corpus}/{clip.speaker}" for clip in clips}
    for name in names:
        if name not in known:
            raise CorpusError(f"no clip is of {name}: give CORPUS or CORPUS/SPEAKER, as savee/KL")


def environment() -> dict[str, str]:
    """What the figures of a run may depend on besides its settings."""
    packages = ("numpy", "tensorflow-cpu", "scikit-learn", "tensorflow-model-optimization")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        **{package: version(package) for package in packages},
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training emotion`."""
    parser.add_argument("--corpora", type=Path, required=True,
                        help="folder with one folder for each corpus")
    parser.add_argument("--run", type=Path, required=True,
                        help="folder of the run; goes on if begun")
    parser.add_argument("--protocol", type=Path,
                        help="split by speaker (default: the released models')")
    parser.add_argument("--cache", type=Path,
                        help="folder of cached log-mels (default: beside the run)")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--shipped-networks", action="store_true",
                        help="networks as those of the bundle that ships: one of a cepstrum, "
                        "one of a spectrum")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE",
                        help="other settings, such as universal.epochs=60 network.width=64")
    parser.add_argument("--teachers", nargs="+", type=Path, default=[], metavar="RUN",
                        help="finished runs whose opinion of each example is learnt from, too")
    parser.add_argument("--hold-out", nargs="+", default=[], metavar="CORPUS/SPEAKER",
                        help="training speakers to validate on instead, to choose settings by")
    parser.add_argument("--exclude", nargs="+", default=[], metavar="CORPUS[/SPEAKER]",
                        help="training speakers, or whole corpora, to leave out of the training")
    parser.add_argument("--initial", nargs="+", type=_begun, default=[],
                        metavar="RUN[:STAGE]",
                        help="a finished run whose networks of everybody the training begins with, "
                        "or two, of which the second one's is for the stage second; or a certain "
                        "one of its networks")
    parser.add_argument("--tensorboard", action="store_true",
                        help="write RUN/tensorboard, for tensorboard --logdir RUN/tensorboard")


def run(arguments: argparse.Namespace) -> int:
    """Trains and prints each stage's validation scores."""
    shape = SHIPPED if arguments.shipped_networks else ()
    settings = TrainingSettings().replaced([*shape, *arguments.set])
    clips = read_corpora(arguments.corpora)
    front_end = FrontEnd()
    cache = FeatureCache(arguments.cache or arguments.run.parent / "cache", front_end)
    protocol_file = Path(arguments.protocol or RELEASE)
    protocol = Protocol.load(protocol_file)
    held_out, excluded = set(arguments.hold_out), set(arguments.exclude)
    require_known(arguments.hold_out, clips)
    require_known(arguments.exclude, clips)
    parts: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for index, clip in enumerate(clips):
        part = protocol.part(clip)
        if part == "train" and is_named(clip, held_out):
            part = "validation"
        elif part == "train" and is_named(clip, excluded):
            continue
        parts[part].append(index)
    log_mels = cache.log_mels(clips)
    material = {
        part: Material([clips[i] for i in parts[part]], [log_mels[i] for i in parts[part]])
        for part in ("train", "validation")
    }
    config = {
        "protocol": hashlib.sha256(protocol_file.read_bytes()).hexdigest(),
        "hold_out": sorted(held_out),
        **({"exclude": sorted(excluded)} if excluded else {}),
        "command": " ".join([
            "python -m training emotion --corpora CORPORA --run RUN --stages", *arguments.stages,
            *(["--shipped-networks"] if arguments.shipped_networks else []),
            *(["--set", *arguments.set] if arguments.set else []),
            *(["--teachers", *(f"RUN{n + 1}" for n in range(len(arguments.teachers)))]
              if arguments.teachers else []),
            *(["--hold-out", *arguments.hold_out] if arguments.hold_out else []),
            *(["--exclude", *arguments.exclude] if arguments.exclude else []),
            *(["--initial", *(
                f"RUN0{letter}" + (f":{begun[1]}" if isinstance(begun, tuple) else "")
                for letter, begun in zip("ab", arguments.initial)
            )] if arguments.initial else []),
        ]),
        "environment": environment(),
    }
    metrics = train_experts(
        Run(arguments.run), material["train"], material["validation"], settings, front_end, config,
        arguments.stages,
        teachers=[Run(folder) for folder in arguments.teachers],
        initial=arguments.initial,
        tensorboard=arguments.tensorboard,
    )
    for stage, scores in metrics.items():
        print(stage, " ".join(f"{name} {value:g}" for name, value in scores.items()))
    return 0
