"""What the live screen is fed with: level, outline, ribbon."""

from __future__ import annotations

import numpy as np
import pytest

from app.envelope import RollingEnvelope, whole_envelope
from app.level import LOWEST_DB, Level
from app.ribbon import Ribbon, Stretch


def test_a_full_sine_is_three_decibels_below_full_scale():
    level = Level(16000)
    level.hear((32767 * np.sin(np.arange(16000) * 0.1)).astype(np.int16))
    assert level.db == pytest.approx(-3.01, abs=0.05)
    assert level.clipped and level.fraction == pytest.approx(0.95, abs=0.01)


def test_the_meter_rises_at_once_and_falls_slowly():
    level = Level(16000)
    level.hear(np.full(800, 3277, np.int16))
    assert level.db == pytest.approx(-20.0, abs=0.01)
    level.hear(np.zeros(8000, np.int16))
    assert level.db == pytest.approx(-35.0, abs=0.01)
    level.hear(np.zeros(80000, np.int16))
    assert level.db == LOWEST_DB and level.fraction == 0.0 and not level.clipped


def test_the_outline_is_the_same_however_the_sound_is_cut():
    sound = np.random.default_rng(1).integers(-9000, 9000, 50000).astype(np.int16)
    outlines = []
    for size in (1, 700, 50000):
        envelope = RollingEnvelope(16000, columns=60)
        for begin in range(0, len(sound), size) if size > 1 else range(3000):
            envelope.hear(sound[begin : begin + size])
        if size == 1:
            envelope.hear(sound[3000:])
        outlines.append(envelope.latest())
    for outline in outlines:
        assert outline.shape == (60, 2)
        assert np.array_equal(outline, outlines[0])
    last = sound[: len(sound) // 480 * 480][-480:]
    assert outlines[0][-1] * 32768 == pytest.approx([last.min(), last.max()])


def test_an_outline_of_a_whole_sound_reaches_its_peaks():
    sound = np.zeros(10001, np.int16)
    sound[5000], sound[10000] = 30000, -20000
    outline = whole_envelope(sound, 100)
    assert outline.shape == (100, 2)
    assert outline.max() * 32768 == 30000 and outline.min() * 32768 == -20000
    assert outline[-1, 0] * 32768 == -20000
    assert len(whole_envelope(np.zeros(0, np.int16), 100)) == 0
    assert len(whole_envelope(np.zeros(7, np.int16), 100)) == 7


def test_the_ribbon_grows_and_holds_what_ended(recognizer, speech_file):
    import edge

    samples, rate = edge.read_audio(speech_file)
    ribbon = Ribbon()
    grown = []
    with recognizer.stream(rate) as stream:
        for begin in range(0, len(samples), 1600):
            stream.accept_waveform(samples[begin : begin + 1600])
            for event in stream.poll():
                ribbon.told(event)
            grown.append(ribbon.stretches())
    for event in stream.poll():
        ribbon.told(event)
    ends = [stretches[-1].end for stretches in grown if stretches]
    assert ends and ends == sorted(ends)
    assert all(isinstance(part, Stretch) for part in ribbon.stretches())
    assert ribbon.stretches()[-1].end == pytest.approx(4.0, abs=0.3)
