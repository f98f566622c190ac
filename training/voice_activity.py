"""Measures the voice activity detector in noise, beside others, or fits its network anew.

The detector is measured on scenes of clips of validation speakers, and fitted on scenes of
training speakers; the noises are of the same kinds and never the same sound.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from edge.audio import read_audio, to_mono_16k
from edge.features import FrontEnd, LogMel
from edge.quality import FLAGS, clipped_samples, flags_of
from edge.stream import LEAST_SPEECH_SECONDS
from edge.turns import ONSET_GAP_SECONDS, ONSET_SECONDS, PAUSE_SECONDS, TurnFinder
from edge.voice_activity import CUES, STEP, Activity, VoiceActivity, snr_db, voice_activity
from training.corpora import Clip, read_corpora
from training.pages import command, table
from training.protocol import Protocol
from training.scenes import (
    HOP,
    NOISES,
    NOT_SPEECH,
    RATE,
    Scene,
    clean_scene,
    in_noise,
    noise_of,
    read_sound,
)

WITH_SOUND = ("ravdess", "savee", "tess", "slr45")
SNRS = (20, 10, 5, 0)
CLIPS_OF_A_SCENE = 6
SEGMENT_FRAMES = 19  # 0.3 s; shorter runs of reference speech are no segments
FITTING_PASSES = 60

_WEIGHTS = Path(__file__).resolve().parents[1] / "edge" / "voice_weights.py"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training voice-activity`."""
    parser.add_argument(
        "--corpora", type=Path, required=True, help="folder with one folder for each corpus"
    )
    parser.add_argument(
        "--scenes", type=int, default=16, help="of clean speech (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument(
        "--fit", action="store_true", help="fit the network and write edge/voice_weights.py"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Fits the network, or measures the detectors, prints the figures and writes the report."""
    parts = Protocol.load().split(read_corpora(arguments.corpora, WITH_SOUND))
    rng = np.random.default_rng(arguments.seed)
    talkers = [read_sound(clip) for clip in drawn(parts["train"], 20, rng)]
    if arguments.fit:
        sounds = [read_sound(clip) for clip in drawn(parts["train"], 80, rng)]
        fit(training_scenes(sounds, talkers, arguments.scenes, rng), arguments.seed)
        return 0
    report = "\n".join(_report(parts["validation"], talkers, arguments.scenes, rng))
    print(report)
    if arguments.report is not None:
        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.write_text(report + "\n", encoding="utf-8")
    return 0


def drawn(clips: Sequence[Clip], of_each_corpus: int, rng: np.random.Generator) -> list[Clip]:
    """So many clips of each corpus, or all that there are."""
    by_corpus: dict[str, list[Clip]] = {}
    for clip in clips:
        by_corpus.setdefault(clip.corpus, []).append(clip)
    return [
        of_corpus[index]
        for of_corpus in by_corpus.values()
        for index in rng.permutation(len(of_corpus))[:of_each_corpus]
    ]


def training_scenes(
    sounds: Sequence[np.ndarray],
    talkers: Sequence[np.ndarray],
    count: int,
    rng: np.random.Generator,
) -> list[Scene]:
    """Short scenes, half of them with hardly a pause, each in a noise of its own; and noises."""
    scenes = []
    for number in range(count):
        clips = [sounds[index] for index in rng.integers(len(sounds), size=3)]
        scene = clean_scene(clips, rng, (0.0, 0.4) if number % 2 else (0.3, 3.0))
        kind = ("clean", *NOISES, *NOT_SPEECH)[number % (1 + len(NOISES) + len(NOT_SPEECH))]
        if kind in ("clean", "silence"):
            hiss = noise_of("silence", len(scene.samples), rng)
            scene = Scene(scene.samples + hiss * np.float32(rng.uniform(0, 3)), scene.speech)
        else:
            noise = noise_of(kind, len(scene.samples), rng, talkers)
            scene = in_noise(scene, noise, rng.uniform(0, 25))
        scenes.append(scene)
        if number % 2 == 0:
            # Chords and streets, which are the hardest to tell from speech, come twice.
            kinds = (*NOT_SPEECH, "chords", "street")
            scenes.append(_scene_without_speech(kinds[number // 2 % len(kinds)], 8, rng))
    return scenes


def _scene_without_speech(kind: str, seconds: float, rng: np.random.Generator) -> Scene:
    sound = noise_of(kind, int(seconds * RATE), rng) * np.float32(10 ** rng.uniform(-1.0, 0.5))
    return Scene(sound, np.zeros(1 + len(sound) // HOP, bool))


def fit(scenes: Sequence[Scene], seed: int) -> None:
    """Fits the network by cross-entropy and writes its weights."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    cues = np.concatenate([_cues(scene)[::2] for scene in scenes])  # (frames, cues)
    speech = np.concatenate([scene.speech[::2] for scene in scenes])
    print(f"{len(scenes)} scenes, {2 * len(cues) * HOP / RATE / 60:.1f} min, "
          f"{100 * speech.mean():.1f} % speech")
    scaler = StandardScaler().fit(cues)
    network = MLPClassifier((16,), alpha=1e-3, max_iter=FITTING_PASSES, tol=0.0, random_state=seed)
    network.n_iter_no_change = network.max_iter
    _quietly(lambda: network.fit(scaler.transform(cues), speech))
    first, second = network.coefs_
    weights = first / scaler.scale_[:, None]  # (cues, units), for cues as they come
    biases = network.intercepts_[0] - scaler.mean_ @ weights
    _WEIGHTS.write_text(
        '"""Weights of the voice activity network; written by\n'
        f"`{command('training')}`.\n\"\"\"\n\n"
        "from __future__ import annotations\n\n"
        f"HIDDEN_WEIGHTS: tuple[tuple[float, ...], ...] = (  # ({len(CUES)}, {len(biases)})\n"
        + "".join(f"    {_numbers(row)},\n" for row in weights)
        + ")\n"
        f"HIDDEN_BIASES: tuple[float, ...] = {_numbers(biases)}\n"
        f"OUTPUT_WEIGHTS: tuple[float, ...] = {_numbers(second[:, 0])}\n"
        f"OUTPUT_BIAS = {network.intercepts_[1][0]:.5g}\n",
        encoding="utf-8",
    )
    print(f"loss {network.loss_:.4f}; wrote {_WEIGHTS.name}")


def _numbers(values: np.ndarray) -> str:
    lines, line = [], ""
    for value in values:
        number = f"{value:.5g}, "
        if len(line) + len(number) > 84:
            lines.append(line.rstrip())
            line = ""
        line += number
    return "(\n        " + "\n        ".join([*lines, line.rstrip()]) + "\n    )"


def _quietly(work: Callable[[], object]) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge: the iterations are a choice
        work()


def _cues(scene: Scene) -> np.ndarray:
    log_mel = LogMel()(scene.samples)
    detector = VoiceActivity(FrontEnd())
    return np.concatenate(
        [detector.cues(log_mel[first : first + STEP]) for first in range(0, len(log_mel), STEP)]
    )


@dataclass(frozen=True)
class Detector:
    """A voice activity detector under test."""

    name: str
    speech: Callable[[np.ndarray], np.ndarray]
    """(n,) samples to (1 + n // 256,) bool."""


def ours() -> Detector:
    """The detector of `edge`, in the steps of a stream."""
    return Detector("edge", lambda sound: activity_of(sound).speech)


def activity_of(sound: np.ndarray) -> Activity:
    """What a stream's detector says of the sound."""
    log_mel = LogMel()(sound)
    detector = VoiceActivity(FrontEnd())
    steps = [detector.step(log_mel[at : at + STEP]) for at in range(0, len(log_mel), STEP)]
    return Activity(*(np.concatenate(parts) for parts in zip(*steps)))


def webrtc(mode: int) -> Detector:
    """WebRTC's Gaussian mixture detector, in frames of 30 ms; mode 3 is the strictest."""
    import webrtcvad

    size = RATE * 30 // 1000

    def speech(sound: np.ndarray) -> np.ndarray:
        detector = webrtcvad.Vad(mode)
        frames = -(-len(sound) // size) + 1
        padded = np.zeros(frames * size, np.int16)
        padded[: len(sound)] = np.clip(np.rint(sound * 32767), -32768, 32767)
        verdicts = [
            detector.is_speech(padded[at : at + size].tobytes(), RATE)
            for at in range(0, len(padded), size)
        ]
        return _on_our_frames(np.array(verdicts), size, len(sound))

    return Detector(f"webrtcvad {mode}", speech)


def silero() -> Detector:
    """Silero's recurrent network, in frames of 32 ms, with its usual threshold of 0.5."""
    import importlib.util

    import onnxruntime

    found = importlib.util.find_spec("silero_vad")  # importing the package itself needs torch
    if found is None or found.origin is None:
        raise ModuleNotFoundError("No module named 'silero_vad'", name="silero_vad")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = onnxruntime.InferenceSession(
        Path(found.origin).parent / "data" / "silero_vad.onnx", options
    )
    size, context = 512, 64

    def speech(sound: np.ndarray) -> np.ndarray:
        frames = -(-len(sound) // size) + 1
        padded = np.zeros(context + frames * size, np.float32)
        padded[context : context + len(sound)] = sound
        state = np.zeros((2, 1, 128), np.float32)
        verdicts = []
        for at in range(0, frames * size, size):
            inputs = {
                "input": padded[None, at : at + context + size],
                "state": state,
                "sr": np.array(RATE, np.int64),
            }
            probability, state = model.run(None, inputs)
            verdicts.append(float(probability[0, 0]) >= 0.5)
        return _on_our_frames(np.array(verdicts), size, len(sound))

    return Detector("silero-vad", speech)


def _on_our_frames(verdicts: np.ndarray, size: int, samples: int) -> np.ndarray:
    return verdicts[np.arange(1 + samples // HOP) * HOP // size]


def detectors() -> tuple[list[Detector], list[str]]:
    """Those that can run here, and why the others cannot."""
    found, missing = [ours()], []
    for make in (lambda: webrtc(1), lambda: webrtc(3), silero):
        try:
            found.append(make())
        except ModuleNotFoundError as error:
            missing.append(f"{error.name} is not installed")
    return found, missing


@dataclass
class Counts:
    """Frames and segments of several scenes, told by one detector."""

    speech: int = 0
    missed: int = 0
    other: int = 0
    false: int = 0
    segments: int = 0
    found: int = 0

    def add(self, truth: np.ndarray, told: np.ndarray) -> None:
        """One scene: (frames,) bool each."""
        self.speech += int(truth.sum())
        self.missed += int((truth & ~told).sum())
        self.other += int((~truth).sum())
        self.false += int((~truth & told).sum())
        for first, stop in runs(truth):
            if stop - first >= SEGMENT_FRAMES:
                self.segments += 1
                self.found += int(told[first:stop].mean() >= 0.5)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the share of speech that is found and of the rest that is left alone."""
        return 1.0 - 0.5 * (self.missed / self.speech + self.false / self.other)


def runs(truth: np.ndarray) -> list[tuple[int, int]]:
    """(first, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], truth, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))


def turns_begun(speech: np.ndarray) -> tuple[int, int]:
    """How many turns a stream would begin, and how many would hold enough for a decision."""
    frames = [round(s * RATE / HOP) for s in (ONSET_SECONDS, ONSET_GAP_SECONDS, PAUSE_SECONDS)]
    finder = TurnFinder(*frames)
    heard: list[int] = []  # frames of speech in each turn
    for frame in speech.tolist():
        before = finder.speaking
        finder.step(frame)
        if finder.speaking and not before:
            heard.append(frames[0])
        elif finder.speaking:
            heard[-1] += frame
    return len(heard), sum(count * HOP / RATE >= LEAST_SPEECH_SECONDS for count in heard)


def _report(
    clips: Sequence[Clip], talkers: Sequence[np.ndarray], count: int, rng: np.random.Generator
) -> list[str]:
    under_test, missing = detectors()
    names = [detector.name for detector in under_test]
    sounds = [read_sound(clip) for clip in drawn(clips, 100, rng)]
    counts: dict[tuple[str, int], dict[str, Counts]] = {}
    errors: dict[int, list[float]] = {}
    minutes = 0.0
    for _ in range(count):
        chosen = [sounds[index] for index in rng.integers(len(sounds), size=CLIPS_OF_A_SCENE)]
        clean = clean_scene(chosen, rng, (0.3, 3.0))
        minutes += len(clean.samples) / RATE / 60
        for kind in ("quiet", *NOISES):
            for snr in SNRS if kind != "quiet" else (99,):
                if kind == "quiet":
                    hiss = noise_of("silence", len(clean.samples), rng)
                    scene = Scene(clean.samples + hiss, clean.speech)
                else:
                    noise = noise_of(kind, len(clean.samples), rng, talkers)
                    scene = in_noise(clean, noise, snr)
                row = counts.setdefault((kind, snr), {name: Counts() for name in names})
                for detector in under_test:
                    row[detector.name].add(scene.speech, detector.speech(scene.samples))
                if kind in ("white", "street"):
                    heard = snr_db(activity_of(scene.samples))
                    if heard is not None:
                        errors.setdefault(snr, []).append(heard - snr)
    return [
        "# Voice activity: speech told from the rest",
        "",
        "Written by this command, run on the commit that holds this page:",
        "",
        f"    {command('training')}",
        "",
        "The other detectors come with `pip install '.[voice-activity]'` and `pip install "
        "--no-deps silero-vad==6.2.3` (its package asks for torch, which its ONNX model does "
        "without).",
        "",
        f"{count} scenes of {CLIPS_OF_A_SCENE} clips of validation speakers "
        f"({', '.join(sorted({clip.corpus for clip in clips}))}; the other corpora with sound "
        f"have no validation speakers), {minutes:.1f} minutes, with pauses of 0.3 to 3 s, at -35 "
        "to -15 dBFS, each scene in every noise. The truth is the energy of the clean clip: within "
        "30 dB of its loudest frames, gaps up to 0.2 s closed. White noise and street (rumble, "
        "vehicles, horns) are synthetic; babble is eight training speakers at once. The network of "
        "our detector was fitted on training speakers in noises of the same kinds, made anew, "
        "which the other detectors did not have: read its lead on white and street noise with "
        "that in mind.",
        "",
        f"Versions: {_versions()}. webrtcvad in modes 1 and 3 with frames of 30 ms; silero-vad's "
        "ONNX model through onnxruntime (no torch) with a threshold of 0.5; both without any "
        "smoothing around them. Ours is as a stream runs it, smoothing and hysteresis included.",
        *(f"Not measured: {reason}." for reason in missing),
        "",
        "## Frames",
        "",
        "Balanced accuracy in per cent over frames of 16 ms; in brackets the share of speech "
        "frames missed and of other frames taken for speech.",
        "",
        *table(
            ("noise", "SNR", *names),
            [
                (*_condition(kind, snr), *(_frames(row[name]) for name in names))
                for (kind, snr), row in counts.items()
            ],
        ),
        "",
        "## Segments",
        "",
        "Share in per cent of the runs of speech of at least 0.3 s of which a detector finds half "
        "or more.",
        "",
        *table(
            ("noise", "SNR", "segments", *names),
            [
                (
                    *_condition(kind, snr),
                    str(row[names[0]].segments),
                    *(f"{100 * row[name].found / row[name].segments:.1f}" for name in names),
                )
                for (kind, snr), row in counts.items()
            ],
        ),
        "",
        "## No speech at all",
        "",
        "Per cent of the frames taken for speech, in 10 s of each sound at a time, at levels from "
        "-46 to -16 dBFS; in the last columns the turns that a stream would begin in a minute, and "
        "those of them in which it would come to a decision.",
        "",
        *table(
            ("sound", "minutes", *names, "turns a minute", "judged a minute"),
            [_without_speech(kind, under_test, count, rng) for kind in NOT_SPEECH],
        ),
        "",
        "## Clips as they are",
        "",
        "Clips of validation speakers without anything added, each a few words of speech: how many "
        "of them `Recognizer.predict` flags, and with what; and the median of the estimated SNR.",
        "",
        *table(("corpus", "clips", *FLAGS, "SNR"), _flagged(clips, rng)),
        "",
        "## The estimate of the SNR",
        "",
        "Estimated less true SNR in dB, white and street noise together.",
        "",
        *table(
            ("SNR", "scenes", "mean error", "mean absolute error"),
            [
                (
                    f"{snr} dB",
                    str(len(values)),
                    f"{np.mean(values):+.1f}",
                    f"{np.mean(np.abs(values)):.1f}",
                )
                for snr, values in errors.items()
            ],
        ),
        "",
        "## Where it is worse",
        "",
        *_where_worse(counts, names),
    ]


def _condition(kind: str, snr: int) -> tuple[str, str]:
    return kind, "" if kind == "quiet" else f"{snr} dB"


def _frames(counts: Counts) -> str:
    missed, false = counts.missed / counts.speech, counts.false / counts.other
    return f"{100 * counts.balanced_accuracy:.1f} ({100 * missed:.0f}, {100 * false:.0f})"


def _without_speech(
    kind: str, under_test: Sequence[Detector], count: int, rng: np.random.Generator
) -> tuple[str, ...]:
    scenes = [_scene_without_speech(kind, 10, rng) for _ in range(count)]
    minutes = sum(len(scene.samples) for scene in scenes) / RATE / 60
    shares = []
    for detector in under_test:
        told = [detector.speech(scene.samples) for scene in scenes]
        shares.append(f"{100 * np.mean(np.concatenate(told)):.1f}")
        if detector is under_test[0]:
            turns = np.sum([turns_begun(speech) for speech in told], axis=0) / minutes
    return (kind, f"{minutes:.1f}", *shares, *(f"{rate:.1f}" for rate in turns))


def _flagged(clips: Sequence[Clip], rng: np.random.Generator) -> list[tuple[str, ...]]:
    rows = []
    for corpus in sorted({clip.corpus for clip in clips}):
        chosen = drawn([clip for clip in clips if clip.corpus == corpus], 150, rng)
        found = [_quality(clip) for clip in chosen]
        counts = (str(sum(flag in flags for flags, _ in found)) for flag in FLAGS)
        ratios = [ratio for _, ratio in found if ratio is not None]
        rows.append((corpus, str(len(chosen)), *counts, f"{np.median(ratios):.1f} dB"))
    return rows


def _quality(clip: Clip) -> tuple[tuple[str, ...], float | None]:
    samples, rate = read_audio(clip.path)
    clipped, _ = clipped_samples(samples)
    activity = voice_activity(LogMel()(to_mono_16k(samples, rate)))
    return flags_of(activity, len(clipped) / len(samples), HOP / RATE)


def _where_worse(
    counts: dict[tuple[str, int], dict[str, Counts]], names: Sequence[str]
) -> list[str]:
    """The conditions in which another detector's balanced accuracy is higher."""
    lines = []
    for (kind, snr), row in counts.items():
        mine = row[names[0]].balanced_accuracy
        better = [name for name in names[1:] if row[name].balanced_accuracy > mine]
        if better:
            leads = ", ".join(
                f"{name} by {100 * (row[name].balanced_accuracy - mine):.1f}" for name in better
            )
            lines.append(f"- {' at '.join(filter(None, _condition(kind, snr)))}: {leads} points")
    closing = (
        "Babble is speech of others. The other detectors take it all for speech, ours follows "
        "what rises above it, and at 0 to 5 dB loses much of the speaker. Song, and music with a "
        "voice-like lead, were not measured: expect them to count as speech. Chords are synthetic, "
        "too; no recording of real noise or music was at hand."
    )
    return [*(lines or ["In none of these conditions."]), "", closing]


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in ("numpy", "webrtcvad-wheels", "silero-vad", "onnxruntime"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
