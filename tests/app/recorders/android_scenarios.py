"""What happens to the recorder on a phone. Runs in a process with a Java machine: see `jvm.py`.

Each scenario sets the phone up, drives an AndroidRecorder, and returns what was seen as plain data.
"""

from __future__ import annotations

import gc
import itertools
import os
import queue
import sys
import threading
import types
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SAMPLE_RATE = 16000
PATIENCE = 10.0  # seconds until something that never came is given up


def start_machine(classes: str, p4a: str | None) -> None:
    """Once in the process, before anything imports jnius."""
    import jnius_config

    jnius_config.set_classpath(classes)
    jnius_config.add_options("-Xmx64m", "-Xrs", "-XX:+UseSerialGC")
    if p4a is not None:
        _offer_python_for_android(Path(p4a))


def _offer_python_for_android(source: Path) -> None:
    """Its module `android` is compiled for a phone; android.permissions is plain Python in it."""
    package = types.ModuleType("android")
    package.__path__ = [str(source)]
    config = types.ModuleType("android.config")
    config.ACTIVITY_CLASS_NAME = "org.kivy.android.PythonActivity"
    config.ACTIVITY_CLASS_NAMESPACE = "org/kivy/android/PythonActivity"
    sys.modules["android"] = package
    sys.modules["android.config"] = config


@dataclass
class Seen:
    """What a recording came to."""

    sound: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int16))
    lengths: list[int] = field(default_factory=list)
    sample_rate: int = 0
    states: list[str] = field(default_factory=list)
    error: str = ""
    message: str = ""
    overruns: int = 0
    log: list[str] = field(default_factory=list)
    unreleased: int = 0
    more: dict = field(default_factory=dict)


class Phone:
    """The Java class phone.Phone, reset; and a recorder on it whose states are kept."""

    latest: Phone | None = None

    def __init__(self, **settings) -> None:
        from jnius import autoclass

        if Phone.latest is not None:
            Phone.latest.recorder.close()  # that of a scenario that failed is open
        Phone.latest = self
        self.java = autoclass("phone.Phone")
        self.java.reset()
        for name, value in settings.items():
            if name == "sdk":
                self.java.setSdk(value)
            elif name == "rates":
                self.java.allowRates(value)
            elif name == "sources":
                self.java.allowSources(value)
            elif name == "failures":
                for read, code in value.items():
                    self.java.failAt(read, code)
            else:
                setattr(self.java, name, value)
        from app.recorders.android import AndroidRecorder

        self.changes: queue.Queue = queue.Queue()
        self.states: list[str] = []
        self.recorder = AndroidRecorder(state_changed=self._changed)
        self.chunks: list[np.ndarray] = []
        self.error: Exception | None = None
        self._enough = threading.Condition()
        self._reader: threading.Thread | None = None

    def _changed(self, state) -> None:
        self.states.append(state.name)
        self.changes.put(state.name)

    def wait_for(self, state: str) -> None:
        while self.changes.get(timeout=PATIENCE) != state:
            pass

    def play(self, sound: np.ndarray, heard: int | None = None) -> None:
        pcm = sound.astype(np.int16).tobytes()
        self.java.play(pcm, len(pcm) if heard is None else 2 * heard)

    def read_in_background(self) -> None:
        chunks = self.recorder.chunks()

        def read() -> None:
            from app.recorders import RecorderError

            try:
                for chunk in chunks:
                    with self._enough:
                        self.chunks.append(chunk)
                        self._enough.notify_all()
            except RecorderError as error:
                self.error = error
            with self._enough:
                self._enough.notify_all()

        self._reader = threading.Thread(target=read)
        self._reader.start()

    def wait_for_samples(self, count: int) -> None:
        with self._enough:
            done = self._enough.wait_for(lambda: self.count >= count, timeout=PATIENCE)
        assert done, f"{self.count} samples of {count}; {self.error!r}; {self.java.log()}"

    @property
    def count(self) -> int:
        return sum(map(len, self.chunks))

    def seen(self, **more) -> Seen:
        """Closes the recorder, and tells."""
        overruns_before = self.recorder.overruns
        self.recorder.close()
        if self._reader is not None:
            self._reader.join()
        assert self.recorder.overruns == overruns_before
        return Seen(
            sound=np.concatenate([np.zeros(0, np.int16), *self.chunks]),
            lengths=[len(chunk) for chunk in self.chunks],
            sample_rate=self.recorder._sample_rate,
            states=self.states,
            error=type(self.error).__name__ if self.error else "",
            message=str(self.error) if self.error else "",
            overruns=self.recorder.overruns,
            log=[line for line in self.java.log().split("\n") if line],
            unreleased=self.java.unreleased(),
            more=more,
        )


