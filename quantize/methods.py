"""The ways from a float expert to an int8 one.

Each takes the folded and balanced float graph and gives a TFLite model. The ones that train let the
float expert teach: on augmented clips of the training speakers the student is drawn to the
teacher's distribution, so that what is learnt is to be the same network in fewer bits
(distillation, Hinton et al. 2015; with quantization, Mishra and Marr 2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.features import EmotionFeatures
from quantize import toolkit
from quantize.convert import to_int8, trained_to_int8
from quantize.settings import MethodSettings
from training.emotion import Batches, Material
from training.settings import TrainingSettings
from training.tensorflow_setup import keras, tf


@dataclass(frozen=True)
class Workpiece:
    """One expert with what the methods need to work on it.

    model: the folded and balanced float graph
    representative: (n, frames, n_mfcc, 1) float32, training windows
    material, training: the clips of the training speakers, and how they were trained on
    """

    gender: str
    model: Any
    representative: np.ndarray
    material: Material
    training: TrainingSettings
    features: EmotionFeatures
    settings: MethodSettings
    progress: bool = True

    def copy(self) -> Any:
        """The float graph again, with weights of its own."""
        return _copied(self.model)


def post_training(piece: Workpiece) -> bytes:
    """Weights rounded by channel; the ranges of activations from the representative set."""
    return to_int8(piece.model, piece.representative)


def post_training_least_error(piece: Workpiece) -> bytes:
    """The same, with activations clipped where that costs less than a coarser scale would."""
    student = toolkit.quantization.quantize_model(piece.copy())
    _set_ranges(student, piece)
    return trained_to_int8(student)


def quantization_aware(piece: Workpiece) -> bytes:
    """Trained under fake quantization (Jacob et al. 2018)."""
    return _trained_under_quantization(piece, toolkit.quantization.quantize_model(piece.copy()))


def pruned_quantization_aware(piece: Workpiece) -> bytes:
    """The smallest weights of each kernel become 0 while the others make up for them (Zhu and Gupta
    2017); then trained under fake quantization, the zeros kept."""
    settings = piece.settings
    lesson = Lesson(piece, settings.prune_epochs, settings.prune_learning_rate, 1)
    steps = lesson.epochs * lesson.steps
    schedule = toolkit.sparsity.PolynomialDecay(
        initial_sparsity=0.0, final_sparsity=settings.prune_sparsity, begin_step=0,
        end_step=max(1, round(0.7 * steps)), frequency=max(1, steps // 40),
    )

    def prunable(layer: Any) -> Any:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            return toolkit.sparsity.prune_low_magnitude(layer, pruning_schedule=schedule)
        return layer

    pruned = keras.models.clone_model(piece.copy(), clone_function=prunable)
    _take_weights(pruned, piece.model)
    lesson.teach(pruned, [toolkit.sparsity.UpdatePruningStep()])
    stripped = toolkit.sparsity.strip_pruning(pruned)
    aware = toolkit.quantization.quantize_apply(
        toolkit.quantization.quantize_annotate_model(stripped), toolkit.PrunePreserveScheme()
    )
    return _trained_under_quantization(piece, aware)


def clustered(piece: Workpiece) -> bytes:
    """Each kernel's weights share a few values, which are trained (Han et al. 2016); then as
    `post_training`."""
    settings = piece.settings
    student = toolkit.clustering.cluster_weights(
        piece.copy(),
        number_of_clusters=settings.clusters,
        cluster_centroids_init=toolkit.clustering.CentroidInitialization.KMEANS_PLUS_PLUS,
    )
    Lesson(piece, settings.cluster_epochs, settings.cluster_learning_rate, 2).teach(student)
    return to_int8(toolkit.clustering.strip_clustering(student), piece.representative)


BY_NAME: dict[str, Callable[[Workpiece], bytes]] = {
    "ptq": post_training,
    "ptq-mse": post_training_least_error,
    "qat": quantization_aware,
    "prune-qat": pruned_quantization_aware,
    "cluster": clustered,
}


def _trained_under_quantization(piece: Workpiece, student: Any) -> bytes:
    _set_ranges(student, piece)
    settings = piece.settings
    Lesson(piece, settings.qat_epochs, settings.qat_learning_rate, 3).teach(student)
    _update_weight_ranges(student, piece)
    return trained_to_int8(student)


def _set_ranges(student: Any, piece: Workpiece) -> None:
    """Gives fake quantization the activations' ranges, which would take it thousands of steps."""
    _update_weight_ranges(student, piece)
    model = piece.model
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    watching = keras.Model(model.inputs, [layer.output for layer in layers])
    outputs = watching.predict(piece.representative, batch_size=64, verbose=0)
    ranges = {
        layer.name: least_error_range(
            output, clip=layer.output is not model.output  # a clipped logit would be a lesser one
        )
        for layer, output in zip(layers, outputs)
    }
    for layer in student.layers:
        inner = getattr(layer, "layer", None)  # none of the layer that quantizes the input
        low, high = least_error_range(piece.representative) if inner is None else ranges[inner.name]
        for variable in layer.non_trainable_weights:
            name = variable.name.split("/")[-1].split(":")[0]
            if inner is None or name.startswith(("post_activation", "pre_activation", "output")):
                if name.endswith("_min"):
                    variable.assign(low)
                elif name.endswith("_max"):
                    variable.assign(high)


