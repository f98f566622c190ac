"""`edge-ser listen`, without a microphone, and with PulseAudio's."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import edge
from edge import cli
from edge.bundle import DEFAULT_BUNDLE
from edge.cli.panel import Meter
from edge.features import EmotionFeatures, FrontEnd
from edge.prosody import Prosody
from edge.recognizer import Recognizer
from edge.voice import Voice
from tests.edge.bundles import learning_prosody_arrays
from tests.edge.fake_portaudio import FakePortAudio
from tests.edge.fakes import FixedExpert, FixedGate
from tests.edge.test_recognizer import recognizer_of
from tests.miniature_corpora import write_wav

CLIPS = Path(__file__).parents[2] / "examples" / "clips"


@pytest.fixture
def portaudio(monkeypatch, speech):
    """Speech, a pause, other speech; always recognised as an angry woman."""
    pause = np.zeros(24000, np.float32)
    sound = [speech("female", "angry", seconds=3.0), pause, speech("male", seconds=2.0), pause]
    fake = FakePortAudio(np.concatenate(sound))
    logits = [0, 0, 0, 1, 3, 0, 0, 0]
    recognizer = Recognizer.from_parts(
        front_end=FrontEnd(),
        emotion_features=EmotionFeatures(),
        gate=FixedGate(0.9),
        experts={"female": FixedExpert(logits), "male": FixedExpert(logits)},
    )
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(edge, "Recognizer", lambda bundle: recognizer, raising=False)
    fake.recognizer = recognizer
    return fake


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True

    def screen(self) -> list[str]:
        """The lines that stand on the terminal, escape sequences obeyed."""
        lines, row = [""], 0
        for part in re.split(r"(\033\[[?\d]*[a-zA-Z]|\n)", self.getvalue()):
            if part == "\n":
                row += 1
                if row == len(lines):
                    lines.append("")
            elif part.endswith("A") and part.startswith("\033"):
                row -= int(part[2:-1])
                assert row >= 0
            elif part == "\033[J":
                lines = [*lines[:row], ""]
            elif not part.startswith("\033"):
                lines[row] += part
        return lines


def test_segments_are_lines_and_the_end_a_summary(portaudio, capsys):
    assert cli.main(["listen", "--seconds", "8"]) == 0
    out, err = capsys.readouterr()
    expected = portaudio.recognizer.timeline(portaudio.sound, 16000).segments
    *segments, summary, share = out.splitlines()
    assert len(segments) == len(expected) == 2
    assert all("female" in line and "angry" in line for line in segments)
    assert summary.startswith("heard 0:08.0, of it speech 0:0")
    assert summary.endswith("in 2 turns; over-runs: 0")
    assert share.split()[0] == "angry" and share.endswith("100.0 %")
    assert "listening to Built-in Microphone" in err


def test_a_voice_is_learnt_turn_by_turn_and_kept(portaudio, capsys, monkeypatch, tmp_path):
    experts = {gender: FixedExpert([0, 0, 0, 1, 3, 0, 0, 0]) for gender in ("female", "male")}
    recognizer = recognizer_of(
        FixedGate(0.9), experts, prosody=Prosody(learning_prosody_arrays())
    )
    monkeypatch.setattr(edge, "Recognizer", lambda bundle: recognizer, raising=False)
    path = tmp_path / "me.json"
    listen = ["listen", "--seconds", "8", "--voice", str(path)]
    assert cli.main(listen) == 1  # it is made by --learn alone
    for clips in (2, 4):
        assert cli.main([*listen, "--learn"]) == 0
        assert Voice.load(path).usual.clips == clips
    kept = path.read_bytes()
    assert cli.main(listen) == 0
    assert cli.main(["listen", "--seconds", "8", "--learn"]) == 0  # for this session alone
    assert path.read_bytes() == kept and len(list(tmp_path.iterdir())) == 1


def test_a_device_that_stops_is_told_after_the_summary(portaudio, capsys):
    assert cli.main(["listen"]) == 1
    out, err = capsys.readouterr()
    assert "heard 0:08.0" in out
    assert err.splitlines()[-1].startswith("edge-ser: Built-in Microphone stopped by itself")


def test_ctrl_c_ends_with_the_summary_and_what_was_unfinished(portaudio, capsys, monkeypatch):
    from edge.microphone import Microphone

    whole = Microphone.__iter__

    def interrupted(microphone):
        for number, block in enumerate(whole(microphone)):
            if number == 40:
                raise KeyboardInterrupt
            yield block

    monkeypatch.setattr(Microphone, "__iter__", interrupted)
    assert cli.main(["listen"]) == 0
    segment, summary, _ = capsys.readouterr().out.splitlines()
    assert "angry" in segment and summary.startswith("heard 0:02.0")


def test_over_runs_are_shown(portaudio, capsys):
    portaudio.overflows = (5, 6)
    assert cli.main(["listen", "--seconds", "8"]) == 0
    assert "over-runs: 2" in capsys.readouterr().out
    assert cli.main(["listen", "--seconds", "8", "--format", "jsonl"]) == 0
    out, err = capsys.readouterr()
    assert "over-runs: 2" in err and "over-runs" not in out


def test_jsonl_is_every_event_of_the_stream(portaudio, capsys):
    assert cli.main(["listen", "--seconds", "8", "--format", "jsonl", "--interval", "1"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    with portaudio.recognizer.stream(16000, interval=1.0) as stream:
        stream.accept_waveform(portaudio.sound)
    assert events == [json.loads(json.dumps(event.to_dict())) for event in stream.poll()]


def test_a_terminal_shows_a_panel_that_gives_way_to_segments(portaudio, capsys, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    panels = []
    flush = terminal.flush
    monkeypatch.setattr(terminal, "flush", lambda: (panels.append(terminal.screen()), flush()))
    assert cli.main(["listen", "--seconds", "8"]) == 0
    texts = ["\n".join(panel) for panel in panels]
    assert "level" in texts[0] and "waiting for speech" in texts[0]
    speaking = next(text for text in texts if "speaking" in text and "angry" in text)
    assert "Built-in Microphone, 16000 Hz" in speaking and "over-runs: 0" in speaking
    assert re.search(r"female +█+.* 90\.0 %", speaking) and re.search(r"angry +█+", speaking)
    assert max(len(panel) for panel in panels) <= 2 + 13  # segments and one panel
    final = terminal.screen()
    assert [line for line in final if line and "level" in line] == []
    assert final[0].strip().startswith("0:00.") and "heard 0:08.0" in "\n".join(final)
    hidden, shown = terminal.getvalue().count("\033[?25l"), terminal.getvalue().count("\033[?25h")
    assert hidden == shown == 1


@pytest.mark.parametrize(("columns", "lines"), [(40, 24), (80, 6)])
def test_the_panel_fits_a_small_terminal(portaudio, monkeypatch, columns, lines):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    panels = []
    flush = terminal.flush
    monkeypatch.setattr(terminal, "flush", lambda: (panels.append(terminal.screen()), flush()))
    assert cli.main(["listen", "--seconds", "2.5"]) == 0
    drawn = [panel for panel in panels if any("level" in line for line in panel)]
    assert any("angry" in line for line in drawn[-1]) or lines < 8
    assert all(len(line) < columns for panel in drawn for line in panel)
    assert all(len(panel) <= lines for panel in drawn)


def test_the_cursor_comes_back_after_an_error(portaudio, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    portaudio.refuses = "Device unavailable"
    assert cli.main(["listen"]) == 1
    assert terminal.getvalue().endswith("\033[?25h")


def test_devices_are_listed(portaudio, capsys):
    assert cli.main(["listen", "--list-devices"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "*   1  Built-in Microphone  (Fake Audio, 16000 Hz)"
    assert second == r"    2  Head\x1bset  (Fake Audio, 16000 Hz)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "none"], "no input 'none' was found"),
        (["--rate", "4000"], "4000 Hz"),
    ],
)
def test_what_cannot_be_served_is_one_line(portaudio, capsys, arguments, message):
    assert cli.main(["listen", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and message in err


@pytest.mark.parametrize(
    "arguments", [["--interval", "9"], ["--interval", "nan"], ["--seconds", "0"], ["talk.wav"]]
)
def test_a_wrong_command_line_is_told_before_the_microphone_opens(portaudio, capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(["listen", *arguments])
    assert stop.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_the_meter_rises_at_once_and_falls_slowly():
    meter = Meter()
    meter.update(np.full(800, 0.5, np.float32), 0.05)
    assert meter.db == pytest.approx(-6.02, abs=0.01) and not meter.clipped
    meter.update(np.zeros(800, np.float32), 0.10)
    assert -8.0 < meter.db < -6.02
    meter.update(np.zeros(800, np.float32), 60.0)
    assert meter.db == -60.0
    meter.update(np.ones(800, np.float32), 60.05)
    assert meter.db == 0.0 and meter.clipped


@pytest.fixture
def pulseaudio(tmp_path):
    """The environment of a PulseAudio server of its own, whose microphone hears `speech`."""
    for program in ("pulseaudio", "paplay", "pactl"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (make system-deps)")
    try:
        import sounddevice  # noqa: F401
    except ImportError:
        pytest.skip("sounddevice is not installed")
    except OSError as error:
        pytest.skip(f"{error} (make system-deps)")
    socket = tmp_path / "pulse"
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_RUNTIME_PATH": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_SOURCE": "speech.monitor",
        "PULSE_SINK": "speech",
    }
    environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
    server = subprocess.Popen(
        [
            *("pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"),
            *("--disable-shm=true", "--log-target=stderr"),
            f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1",
            "--load=module-null-sink sink_name=speech rate=48000 channels=1",
        ],
        env={k: v for k, v in environment.items() if k not in ("PULSE_SERVER", "PULSE_SOURCE")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            asked = subprocess.run(
                ["pactl", "info"], env=environment, capture_output=True, check=False
            )
            if asked.returncode == 0:
                break
            try:
                server.wait(0.1)
                pytest.skip("pulseaudio did not start")
            except subprocess.TimeoutExpired:
                pass
        yield environment
    finally:
        server.terminate()
        server.wait()


@pytest.mark.alone
def test_listening_to_pulseaudio_in_real_time(pulseaudio, tiny_bundle, tmp_path):
    samples, rate = edge.read_audio(CLIPS / "male_plain.wav")
    sound = np.concatenate([samples[:, 0], samples[:, 0], np.zeros(2 * rate, np.float32)])
    (expected,) = Recognizer(tiny_bundle).timeline(sound, rate).turns
    events = heard_by_listen(pulseaudio, tiny_bundle, sound, rate, tmp_path)
    assert events[0]["kind"] == "turn_started"
    turn = events[-1]["turn"]
    # Where it begins depends on the noise floor before, and a busy machine loses sound.
    assert turn["end"] - turn["start"] == pytest.approx(expected.duration, rel=0.5)
    assert turn["gender"] in ("female", "male") and turn["segments"]
    heard = [event["window"] for event in events if event["kind"] == "decision"]
    assert len(heard) >= 4
    assert events[-1]["time"] - turn["end"] == pytest.approx(1.0, abs=0.3)  # the pause


@pytest.mark.alone
@pytest.mark.parametrize("actor", ["16", "15"])  # speakers that the models were not trained on
def test_a_real_speaker_is_heard_by_pulseaudio_and_the_gender_told(
    pulseaudio, corpora, actor, tmp_path
):
    if not DEFAULT_BUNDLE.is_dir():
        pytest.skip("the models that ship are not here")
    clips = sorted((corpora / "ravdess" / f"Actor_{actor}").glob("03-01-05-02-*-01-*"))
    if not clips:
        pytest.skip(f"no clips of RAVDESS's actor {actor} are here")
    sounds = [edge.read_audio(clip) for clip in clips]
    rate = sounds[0][1]
    sound = np.concatenate([s[:, 0] for s, _ in sounds] + [np.zeros(2 * rate, np.float32)])
    turns = [event["turn"] for event in heard_by_listen(
        pulseaudio, DEFAULT_BUNDLE, sound, rate, tmp_path
    ) if event["kind"] == "turn_ended"]  # fmt: skip
    known = [turn for turn in turns if turn["gender"] is not None]
    assert known
    for turn in known:
        assert turn["gender"] == ("male" if int(actor) % 2 else "female")
        assert turn["gender_posterior"] > 0.9


def heard_by_listen(environment, bundle, sound, rate, folder) -> list[dict]:
    """What `edge-ser listen` tells while the sound, mono of full scale 1, is played once.

    Up to the end of the turn in which the playing ends.
    """
    path = folder / "speech.wav"
    write_wav(path, sound, rate)
    listener = subprocess.Popen(
        [
            *(sys.executable, "-m", "edge", "listen", "--bundle", str(bundle)),
            *("--device", "pulse", "--rate", "48000", "--format", "jsonl"),
        ],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        # A shell's background job, such as these tests may be, has it ignored for all its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    at_the_latest = threading.Timer(90.0, listener.kill)
    at_the_latest.start()
    try:
        _wait_until_recording(listener, environment)
        subprocess.run(["paplay", str(path)], env=environment, check=True, timeout=60)
        events = []
        # The sound ends with silence, in which the last turn is told to have ended.
        spoken = (len(sound) / rate - 2.0) * 0.5
        while not events or events[-1]["kind"] != "turn_ended" or events[-1]["time"] < spoken:
            line = listener.stdout.readline()
            assert line, listener.stderr.read()
            events.append(json.loads(line))
        listener.send_signal(signal.SIGINT)
        _, err = listener.communicate(timeout=20)
    finally:
        at_the_latest.cancel()
        listener.kill()
        listener.wait()
    assert listener.returncode == 0, err
    assert re.fullmatch(r"(edge-ser: over-runs: \d+; .*\n)?", err)  # on a machine that is busy
    return events


def _wait_until_recording(listener, environment) -> None:
    for _ in range(300):
        listed = subprocess.check_output(
            ["pactl", "list", "short", "source-outputs"], env=environment, text=True
        )
        if listed.strip():
            return
        try:
            listener.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"listen ended: {listener.stderr.read()}")
    pytest.fail("nothing recorded within 30 s")