def record(sound: np.ndarray, **settings) -> Seen:
    """Records all of a sound, then closes; or what came before the recorder failed."""
    phone = Phone(**settings)
    phone.play(sound)
    from app.recorders import RecorderError

    try:
        phone.recorder.open()
    except RecorderError as error:
        phone.error = error
        return phone.seen(
            state=phone.recorder.state.name, for_ever=getattr(error, "for_ever", None)
        )
    phone.read_in_background()
    if "failures" in settings and set(settings["failures"].values()) != {-6}:
        phone.wait_for("FAILED")
        return phone.seen(state=phone.recorder.state.name, kept=str(phone.recorder.error))
    whole = len(sound) - len(sound) % 800 if phone.recorder.sample_rate == 16000 else len(sound)
    phone.wait_for_samples(whole)
    return phone.seen()


def record_by_copies(sound: np.ndarray, **settings) -> Seen:
    """As `record`, where no memory of Java's can be seen."""
    from app.recorders.android import sound as module
    from app.recorders.android.direct_buffer import NoDirectBuffer

    def refuse(length):
        raise NoDirectBuffer("not here")

    direct, module.DirectSound = module.DirectSound, refuse
    try:
        return record(sound, **settings)
    finally:
        module.DirectSound = direct


def sound_of_each_kind(sound: np.ndarray) -> dict:
    """Which class reads, and whether its chunk stays as it is when the next one is read."""
    phone = Phone()
    phone.play(sound)
    from app.recorders.android.microphone import AudioRecordMicrophone
    from app.recorders.android.sound import CopiedSound, DirectSound, best_sound

    manager = phone.recorder._audio_manager
    kinds = {}
    for kind in (DirectSound, CopiedSound):
        phone.java.play(sound.tobytes(), 2 * len(sound))
        microphone = AudioRecordMicrophone((SAMPLE_RATE,), manager, 34)
        reader = kind(800)
        chunks = [reader.taken(reader.read(microphone._record)) for _ in range(3)]
        kinds[kind.__name__] = chunks
        microphone.release()
    return {"best": type(best_sound(800)).__name__, **kinds}


def record_as_sdl_tells(library: str, getter: str) -> dict:
    """Where pyjnius does not tell its machine, as in python-for-android's release, SDL does."""
    import jnius

    from app.recorders.android import direct_buffer
    from app.recorders.android.sound import best_sound

    Phone()  # attaches this thread
    environment = direct_buffer._environment()
    asked = []

    def load(name):
        asked.append(name)
        if name != library:
            raise OSError(f"{name}: not found")
        return types.SimpleNamespace(**{getter: Getter()})

    class Getter:
        def __call__(self):
            return environment

    tells = jnius.get_jni_java_vm
    real = direct_buffer.ctypes
    try:
        del jnius.get_jni_java_vm
        direct_buffer.ctypes = types.SimpleNamespace(**{**vars(real), "CDLL": load})
        kind = type(best_sound(800)).__name__
    finally:
        jnius.get_jni_java_vm = tells
        direct_buffer.ctypes = real
    return {"kind": kind, "asked": asked}


def die_without_revival(sound: np.ndarray) -> Seen:
    """The sound service dies, and another app has the microphone then."""
    phone = Phone(failures={3: -6})
    phone.play(sound, heard=0)
    phone.recorder.open()
    phone.java.busy = True
    phone.java.hear(2 * len(sound))
    phone.read_in_background()
    phone.wait_for("FAILED")
    return phone.seen()


def die_again_and_again(sound: np.ndarray) -> Seen:
    phone = Phone(failures=dict.fromkeys(range(1, 10), -6))
    phone.play(sound)
    phone.recorder.open()
    phone.read_in_background()
    phone.wait_for("FAILED")
    return phone.seen(made=phone.java.made())


def pause_and_resume(sound: np.ndarray) -> Seen:
    """What is heard in a pause is not in the recording."""
    phone = Phone()
    phone.play(sound, heard=3200)
    recorder = phone.recorder
    recorder.open()
    phone.read_in_background()
    phone.wait_for_samples(3200)
    recorder.pause()
    recorder.pause()
    paused = recorder.state.name
    phone.java.passBy(3200)
    recorder.resume()
    recorder.resume()
    phone.java.hear(3200)
    phone.wait_for_samples(4800)
    return phone.seen(paused=paused, resumed=recorder.state.name)


