"""Small copies of the five corpora, in the official layouts and of synthetic speech."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tests.synthetic_speech import synthesise
from training.corpora import crema_d, ravdess, savee, tess

SAMPLE_RATE = 16000


def to_pcm16(samples: np.ndarray) -> np.ndarray:
    """`samples` (n,) within [-1, 1] as int16."""
    return np.round(samples * 32767).astype("<i2")


def write_wav(path: Path, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
    """`samples` (n,) within [-1, 1] as 16-bit PCM; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(to_pcm16(samples).tobytes())


def write_ravdess(folder: Path, actors: Iterable[int], takes: int = 1) -> None:
    """`folder/Actor_NN/03-01-EE-01-SS-RR-NN.wav`, at most four takes."""
    for actor in actors:
        gender = "male" if actor % 2 else "female"
        for code, emotion in ravdess.EMOTIONS.items():
            for take in range(takes):
                name = f"03-01-{code}-01-{take // 2 + 1:02d}-{take % 2 + 1:02d}-{actor:02d}.wav"
                speech = synthesise(gender, emotion, speaker=actor, take=take)
                write_wav(folder / f"Actor_{actor:02d}" / name, speech)


def write_savee(folder: Path, speakers: Iterable[str] = savee.SPEAKERS, takes: int = 1) -> None:
    """`folder/AudioData/DC/a01.wav`."""
    for speaker in speakers:
        for code, emotion in savee.EMOTIONS.items():
            for take in range(takes):
                speech = synthesise(
                    "male", emotion, speaker=100 + savee.SPEAKERS.index(speaker), take=take
                )
                write_wav(folder / "AudioData" / speaker / f"{code}{take + 1:02d}.wav", speech)


def write_tess(folder: Path, words: Iterable[str] = ("back",)) -> None:
    """`folder/OAF_angry/OAF_back_angry.wav`."""
    for speaker in ("OAF", "YAF"):
        for code, emotion in tess.EMOTIONS.items():
            for take, word in enumerate(words):
                speech = synthesise("female", emotion, speaker=200 + (speaker == "YAF"), take=take)
                emotion_folder = f"{speaker}_{'pleasant_surprise' if code == 'ps' else code}"
                write_wav(folder / emotion_folder / f"{speaker}_{word}_{code}.wav", speech)


def write_crema_d(
    folder: Path, actors: dict[str, str], takes: int = 1, pictures: bool = False
) -> None:
    """`folder/AudioWAV/1001_IEO_ANG_XX.wav`, or pictures, at most four takes.

    `actors` gives each actor's gender.
    """
    folder.mkdir(parents=True, exist_ok=True)
    demographics = ['"ActorID","Age","Sex","Race","Ethnicity"']
    demographics += [f'{actor},30,"{gender.title()}","",""' for actor, gender in actors.items()]
    (folder / "VideoDemographics.csv").write_text("\n".join(demographics) + "\n")
    table = ["clip,frames,range_db"]
    for actor, gender in actors.items():
        for code, emotion in crema_d.EMOTIONS.items():
            for take in range(takes):
                name = f"{actor}_{('IEO', 'TIE', 'IOM', 'IWW')[take]}_{code}_XX"
                speech = synthesise(gender, emotion, speaker=int(actor), take=take)
                if pictures:
                    frames, range_db = write_picture(folder / "logmel" / f"{name}.png", speech)
                    table.append(f"{name},{frames},{range_db}")
                else:
                    write_wav(folder / "AudioWAV" / f"{name}.wav", speech)
    if pictures:
        (folder / "logmel.csv").write_text("\n".join(table) + "\n")


def write_picture(path: Path, samples: np.ndarray) -> tuple[int, float]:
    """What `write_wav` would write, padded to three seconds, as an 8-bit log-mel picture.

    Returns the clip's frames and the picture's range in dB.
    """
    from PIL import Image

    from edge.features import FrontEnd, LogMel, relative_db

    padded = np.zeros(3 * SAMPLE_RATE, np.float32)
    padded[: len(samples)] = to_pcm16(samples[: len(padded)]) / np.float32(32768)
    decibels = relative_db(LogMel(FrontEnd())(padded))  # (188, 128)
    range_db = float(-decibels.min())
    pixels = np.round(255 * (decibels / range_db + 1)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(pixels.T[::-1])).save(path)
    return min(188, 1 + len(samples) // 256), range_db


def write_slr45(folder: Path, speakers: Iterable[str], takes: int = 3) -> None:
    """`folder/ST-AEDS-20180100_1-OS/f0001_us_f0001_00001.wav`."""
    for speaker in speakers:
        gender = "female" if speaker.startswith("f") else "male"
        for take in range(takes):
            speech = synthesise(
                gender, None, speaker=300 + int(speaker[1:]), take=take, seconds=2.0
            )
            name = f"{speaker}_us_{speaker}_{take + 1:05d}.wav"
            write_wav(folder / "ST-AEDS-20180100_1-OS" / name, speech)


def write_corpora(root: Path) -> Path:
    """All five corpora, with speakers of each part of the release protocol; CREMA-D in pictures."""
    write_ravdess(root / "ravdess", actors=(1, 3, 4, 8, 2, 15, 6, 13))
    write_savee(root / "savee")
    write_tess(root / "tess")
    crema_d_actors = {
        "1001": "male",
        "1002": "female",
        "1003": "female",
        "1005": "male",
        "1015": "male",
        "1020": "female",
    }
    write_crema_d(root / "crema-d", crema_d_actors, pictures=True)
    write_slr45(root / "slr45", speakers=("f0001", "f0002", "m0001", "m0002", "f0004", "m0004"))
    return root