def least_error_range(values: np.ndarray, clip: bool = True) -> tuple[float, float]:
    """The range of least squared error when 8 bits express the values in it, the rest is clipped.

    values: of any shape. Without `clip`, from the least to the largest. 0 is always inside.
    """
    values = np.asarray(values, np.float32).ravel()
    low, high = min(0.0, float(values.min())), max(1e-6, float(values.max()))
    if not clip:
        return low, high
    values = values[:: max(1, values.size // 200_000)]
    best = math.inf, low, high
    for low_share in np.arange(0.5, 1.01, 0.1) if low < 0.0 else (1.0,):
        for high_share in np.arange(0.4, 1.01, 0.05):
            bottom, step = low * low_share, (high * high_share - low * low_share) / 255
            rounded_values = np.clip(np.round((values - bottom) / step), 0, 255) * step + bottom
            error = float(np.square(rounded_values - values).mean())
            best = min(best, (error, bottom, bottom + 255 * step))
    return best[1], best[2]


def _update_weight_ranges(student: Any, piece: Workpiece) -> None:
    """Fake quantization takes the weights' ranges when it trains, and then from before the step."""
    student(piece.representative[: piece.settings.batch_size], training=True)


def _take_weights(student: Any, model: Any) -> None:
    """The weights of each layer for the layer of its name, wrapped or not."""
    by_name = {layer.name: layer.get_weights() for layer in model.layers}
    for layer in student.layers:
        inner = getattr(layer, "layer", layer)
        weights = by_name[inner.name]
        if weights:
            inner.set_weights(weights)


class Lesson:
    """Some epochs in which a student learns the teacher's distribution."""

    def __init__(self, piece: Workpiece, epochs: int, learning_rate: float, number: int) -> None:
        self._piece = piece
        self._learning_rate = learning_rate
        self._number = number
        training = piece.training.replaced([
            f"seed={piece.settings.seed + 100 * number}", f"batch_size={piece.settings.batch_size}",
            "augmentation.mixup=0.0",
        ])
        self._batches = Batches(piece.material, training, piece.features, piece.gender)
        self.epochs = epochs
        self.steps = max(1, self._batches.steps)

    def teach(self, student: Any, callbacks: list[Any] | None = None) -> None:
        """Trains `student` in place; the same for the same workpiece and settings."""
        keras.utils.set_random_seed(self._piece.settings.seed + self._number)
        total = self.epochs * self.steps
        rate = keras.optimizers.schedules.CosineDecay(self._learning_rate, total)
        student.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss=_divergence)
        # Autograph has nothing to convert there, and would take longer than a short training.
        student.train_step = tf.autograph.experimental.do_not_convert(student.train_step)
        student.fit(
            self._pairs(), epochs=self.epochs, steps_per_epoch=self.steps, verbose=0,
            callbacks=[*(callbacks or []), *self._bar(total)], max_queue_size=4,
        )

    def _pairs(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Augmented features, and the teacher's logits for them."""
        model = self._piece.model
        teacher = tf.function(lambda features: model(features, training=False), autograph=False)
        for epoch in range(self.epochs + 1):  # one more, since the queue runs ahead
            for features, _, _ in self._batches.epoch(epoch):
                yield features, teacher(features).numpy()

    def _bar(self, total: int) -> list[Any]:
        if not self._piece.progress:
            return []
        from tqdm import tqdm

        name = f"  {self._piece.gender}"
        bar = tqdm(total=total, unit="step", desc=name, leave=False, mininterval=2)
        return [keras.callbacks.LambdaCallback(
            on_batch_end=lambda *_, **__: bar.update(), on_train_end=lambda *_, **__: bar.close(),
        )]


def _divergence(teacher_logits: Any, logits: Any) -> Any:
    """Kullback-Leibler divergence of the student's distribution from the teacher's."""
    target = tf.nn.log_softmax(teacher_logits)
    return tf.reduce_sum(tf.exp(target) * (target - tf.nn.log_softmax(logits)), axis=-1)


def rounded(model: Any, bits: int) -> Any:
    """A copy with each kernel rounded by channel to `bits` bits: a ruin, to try the gate on."""
    ruin = _copied(model)
    steps = 2 ** (bits - 1) - 1
    for layer in ruin.layers:
        weights = layer.get_weights()
        if weights and weights[0].ndim > 1:
            kernel = weights[0]
            largest = np.abs(kernel).max(axis=tuple(range(kernel.ndim - 1)), keepdims=True)
            scale = np.maximum(largest, 1e-12) / steps
            weights[0] = (np.round(kernel / scale) * scale).astype(np.float32)
            layer.set_weights(weights)
    return ruin


def _copied(model: Any) -> Any:
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    return twin