def resume_at_once_a_hundred_times(sound: np.ndarray) -> Seen:
    phone = Phone()
    phone.play(sound)
    phone.recorder.open()
    phone.read_in_background()
    for _ in range(100):
        phone.recorder.pause()
        phone.recorder.resume()
    state = phone.recorder.state.name
    phone.wait_for_samples(len(sound))
    return phone.seen(state=state)


def be_interrupted(sound: np.ndarray, sdk: int, busy_at_first: int = 0) -> Seen:
    """A call takes the focus and gives it back."""
    from app.recorders.android import recorder as module

    watch, module.WATCH_SECONDS = module.WATCH_SECONDS, 0.01
    try:
        phone = Phone(sdk=sdk)
        phone.play(sound, heard=1600)
        phone.recorder.open()
        phone.wait_for("OPEN")
        phone.read_in_background()
        phone.wait_for_samples(1600)
        phone.java.changeFocus(-3)  # to be ducked: nothing to do
        phone.java.changeFocus(-2)
        phone.wait_for("PAUSED")
        interrupted = phone.recorder.interrupted
        phone.java.refusedStarts = busy_at_first
        phone.java.changeFocus(1)
        phone.wait_for("OPEN")
        phone.java.hear(3200)
        phone.wait_for_samples(3200)
        return phone.seen(interrupted=interrupted, after=phone.recorder.interrupted)
    finally:
        module.WATCH_SECONDS = watch


def lose_the_focus_for_long(sound: np.ndarray) -> Seen:
    """Another app plays: the recording waits for its owner."""
    phone = Phone()
    phone.play(sound, heard=1600)
    phone.recorder.open()
    phone.read_in_background()
    phone.wait_for_samples(1600)
    phone.java.changeFocus(-1)
    phone.wait_for("PAUSED")
    interrupted = phone.recorder.interrupted
    phone.java.changeFocus(1)
    still = phone.recorder.state.name
    phone.recorder.resume()
    phone.java.hear(3200)
    phone.wait_for_samples(3200)
    return phone.seen(interrupted=interrupted, still=still)


def pause_in_an_interruption(sound: np.ndarray) -> Seen:
    """What the owner wants holds after the call."""
    phone = Phone()
    phone.play(sound, heard=1600)
    phone.recorder.open()
    phone.read_in_background()
    phone.wait_for_samples(1600)
    phone.java.changeFocus(-2)
    phone.wait_for("PAUSED")
    phone.recorder.pause()
    listens = phone.java.changeFocus(1)
    state = phone.recorder.state.name
    return phone.seen(state=state, interrupted=phone.recorder.interrupted, listens=listens)


def resume_in_a_call(sound: np.ndarray) -> Seen:
    from app.recorders import MicrophoneBusy

    phone = Phone()
    phone.play(sound, heard=1600)
    recorder = phone.recorder
    recorder.open()
    phone.read_in_background()
    phone.wait_for_samples(1600)
    refusals = []
    recorder.pause()
    for setting, value in (("grantsFocus", False), ("refusedStarts", 1)):
        setattr(phone.java, setting, value)
        try:
            recorder.resume()
        except MicrophoneBusy as error:
            refusals.append((str(error), recorder.state.name))
        phone.java.grantsFocus = True
    recorder.resume()
    phone.java.hear(1600)
    phone.wait_for_samples(2400)
    return phone.seen(refusals=refusals)


def be_silenced(sound: np.ndarray) -> Seen:
    """Android gives silence to all but the app of more weight."""
    from app.recorders.android import recorder as module

    watch, module.WATCH_SECONDS = module.WATCH_SECONDS, -1.0
    try:
        phone = Phone()
        phone.play(sound, heard=1600)
        phone.recorder.open()
        phone.wait_for("OPEN")
        phone.read_in_background()
        phone.wait_for_samples(1600)
        phone.java.silenced = True
        phone.java.route = "Headset"
        phone.java.hear(1600)
        phone.wait_for("PAUSED")
        interrupted, route = phone.recorder.interrupted, phone.recorder.route
        phone.java.silenced = False
        phone.java.hear(1600)
        phone.wait_for("OPEN")
        phone.java.hear(3200)
        phone.wait_for_samples(4000)
        return phone.seen(interrupted=interrupted, route=route)
    finally:
        module.WATCH_SECONDS = watch


