"""A live stream: three seconds of voice in pieces of 20 ms, as a microphone gives them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sound import SECONDS, voice
from edge.events import Decision
from edge.recognizer import Recognizer

GROUP = "Live stream: 3 s of sound in pieces of 20 ms"
INTERVAL = 0.5


@pytest.fixture(scope="module")
def recognizer(bundle):
    return Recognizer(bundle, num_threads=1)


def listen(stream, pieces):
    stream.reset()
    for piece in pieces:
        stream.accept_waveform(piece)
    stream.input_finished()
    return stream.poll()


@pytest.mark.parametrize("rate", [16000, 48000])
def bench_stream(compare, recognizer, rate):
    samples = voice(rate)
    pieces = np.split(samples, np.arange(rate // 50, samples.size, rate // 50))
    # Everything is taken for speech, so that there is as much to decide on as there can be.
    with recognizer.stream(rate, interval=INTERVAL, voice_activity=False) as stream:
        wanted = listen(stream, [samples])

        def check(events) -> str:
            decisions = [event for event in events if isinstance(event, Decision)]
            assert len(decisions) >= SECONDS / INTERVAL - 1
            assert events == wanted, "other events than those of the sound in one piece"
            return f"{len(events)} events, {len(decisions)} of them decisions, however it is cut"

        compare(
            GROUP, f"edge, {rate / 1000:g} kHz", lambda: listen(stream, pieces), check,
            baseline=rate == 16000, note=f"{len(pieces)} pieces, a decision every {INTERVAL} s",
        )
