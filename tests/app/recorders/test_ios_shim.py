"""The C shim of iOS, compiled as it is by Clang, on stand-ins for Apple's classes (`apple/`)."""

from __future__ import annotations

import ctypes
import queue
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import app.recorders.ios.stream as module
from app.recorders import (
    MicrophoneBusy,
    MicrophoneLost,
    MicrophoneMissing,
    Permission,
    PermissionDenied,
    RecorderState,
    UnsupportedFormat,
)
from app.recorders.ios import StreamingRecorder, ios_recorder
from app.recorders.ios import shim as shim_module
from app.recorders.ios.shim import FUNCTIONS, declare

ROOT = Path(__file__).resolve().parents[3]
SHIM = ROOT / "app" / "ios"
APPLE = Path(__file__).with_name("apple")
RATE = 48000
CHUNK = 2400  # samples of 50 ms
PATIENCE = 10.0  # seconds until something that never came is given up


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The shim and the stand-ins, loaded."""
    clang = shutil.which("clang")
    runtimes = sorted(Path("/usr/lib/gcc").glob("*/*/libobjc.so"))
    if clang is None or not runtimes or sys.platform != "linux":
        pytest.skip("Clang or GCC's Objective-C runtime is not here: apt-get install clang gobjc")
    path = tmp_path_factory.mktemp("shim") / "shim.so"
    runtime = runtimes[-1].parent
    done = subprocess.run(
        [
            *(clang, "-std=gnu11", "-fPIC", "-shared", "-fblocks", "-fobjc-runtime=gcc"),
            *("-Wall", "-Wextra", "-Werror", "-I", str(APPLE), "-I", str(SHIM)),
            *("-idirafter", str(runtime / "include"), "-L", str(runtime), "-o", str(path)),
            *(str(SHIM / "edge_microphone.m"), str(SHIM / "edge_ring.c")),
            *(str(APPLE / "standin.m"), str(APPLE / "blocks.c"), "-lobjc", "-lpthread", "-lm"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return declare(ctypes.CDLL(str(path)))


class Iphone:
    """The stand-ins, as a test sets and hears them."""

    def __init__(self, library) -> None:
        self.library = library
        library.standin_reset()

    def hardware(self, has_input=True, rate=RATE, channels=1, floats=True) -> None:
        self.library.standin_set_hardware(has_input, ctypes.c_double(rate), channels, floats)

    def hear(self, sound: np.ndarray, stride: int = 1) -> bool:
        sound = np.ascontiguousarray(sound, np.float32)
        pointer = sound.ctypes.data_as(ctypes.c_void_p)
        return bool(self.library.standin_hear(pointer, len(sound) // stride, stride))

    def permission(self, word: str) -> None:
        self.library.standin_set_permission(word.encode())


@pytest.fixture
def iphone(library, monkeypatch):
    monkeypatch.setattr(module, "PERMISSION_POLL_SECONDS", 0.001)
    monkeypatch.setattr(module, "WAIT_MILLISECONDS", 5)
    yield Iphone(library)
    assert library.standin_misuses() == 0


@pytest.fixture
def changes():
    return queue.Queue()


@pytest.fixture
def recorder(iphone, changes):
    recorder = StreamingRecorder(iphone.library, state_changed=changes.put)
    yield recorder
    recorder.close()


def wait_for(changes, state) -> None:
    while changes.get(timeout=PATIENCE) is not state:
        pass


def take(chunks, count: int) -> np.ndarray:
    taken = np.zeros(0, np.int16)
    while len(taken) < count:
        taken = np.concatenate([taken, next(chunks)])
    return taken


@pytest.fixture(scope="module")
def sound(speech):
    """One second of speech at the phone's rate, (48000,) float32."""
    return np.repeat(speech("female", seconds=1.0)[:16000], 3)