def fall_silent_for_ever(sound: np.ndarray) -> Seen:
    from app.recorders.android import recorder as module

    reads, module.SILENT_READS = module.SILENT_READS, 3
    try:
        phone = Phone()
        phone.play(sound, heard=1600)
        phone.recorder.open()
        phone.read_in_background()
        phone.wait_for_samples(1600)
        phone.java.longestRead = 0
        phone.java.hear(3200)
        phone.wait_for("FAILED")
        return phone.seen()
    finally:
        module.SILENT_READS = reads


def be_late(sound: np.ndarray, gaps: list[float]) -> Seen:
    """So many seconds pass between the end of one read and the beginning of the next."""
    from app.recorders.android import microphone as module

    moments = itertools.accumulate(each for gap in gaps for each in (0.05, gap))
    clock = types.SimpleNamespace(monotonic=lambda: next(moments, 1000.0))
    real, module.time = module.time, clock
    try:
        phone = Phone()
        phone.play(sound, heard=800 * (len(gaps) + 1))
        phone.recorder.open()
        phone.read_in_background()
        phone.wait_for_samples(800 * (len(gaps) + 1))
        return phone.seen()
    finally:
        module.time = real


def let_nobody_read(sound: np.ndarray) -> Seen:
    phone = Phone()
    phone.play(sound)
    recorder = phone.recorder
    recorder.open()
    dropped = (len(sound) - 10 * SAMPLE_RATE) // 800
    while recorder._queue.dropped < dropped:  # until it has all been heard
        threading.Event().wait(0.001)
    phone.read_in_background()
    return phone.seen()


def close_from_many_threads(sound: np.ndarray) -> Seen:
    phone = Phone()
    phone.play(sound, heard=1600)
    phone.recorder.open()
    phone.read_in_background()
    phone.wait_for_samples(1600)  # and now the recording thread waits in a read
    closers = [threading.Thread(target=phone.recorder.close) for _ in range(8)]
    for each in closers:
        each.start()
    for each in closers:
        each.join()
    return phone.seen(state=phone.recorder.state.name)


def open_and_close(sound: np.ndarray, rounds: int) -> dict:
    """What grows from round to round."""
    from app.recorders.android import AndroidRecorder

    phone = Phone()

    def one_round() -> None:
        recorder = AndroidRecorder()  # the app makes one for each recording
        phone.play(sound)
        recorder.open()
        heard = 0
        for chunk in recorder.chunks():
            heard += len(chunk)
            if heard >= len(sound):
                break
        recorder.pause()
        recorder.resume()
        recorder.close()

    def count() -> dict:
        gc.collect()
        return {
            "resident": _resident_bytes(),
            "blocks": sys.getallocatedblocks(),
            "heap": phone.java.heap(),
            "java_threads": phone.java.threads(),
            "python_threads": threading.active_count(),
            "files": len(os.listdir("/proc/self/fd")),
            "unreleased": phone.java.unreleased(),
        }

    for _ in range(200):
        one_round()
    count()
    before = count()
    for _ in range(rounds):
        one_round()
    after = count()
    return {"before": before, "after": after, "rounds": phone.java.made()}


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def ask_for_permission(answers: list[tuple[bool, bool, bool]], sdk: int = 34) -> dict:
    """answers: whether it is granted, whether Android then sees a reason to explain, and whether
    the question is interrupted instead."""
    phone = Phone(granted=False, sdk=sdk)
    recorder = phone.recorder
    heard: list[str] = []
    explained = []
    for granted, rationale, interrupted in answers:
        explained.append(recorder.should_explain())
        recorder.request_permission(lambda answer: heard.append(answer.name))
        if phone.java.questions():
            phone.java.rationale = rationale
            phone.java.answer(granted, interrupted)
    return {
        "answers": heard,
        "explained": explained,
        "has_permission": recorder.has_permission(),
        "open": record_error(recorder),
    }


def record_error(recorder) -> str:
    from app.recorders import RecorderError

    try:
        with recorder:
            return ""
    except RecorderError as error:
        return f"{type(error).__name__} {getattr(error, 'for_ever', '')} {error}"


def show_settings() -> list[str]:
    phone = Phone()
    assert phone.recorder.open_settings()
    return phone.seen().log


def members_of(names: list[str]) -> dict[str, list[str]]:
    """The public members that classes declare, as Java describes them, by reflection."""
    from jnius import find_javaclass

    members = {}
    for name in names:
        found = find_javaclass(name)
        members[name] = [
            each.toString()
            for kind in (
                found.getDeclaredFields(),
                found.getDeclaredConstructors(),
                found.getDeclaredMethods(),
            )
            for each in kind
        ]
    return members
