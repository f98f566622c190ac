"""Makes the sample clips in `examples/clips` with the speech synthesiser espeak-ng.

    python examples/make_clips.py [FOLDER]

Each clip is one espeak-ng command, printed as it runs, whose 22.05 kHz output is then resampled
to 16 kHz mono 16-bit PCM. The same version of espeak-ng makes the same clips.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge import read_audio, to_mono_16k

CLIPS = Path(__file__).parent / "clips"


@dataclass(frozen=True)
class Recipe:
    """One clip: who says what, and how."""

    name: str
    voice: str  # a language and a speaker variant of espeak-ng
    pitch: int  # 0 to 99, 50 is the voice's own
    words_per_minute: int
    amplitude: int  # 0 to 200, 100 is normal
    text: str

    def command(self, output: Path) -> list[str]:
        return [
            *("espeak-ng", "-v", self.voice, "-p", str(self.pitch)),
            *("-s", str(self.words_per_minute), "-a", str(self.amplitude)),
            *("-w", str(output), self.text),
        ]


RECIPES = (
    Recipe("female_plain", "en-us+f2", 45, 150, 80, "The kettle is on the table by the window."),
    Recipe("male_plain", "en-us+m3", 40, 150, 80, "The kettle is on the table by the window."),
    Recipe("female_lively", "en-us+f5", 90, 200, 160, "I never thought you would come back today!"),
    Recipe("male_loud", "en-us+m1", 70, 210, 190, "I told you three times not to touch that!"),
    Recipe("female_slow", "en-gb+f3", 20, 125, 40, "Nobody has called since summer."),
    Recipe("male_slow", "en-gb+m7", 15, 125, 40, "Nobody has called since summer."),
)


def synthesise(recipe: Recipe, folder: Path) -> Path:
    """Writes one clip and returns its path."""
    with tempfile.TemporaryDirectory() as scratch:
        spoken = Path(scratch, "spoken.wav")
        command = recipe.command(spoken)
        print(shlex.join(command))
        subprocess.run(command, check=True)
        samples = to_mono_16k(*read_audio(spoken))  # (n,) float32
    path = folder / f"{recipe.name}.wav"
    with wave.open(str(path), "wb") as clip:
        clip.setnchannels(1)
        clip.setsampwidth(2)
        clip.setframerate(16000)
        clip.writeframes(np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2").tobytes())
    return path


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CLIPS
    folder.mkdir(parents=True, exist_ok=True)
    for recipe in RECIPES:
        synthesise(recipe, folder)


if __name__ == "__main__":
    main()
