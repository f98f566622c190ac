"""A tiny run: experts that learn synthetic speech in seconds, in a folder as training leaves it."""

from __future__ import annotations

import dataclasses
import hashlib
import warnings
from pathlib import Path

import numpy as np

from edge.features import EmotionFeatures, FrontEnd
from edge.labels import GENDERS, LABELS
from tests.edge.bundles import random_gate
from tests.miniature_corpora import write_crema_d, write_ravdess, write_savee
from training.cache import FeatureCache
from training.corpora import read_corpora
from training.emotion import Material, clip_windows, unit_variance
from training.protocol import RELEASE, Protocol
from training.run import STAGES, Run
from training.settings import TrainingSettings

FRONT_END = FrontEnd(window_frames=96)
SETTINGS = TrainingSettings().replaced([
    "batch_size=16", "n_mfcc=13", "bfloat16=false", "network.stem_channels=[8,8]",
    "network.width=16", "network.bottleneck=8", "network.dilations=[1,2]",
])
LENIENT = ("--ua-loss", "8", "--agreement", "90")
"""A gate for so few clips that one of them is points of UA."""

PLAN = ("representative_windows=48", "batch_size=16")
"""Of `--set`, for methods that are done at once."""


def write_tiny_corpora(root: Path) -> Path:
    """RAVDESS and SAVEE with several takes, CREMA-D as sound, by speakers of every part."""
    write_ravdess(root / "ravdess", actors=(1, 3, 4, 8, 10, 2, 15, 16, 6, 13), takes=2)
    write_savee(root / "savee")
    write_crema_d(
        root / "crema-d",
        {"1001": "male", "1002": "female", "1015": "male", "1020": "female"}, takes=2,
    )
    return root


def write_tiny_run(folder: Path, corpora: Path, cache: Path) -> Path:
    """Trains an expert for each gender and writes the run."""
    from training.network import build_network
    from training.tensorflow_setup import keras, seed_everything

    clips = read_corpora(corpora)
    protocol = Protocol.load(RELEASE)
    log_mels = FeatureCache(cache, FRONT_END, progress=False).log_mels(clips)
    known = [k for k, clip in enumerate(clips) if protocol.part(clip) == "train"]
    material = Material([clips[k] for k in known], [log_mels[k] for k in known])
    count = SETTINGS.n_mfcc
    features = unit_variance(material, EmotionFeatures(
        count, SETTINGS.trim_db, True, FRONT_END.window_frames, (1.0,) * count
    ))
    windows = [clip_windows(log_mel, features) for log_mel in material.log_mels]
    inputs = np.concatenate(windows)[..., None]
    labels = np.repeat(material.labels, [len(of_clip) for of_clip in windows])
    run = Run(folder)
    run.settle({
        "settings": SETTINGS.to_dict(),
        "protocol": hashlib.sha256(RELEASE.read_bytes()).hexdigest(),
        "hold_out": [],
        "command": ["--corpora", str(corpora), "--run", str(folder)],
    })
    run.write("features.json", {
        "labels": {stage: list(LABELS) for stage in STAGES},
        "front_end": FRONT_END.to_dict(),
        "emotion_features": features.to_dict(),
    })
    seed_everything(0)
    settings = dataclasses.replace(SETTINGS.network, dropout=0.1, spatial_dropout=0.0)
    model = build_network(settings, features.frames, features.n_mfcc)
    model.compile(
        keras.optimizers.Adam(5e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    for gender, epochs in zip(GENDERS, (14, 4)):  # the second goes on from the first
        model.fit(inputs, labels, batch_size=16, epochs=epochs, verbose=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras's, of the HDF5 that it will not write for ever
            model.save(run.model_path(gender), include_optimizer=False)
    run.gate_path.write_bytes(random_gate())
    return folder


def contents(folder: Path) -> dict[str, str]:
    """A digest of every file of a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }
