"""Cold start: a process from its beginning to its end, beside imports of what others would need."""

from __future__ import annotations

import subprocess
import sys
import wave
from importlib.metadata import version

import numpy as np
import pytest

from benchmarks.environment import ROOT
from benchmarks.sound import voice
from edge.recognizer import Recognizer

START = "Cold start: a process from start to end"
IMPORTS = "Import: a process from start to end"
ROUNDS = 15

PREDICT = """
import sys
from edge import Recognizer
print(Recognizer(sys.argv[1]).predict(sys.argv[2]).emotion)
"""
LIBROSA = """
import sys
import librosa
samples, rate = librosa.load(sys.argv[2], sr=16000)
print(librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=40, n_fft=1024, hop_length=256).shape)
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A WAV file of 16 kHz, 16-bit, mono."""
    path = tmp_path_factory.mktemp("start") / "voice.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16000)
        writer.writeframes(np.rint(voice(16000) * 32767).astype("<i2").tobytes())
    return path


def process(code: str, *arguments: object):
    """A call that runs Python once and gives what it printed."""
    command = [sys.executable, "-c", code, *map(str, arguments)]

    def call() -> str:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    return call


def printed(wanted: str, finding: str):

    def check(output: str) -> str:
        assert output == wanted, f"printed {output!r} instead of {wanted!r}"
        return finding

    return check


def bench_first_prediction(compare, bundle, clip):
    emotion = Recognizer(bundle).predict(clip).emotion
    compare(
        START, "edge, to the first prediction", process(PREDICT, bundle.folder, clip),
        printed(emotion, "prints the emotion"), baseline=True, rounds=ROUNDS,
        note="verifies the bundle, reads a WAV file of 3 s, runs every stage",
    )


def bench_numpy(compare):
    compare(
        START, 'python -c "import numpy"', process("import numpy; print(numpy.__version__)"),
        printed(version("numpy"), "prints the version"), rounds=ROUNDS,
        note="the floor of everything that uses numpy",
    )


def bench_librosa_features(compare, bundle, clip):
    pytest.importorskip("librosa")
    compare(
        START, "librosa, to the first MFCCs", process(LIBROSA, bundle.folder, clip),
        printed("(40, 188)", "prints their shape"), rounds=ROUNDS,
        note="reads the same file; features alone, no gender, no emotion",
    )


def bench_import_edge(compare):
    code = "import edge, sys; print(edge.__name__, 'numpy' in sys.modules)"
    compare(
        IMPORTS, "import edge", process(code), printed("edge False", "prints its name"),
        baseline=True, rounds=ROUNDS, note="names load at first use, so numpy is not there yet",
    )


@pytest.mark.parametrize(
    ("name", "code", "note"),
    [
        ("python alone", "print('done')", "what the others include"),
        ("from edge import Recognizer", "from edge import Recognizer; print('done')",
         "with numpy and the kernels, without interpreter and models"),
        ("import numpy", "import numpy; print('done')", ""),
        ("import librosa", "import librosa; print('done')", "its parts load at first use, too"),
        ("import sklearn.mixture", "import sklearn.mixture; print('done')", ""),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def bench_import(compare, name, code, note):
    module = name.split()[1].split(".")[0]
    if module in ("librosa", "sklearn"):
        pytest.importorskip(module)
    compare(
        IMPORTS, name, process(code), printed("done", "ends well"), rounds=ROUNDS, note=note
    )
