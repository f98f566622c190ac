"""RAVDESS, the Ryerson audio-visual database of emotional speech (Livingstone & Russo 2018).

Official layout: `Actor_NN/MM-CC-EE-II-SS-RR-NN.wav`: modality, vocal channel, emotion, intensity,
statement, repetition, actor. Odd actors are male, even ones female.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

from training.corpora.clip import Clip
from training.corpora.listing import Findings, find_folder, folders_in, sounds_in

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
ACTORS = tuple(f"{actor:02d}" for actor in range(1, 25))

_NAME = re.compile(
    r"(?P<modality>0[123])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])"
    r"-(?P<statement>0[12])-(?P<repetition>0[12])-(?P<actor>\d\d)"
)
_ACTOR_FOLDER = r"Actor_\d\d$"


def official_names() -> list[str]:
    """The names of the 1440 speech recordings: no neutral one is strong."""
    return [
        f"03-01-{emotion}-{intensity}-{statement}-{repetition}-{actor}"
        for actor, emotion, intensity, statement, repetition in product(
            ACTORS, EMOTIONS, ("01", "02"), ("01", "02"), ("01", "02")
        )
        if (emotion, intensity) != ("01", "02")
    ]


def read_ravdess(folder: Path | str) -> list[Clip]:
    """The speech recordings below `folder`, which holds `Actor_NN/` or a folder that does.

    Songs and the sound of video recordings are skipped, and logged. CorpusError names every file
    whose name is not RAVDESS's or which lies in another actor's folder.
    """
    root = find_folder(
        "ravdess",
        Path(folder),
        lambda path: bool(folders_in(path, _ACTOR_FOLDER)),
        "folders Actor_01 ... Actor_24",
    )
    findings = Findings("ravdess", root)
    for actor_folder in folders_in(root, _ACTOR_FOLDER):
        for path in sounds_in(actor_folder):
            fields = _NAME.fullmatch(path.stem)
            if fields is None or fields["actor"] not in ACTORS:
                findings.malformed("not a RAVDESS name", path)
            elif fields["actor"] != actor_folder.name[-2:]:
                findings.malformed("another actor's folder", path)
            elif fields["channel"] == "02":
                findings.skip("song, not speech", path)
            elif fields["modality"] != "03":
                findings.skip(
                    "from the video recordings (modality 01 or 02), not the sound-only ones (03)",
                    path,
                )
            else:
                findings.add(
                    Clip(
                        corpus="ravdess",
                        name=path.stem,
                        path=path,
                        speaker=fields["actor"],
                        gender="male" if int(fields["actor"]) % 2 else "female",
                        emotion=EMOTIONS[fields["emotion"]],
                    )
                )
    return findings.clips(official_names())