def in_16_bits(sound: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(sound.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)


def test_the_sound_of_the_tap_arrives_as_it_was_heard(iphone, recorder, sound):
    recorder.open()
    for begin in range(0, len(sound), 4800):
        assert iphone.hear(sound[begin : begin + 4800])
    heard = take(recorder.chunks(), len(sound))
    np.testing.assert_array_equal(heard, in_16_bits(sound))
    assert recorder.sample_rate == RATE and recorder.overruns == 0


def test_the_first_of_interleaved_channels_is_taken(iphone, recorder, sound):
    recorder.open()
    iphone.hear(np.stack([sound[:CHUNK], -sound[:CHUNK]], 1).ravel(), stride=2)
    np.testing.assert_array_equal(take(recorder.chunks(), CHUNK), in_16_bits(sound[:CHUNK]))


def test_what_is_too_loud_is_clipped_and_what_is_no_number_is_silent(iphone, recorder):
    recorder.open()
    iphone.hear(np.array([1.5, -1.5, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5], np.float32))
    assert take(recorder.chunks(), 8).tolist() == [
        *(32767, -32768, 32767, -32768, 32767, -32768, 0, 16384)
    ]


@pytest.mark.parametrize(("amplitude", "level"), [(1.0, 0.0), (0.1, -20.0), (0.0, -160.0)])
def test_the_level_is_the_mean_power_of_the_last_sound(iphone, recorder, amplitude, level):
    assert recorder.level is None
    recorder.open()
    iphone.hear(np.full(CHUNK, amplitude, np.float32))
    assert recorder.level == pytest.approx(level, abs=0.01)


def test_the_route_is_named(iphone, recorder):
    assert recorder.route == ""
    recorder.open()
    assert recorder.route == "iPhone Microphone"
    iphone.hardware(has_input=False)
    assert recorder.route == ""


@pytest.mark.parametrize(
    ("hardware", "error"),
    [
        ({"has_input": False}, MicrophoneMissing),
        ({"channels": 0}, MicrophoneMissing),
        ({"rate": 0}, MicrophoneMissing),
        ({"floats": False}, UnsupportedFormat),
    ],
)
def test_a_microphone_of_no_use_is_refused(iphone, recorder, hardware, error):
    before = iphone.library.standin_living()
    iphone.hardware(**hardware)
    with pytest.raises(error, match="connect"):
        recorder.open()
    assert recorder.state is RecorderState.FAILED
    assert iphone.library.standin_living() == before


def test_in_a_call_it_is_busy(iphone, recorder):
    iphone.library.standin_set_call(1)
    with pytest.raises(MicrophoneBusy, match="end it"):
        recorder.open()


@pytest.mark.parametrize(("word", "for_ever"), [("denied", True), ("unknown", False)])
def test_without_permission_it_does_not_open(iphone, recorder, word, for_ever):
    iphone.permission(word)
    with pytest.raises(PermissionDenied) as caught:
        recorder.open()
    assert caught.value.for_ever is for_ever


@pytest.mark.parametrize(
    ("granted", "answer"), [(True, Permission.GRANTED), (False, Permission.DENIED_FOR_EVER)]
)
def test_permission_is_asked_for_once(iphone, recorder, granted, answer):
    iphone.permission("unknown")
    answers = queue.Queue()
    recorder.request_permission(answers.put)
    assert iphone.library.standin_asked() == 1 and answers.empty()
    iphone.library.standin_answer(granted)
    assert answers.get(timeout=PATIENCE) is answer
    recorder.request_permission(answers.put)
    assert answers.get_nowait() is answer and iphone.library.standin_asked() == 1
    assert recorder.has_permission() is granted


def test_the_settings_of_the_app_are_shown(iphone, recorder):
    assert recorder.open_settings()
    assert iphone.library.standin_opened_settings() == 1


def test_paused_it_does_not_listen(iphone, recorder, sound):
    recorder.open()
    chunks = recorder.chunks()
    iphone.hear(sound[:CHUNK])
    take(chunks, CHUNK)
    recorder.pause()
    assert not iphone.hear(sound[:CHUNK])
    recorder.resume()
    assert recorder.state is RecorderState.OPEN
    assert iphone.hear(sound[CHUNK : 2 * CHUNK])
    np.testing.assert_array_equal(take(chunks, CHUNK), in_16_bits(sound[CHUNK : 2 * CHUNK]))


def test_a_call_interrupts_and_the_recording_goes_on_after_it(iphone, recorder, changes, sound):
    recorder.open()
    wait_for(changes, RecorderState.OPEN)
    chunks = recorder.chunks()
    iphone.library.standin_call(1)
    wait_for(changes, RecorderState.PAUSED)
    assert recorder.interrupted and not iphone.hear(sound[:CHUNK])
    iphone.library.standin_call(0)
    assert iphone.hear(sound[:CHUNK])
    wait_for(changes, RecorderState.OPEN)
    np.testing.assert_array_equal(take(chunks, CHUNK), in_16_bits(sound[:CHUNK]))


def test_a_pause_during_a_call_holds_after_it(iphone, recorder, changes, sound):
    recorder.open()
    iphone.library.standin_call(1)
    wait_for(changes, RecorderState.PAUSED)
    recorder.pause()
    iphone.library.standin_call(0)
    assert not iphone.hear(sound[:CHUNK])
    assert recorder.state is RecorderState.PAUSED and not recorder.interrupted
    recorder.resume()
    assert iphone.hear(sound[:CHUNK])


def test_resuming_in_a_call_is_refused_and_stays_paused(iphone, recorder):
    recorder.open()
    recorder.pause()
    iphone.library.standin_call(1)
    with pytest.raises(MicrophoneBusy, match="end it"):
        recorder.resume()
    assert recorder.state is RecorderState.PAUSED
    iphone.library.standin_call(0)
    recorder.resume()
    assert recorder.state is RecorderState.OPEN


def test_another_device_of_the_same_rate_is_followed(iphone, recorder, sound):
    recorder.open()
    iphone.library.standin_change_route(ctypes.c_double(RATE))
    assert iphone.hear(sound[:CHUNK])
    np.testing.assert_array_equal(take(recorder.chunks(), CHUNK), in_16_bits(sound[:CHUNK]))


def test_another_device_of_another_rate_loses_the_microphone(iphone, recorder, changes, sound):
    recorder.open()
    iphone.hear(sound[:CHUNK])
    iphone.library.standin_change_route(ctypes.c_double(16000.0))
    wait_for(changes, RecorderState.FAILED)
    chunks = recorder.chunks()
    take(chunks, CHUNK)  # what was heard before is kept
    with pytest.raises(MicrophoneLost, match="record again"):
        next(chunks)


def test_a_restart_of_the_sound_service_loses_the_microphone(iphone, recorder, changes):
    recorder.open()
    iphone.library.standin_restart_media()
    wait_for(changes, RecorderState.FAILED)
    assert isinstance(recorder.error, MicrophoneLost)
    recorder.open()
    assert recorder.state is RecorderState.OPEN


def test_closing_gives_the_session_back(iphone, recorder):
    recorder.open()
    assert iphone.library.standin_active()
    recorder.close()
    assert not iphone.library.standin_active()


def test_sound_that_arrives_while_it_closes_does_no_harm(iphone, recorder, sound):
    done = threading.Event()

    def hear() -> None:
        while not done.is_set():
            iphone.hear(sound[:480])

    hearing = threading.Thread(target=hear)
    hearing.start()
    for _ in range(50):
        recorder.open()
        next(recorder.chunks())
        recorder.close()
    done.set()
    hearing.join()
    assert recorder.state is RecorderState.CLOSED


def test_a_hundred_rounds_leave_no_object_and_no_thread(iphone, recorder, sound):
    recorder.open()
    recorder.close()
    objects, threads = iphone.library.standin_living(), threading.active_count()
    for _ in range(100):
        recorder.open()
        iphone.hear(sound[:CHUNK])
        recorder.pause()
        recorder.resume()
        recorder.close()
    assert iphone.library.standin_living() == objects
    assert threading.active_count() == threads


def test_a_build_with_the_shim_streams(iphone, monkeypatch):
    monkeypatch.setattr(shim_module.ctypes, "CDLL", lambda name: iphone.library)
    assert isinstance(ios_recorder(), StreamingRecorder)


def test_python_declares_every_function_of_the_header():
    header = (SHIM / "edge_microphone.h").read_text(encoding="utf-8")
    declared = {
        name: 0 if parameters == "void" else parameters.count(",") + 1
        for name, parameters in re.findall(
            r"EDGE_EXPORT \w+ (\w+)\(\s*([^)]*)\)", re.sub(r"\s+", " ", header)
        )
    }
    assert declared == {name: len(types) for name, (_, types) in FUNCTIONS.items()}


class Ring:
    """edge_ring.c by itself."""

    def __init__(self, library, capacity: int) -> None:
        self.library = library
        library.edge_ring_new.restype = ctypes.c_void_p
        self.pointer = ctypes.c_void_p(library.edge_ring_new(capacity))

    def put(self, samples: np.ndarray) -> None:
        samples = np.ascontiguousarray(samples, np.float32)
        pointer = samples.ctypes.data_as(ctypes.c_void_p)
        self.library.edge_ring_put(self.pointer, pointer, 1, len(samples))

    def take(self, count: int, wait_ms: int = 0) -> list[int]:
        samples = np.empty(count, np.int16)
        pointer = samples.ctypes.data_as(ctypes.c_void_p)
        return samples[
            : self.library.edge_ring_take(self.pointer, pointer, count, wait_ms)
        ].tolist()


@pytest.fixture
def ring(library):
    ring = Ring(library, 10)
    yield ring
    library.edge_ring_free(ring.pointer)


def test_the_ring_keeps_the_order_around_its_end(ring):
    heard, put = [], 0
    random = np.random.default_rng(1)
    for _ in range(200):
        count = int(random.integers(1, 6))
        ring.put(np.arange(put, put + count) / 32768)
        put += count
        heard += ring.take(count)
    assert heard == list(range(put))


def test_the_ring_drops_what_does_not_fit_as_a_whole_and_counts_it(ring):
    ring.put(np.full(8, 1 / 32768))
    ring.put(np.full(3, 2 / 32768))
    ring.put(np.full(2, 3 / 32768))
    assert ring.library.edge_ring_overruns(ring.pointer) == 1
    assert ring.take(10) == [1] * 8 + [3] * 2


def test_a_wait_for_the_ring_ends_by_waking_and_by_time(ring):
    ring.put(np.zeros(2))
    ring.library.edge_ring_wake(ring.pointer)
    assert ring.take(5, wait_ms=60_000) == [0, 0]
    assert ring.take(5, wait_ms=1) == []
