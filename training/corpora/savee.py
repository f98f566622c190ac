"""SAVEE, Surrey's audio-visual expressed emotion database (Haq & Jackson 2010): four English men.

Official layout: `AudioData/DC/sa01.wav`; redistributions flatten it to `DC_sa01.wav`.
"""

from __future__ import annotations

import re
from pathlib import Path

from training.corpora.clip import Clip
from training.corpora.listing import Findings, find_folder, folders_in, sounds_in

EMOTIONS = {
    "a": "angry",
    "d": "disgust",
    "f": "fearful",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprised",
}
SPEAKERS = ("DC", "JE", "JK", "KL")

_SPEAKER = rf"(?:{'|'.join(SPEAKERS)})"
_NAME = re.compile(r"(?P<emotion>sa|su|a|d|f|h|n)(?P<number>\d\d)", re.IGNORECASE)
_FLAT_NAME = re.compile(rf"(?P<speaker>{_SPEAKER})_(?P<name>.+)", re.IGNORECASE)


def official_names() -> list[str]:
    """The names of the 480 recordings: each man's fifteen of each emotion, thirty if neutral."""
    return [
        f"{speaker}_{emotion}{number:02d}"
        for speaker in SPEAKERS
        for emotion in EMOTIONS
        for number in range(1, 31 if emotion == "n" else 16)
    ]


def read_savee(folder: Path | str) -> list[Clip]:
    """The recordings below `folder`; a clip is named `DC_sa01` whichever the layout.

    CorpusError names every sound file whose name is not SAVEE's.
    """
    root = find_folder(
        "savee", Path(folder), _holds_savee, "folders DC, JE, JK, KL or files such as DC_a01.wav"
    )
    findings = Findings("savee", root)
    for path in sounds_in(root):
        flat = _FLAT_NAME.fullmatch(path.stem)
        _add(findings, path, flat["speaker"] if flat else "", flat["name"] if flat else "")
    for speaker_folder in folders_in(root, rf"{_SPEAKER}$"):
        for path in sounds_in(speaker_folder):
            _add(findings, path, speaker_folder.name, path.stem)
    return findings.clips(official_names())


def _holds_savee(folder: Path) -> bool:
    flat = any(_FLAT_NAME.fullmatch(path.stem) for path in sounds_in(folder))
    return flat or bool(folders_in(folder, rf"{_SPEAKER}$"))


def _add(findings: Findings, path: Path, speaker: str, name: str) -> None:
    fields = _NAME.fullmatch(name)
    if fields is None:
        findings.malformed("not a SAVEE name", path)
        return
    findings.add(
        Clip(
            corpus="savee",
            name=f"{speaker.upper()}_{name.lower()}",
            path=path,
            speaker=speaker.upper(),
            gender="male",
            emotion=EMOTIONS[fields["emotion"].lower()],
        )
    )
