"""The models that ship: that they answer, and that their card's figures come out again."""

from __future__ import annotations

import numpy as np
import pytest

from edge import LABELS, Bundle, Recognizer, read_audio
from training.corpora import load_log_mel, read_corpora
from training.evaluation import evaluate
from training.protocol import Protocol

CLIPS = 120  # of each corpus, of speakers that nothing was trained on


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


@pytest.fixture(scope="module")
def unseen(corpora):
    """Some clips of unseen speakers of each corpus that has emotions, every speaker among them."""
    protocol = Protocol.load()
    clips = [clip for clip in read_corpora(corpora) if protocol.part(clip) != "train"]
    chosen = []
    for corpus in ("ravdess", "savee", "crema-d"):
        here = [clip for clip in clips if clip.corpus == corpus]
        if not here:
            pytest.skip(f"{corpus} is not in {corpora}")
        chosen += [here[k] for k in np.linspace(0, len(here) - 1, CLIPS).astype(int)]
    return chosen


def test_it_is_called_default(recognizer):
    assert recognizer.bundle.name == "default"


def test_the_experts_are_int8_from_end_to_end():
    interpreters = pytest.importorskip("tensorflow", reason="reads the graph by TensorFlow").lite
    for name in ("female.tflite", "male.tflite"):
        model = (Bundle.load().folder / name).read_bytes()
        details = interpreters.Interpreter(model_content=model).get_tensor_details()
        types = {np.dtype(tensor["dtype"]).name for tensor in details}
        assert types <= {"int8", "int32"}, types


def test_no_more_than_two_hundred_thousand_parameters_in_an_expert():
    quantization = Bundle.load().manifest["quantization"]
    assert quantization, "the proof's summary is missing"
    for name in ("female.tflite", "male.tflite"):
        assert (Bundle.load().folder / name).stat().st_size < 200_000 * 1.25


def test_unseen_speakers_gender_is_heard(recognizer, unseen):
    right = sum(
        recognizer.predict(str(clip.path)).gender == clip.gender
        for clip in unseen
        if clip.sound
    )
    sounds = sum(clip.sound for clip in unseen)
    assert right / sounds >= 0.9, f"{right} of {sounds}"


def test_unseen_speakers_emotions_are_told_far_above_chance(recognizer, unseen):
    scores = evaluate(recognizer, unseen, Protocol.load(), progress=False)
    for corpus, part in scores.groups():
        group = scores.emotion(corpus, part)
        assert group.ua > 2.5 / len(group.labels), f"{corpus} {part}: {100 * group.ua:.1f} %"


def test_the_manifests_figures_come_out_again(recognizer, corpora):
    """SAVEE's test speaker, whole: the interpreter may differ from the proof's by a step or two."""
    protocol = Protocol.load()
    clips = [clip for clip in read_corpora(corpora, ["savee"]) if protocol.part(clip) == "test"]
    scores = evaluate(recognizer, clips, protocol, progress=False).emotion("savee", "test")
    (stated,) = (
        row for row in recognizer.bundle.metrics["emotion"]
        if (row["corpus"], row["part"]) == ("savee", "test")
    )
    assert scores.clips == stated["clips"] == 120
    assert abs(scores.ua - stated["ua"]) < 0.03
    assert abs(scores.wa - stated["wa"]) < 0.03


def test_a_clip_at_another_rate_in_stereo_is_heard_as_the_same(recognizer, unseen):
    soxr = pytest.importorskip("soxr")
    clip = next(clip for clip in unseen if clip.corpus == "ravdess")
    samples, rate = read_audio(clip.path)
    mono = samples[:, 0]
    expected = recognizer.predict(mono, sample_rate=rate)
    stereo = np.repeat(soxr.resample(mono, rate, 44100)[:, None], 2, axis=1)
    found = recognizer.predict(stereo, sample_rate=44100)
    for label in LABELS:
        assert abs(found.probabilities[label] - expected.probabilities[label]) < 0.1


def test_a_log_mel_of_any_level_is_the_same_clip(recognizer, unseen):
    clip = next(clip for clip in unseen if not clip.sound)
    log_mel = load_log_mel(clip)
    prediction = recognizer.predict_log_mel(log_mel)
    louder = recognizer.predict_log_mel(log_mel + np.float32(16.0))
    assert prediction.probabilities == louder.probabilities
    assert prediction.gender_posterior == louder.gender_posterior
