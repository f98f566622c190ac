"""SLR45, the Free ST American English corpus (OpenSLR 45): ten speakers reading, without emotions.

Official layout: `ST-AEDS-20180100_1-OS/f0001_us_f0001_00001.wav`; the first letter is the speaker's
sex.
"""

from __future__ import annotations

import re
from pathlib import Path

from training.corpora.clip import Clip
from training.corpora.listing import Findings, find_folder, sounds_in

GENDERS = {"f": "female", "m": "male"}

_NAME = re.compile(r"(?P<speaker>(?P<gender>[fm])\d{4})_us_(?P=speaker)_\d{5}")


def read_slr45(folder: Path | str) -> list[Clip]:
    """The recordings below `folder`, which is `ST-AEDS-20180100_1-OS` or holds it.

    CorpusError names every sound file whose name is not SLR45's.
    """
    root = find_folder(
        "slr45",
        Path(folder),
        lambda path: any(_NAME.fullmatch(sound.stem) for sound in sounds_in(path)),
        "files such as ST-AEDS-20180100_1-OS/f0001_us_f0001_00001.wav",
    )
    findings = Findings("slr45", root)
    for path in sounds_in(root):
        fields = _NAME.fullmatch(path.stem)
        if fields is None:
            findings.malformed("not an SLR45 name", path)
        else:
            findings.add(
                Clip(
                    corpus="slr45",
                    name=path.stem,
                    path=path,
                    speaker=fields["speaker"],
                    gender=GENDERS[fields["gender"]],
                    emotion=None,
                )
            )
    return findings.clips()
