"""The whole path, from three seconds of sound to a prediction."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from benchmarks.sound import SECONDS, voice
from edge.audio import to_mono_16k
from edge.emotion import softmax
from edge.features import LogMel, emotion_features, relative_db
from edge.labels import LABELS
from edge.recognizer import Recognizer
from edge.windows import active_span

GROUP = "predict() on 3 s of sound"


@pytest.fixture(scope="module")
def recognizer(bundle):
    recognizer = Recognizer(bundle, num_threads=1)
    recognizer.prepare()
    return recognizer


def wav_bytes(rate: int) -> bytes:
    """16-bit, stereo."""
    samples = np.rint(voice(rate) * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(np.repeat(samples, 2).tobytes())
    return file.getvalue()


def as_by_hand(bundle, samples: np.ndarray, rate: int):
    """A check against the stages called one by one."""
    log_mel = LogMel(bundle.front_end)(to_mono_16k(samples, rate))
    start, stop = active_span(log_mel, bundle.blend.active_span_db)
    window = relative_db(log_mel[start:stop], bundle.front_end.floor_db)
    female = bundle.gate.posterior(bundle.gate.evidence(window))
    features = emotion_features(window, bundle.emotion_features)
    by_gender = {
        name: softmax(expert.logits(features), bundle.temperatures[name])
        for name, expert in bundle.experts.items()
    }
    weight = bundle.blend.female_weight(female)
    alone = weight in (0.0, 1.0)
    wanted = weight * by_gender["female"] + (1 - weight) * by_gender["male"]
    if bundle.prosody is not None:
        wanted = bundle.prosody.weighed(wanted, bundle.prosody.manner(window))

    def check(prediction) -> str:
        assert len(prediction.windows) == 1
        assert prediction.duration == SECONDS
        np.testing.assert_allclose(list(prediction.probabilities.values()), wanted, atol=1e-6)
        assert prediction.emotion == LABELS[int(np.argmax(wanted))]
        experts = "one expert ran" if alone else "both experts ran"
        return f"as the stages called one by one; {experts}"

    return check


@pytest.mark.parametrize("rate", [16000, 48000, 44100])
def bench_samples(compare, recognizer, bundle, rate):
    samples = voice(rate)
    compare(
        GROUP, f"edge, {rate / 1000:g} kHz samples",
        lambda: recognizer.predict(samples, sample_rate=rate), as_by_hand(bundle, samples, rate),
        baseline=rate == 16000,
    )


def bench_file(compare, recognizer, bundle):
    data = wav_bytes(44100)
    samples = np.rint(voice(44100) * 32767).astype(np.int16)
    compare(
        GROUP, "edge, 44.1 kHz WAV, 16-bit stereo", lambda: recognizer.predict(data),
        as_by_hand(bundle, samples, 44100), note="from the file's bytes in memory",
    )
