"""TESS, the Toronto emotional speech set (Pichora-Fuller & Dupuis 2020).

Two women, 200 words, seven emotions.

Official layout: `OAF_angry/OAF_back_angry.wav`. Folder names vary in case and wording between
releases (`OAF_Pleasant_surprise`, `YAF_pleasant_surprised`); the emotion is the file name's last
field.
"""

from __future__ import annotations

import re
from pathlib import Path

from training.corpora.clip import Clip
from training.corpora.listing import Findings, find_folder, folders_in, sounds_in

EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fearful",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprised",
    "sad": "sad",
}

# The official set has one file without the F: OA_bite_neutral.wav.
_NAME = re.compile(
    rf"(?P<speaker>OAF?|YAF)_(?P<word>[a-z]+)_(?P<emotion>{'|'.join(EMOTIONS)})", re.IGNORECASE
)
_EMOTION_FOLDER = r"(OAF|YAF)_[a-z_]+$"


def read_tess(folder: Path | str) -> list[Clip]:
    """The recordings below `folder`, in folders by speaker and emotion or all in one.

    CorpusError names every sound file whose name is not TESS's or which lies in the folder of
    another speaker or emotion.
    """
    root = find_folder(
        "tess",
        Path(folder),
        _holds_tess,
        "folders OAF_angry ... YAF_sad or files such as OAF_back_angry.wav",
    )
    findings = Findings("tess", root)
    for path in sounds_in(root):
        _add(findings, path)
    for emotion_folder in folders_in(root, _EMOTION_FOLDER):
        for path in sounds_in(emotion_folder):
            _add(findings, path, emotion_folder.name)
    clips = findings.clips()
    words = {clip.name.split("_")[1] for clip in clips}
    return findings.clips(
        f"{speaker}_{word}_{emotion}"
        for speaker in ("OAF", "YAF")
        for word in words
        for emotion in EMOTIONS
    )


def _holds_tess(folder: Path) -> bool:
    return bool(folders_in(folder, _EMOTION_FOLDER)) or any(
        _NAME.fullmatch(path.stem) for path in sounds_in(folder)
    )


def _add(findings: Findings, path: Path, folder_name: str | None = None) -> None:
    fields = _NAME.fullmatch(path.stem)
    if fields is None:
        findings.malformed("not a TESS name", path)
        return
    speaker = "YAF" if fields["speaker"].upper() == "YAF" else "OAF"
    emotion = fields["emotion"].lower()
    if folder_name is not None and not _folder_fits(folder_name, speaker, emotion):
        findings.malformed("the folder of another speaker or emotion", path)
        return
    findings.add(
        Clip(
            corpus="tess",
            name=f"{speaker}_{fields['word'].lower()}_{emotion}",
            path=path,
            speaker=speaker,
            gender="female",
            emotion=EMOTIONS[emotion],
        )
    )


def _folder_fits(folder_name: str, speaker: str, emotion: str) -> bool:
    folder_speaker, folder_emotion = folder_name.lower().split("_", 1)
    surprise = folder_emotion == "ps" or "surprise" in folder_emotion
    return folder_speaker == speaker.lower() and (
        emotion == "ps" if surprise else folder_emotion.startswith(emotion)
    )
