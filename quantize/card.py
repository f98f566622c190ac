"""CARD.md: what the models are and are not, with every figure taken from the proof by code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LICENCE = {
    "code": "Apache-2.0",
    "weights": "CC-BY-NC-SA-4.0",
    "note": (
        "The weights may not be used commercially, since the recordings that they were trained on "
        "may not."
    ),
    "recordings": {
        "ravdess": "CC BY-NC-SA 4.0",
        "savee": "research use",
        "tess": "CC BY-NC-ND 4.0",
        "crema-d": "ODbL 1.0",
        "slr45": "CC BY-NC-ND 4.0",
    },
}

_NAMES = {
    "ravdess": "RAVDESS (Livingstone and Russo 2018), speech",
    "savee": "SAVEE (Haq and Jackson 2009)",
    "tess": "TESS (Pichora-Fuller and Dupuis 2020)",
    "crema-d": "CREMA-D (Cao et al. 2014)",
    "slr45": "SLR45, Free ST American English Corpus (for the gender gate)",
}

_UNTESTED = """\
- Speech that was not acted. All emotional recordings are of actors, told what to feel, who speak a
  few fixed sentences or words; people in earnest sound otherwise, mostly weaker.
- Corpora that they have not learnt from. The people in these figures are new, the studios and the
  ways of acting are not. Models like these that were trained without a corpus had about half of
  such a UA on it, and were too sure.
- Languages other than English, children, voices of the very old, and voices altered by illness.
- Far microphones, telephones, music, crowds, more than one speaker at once.
- Gender beyond the two words in the corpora's labels. The gate hears the voice's pitch and timbre;
  it cannot know how anyone describes themselves, and it errs most for deep female and high male
  voices.
- TESS was trained on with both of its speakers; no figure here is of TESS.

Do not let these models decide anything about a person: no hiring, grading, policing, diagnosing or
insuring."""

_PROSODY = (
    "Beside them linear discriminants\n"
    "judge 526 statistics of the window's spectrum, pitch, level and rhythm, of a speaker who was\n"
    "heard before by how they differ from what is usual. Whatever is unlike all that was learnt\n"
    "from is answered less surely. "
)


def make_card(
    manifest: Mapping[str, Any], quantization: Mapping[str, Any], data: Sequence[Mapping[str, Any]]
) -> str:
    """The card's text, Markdown.

    quantization: the content of quantization.json; data: for each corpus and part, `corpus`,
        `part`, `speakers`, `female`, `male` (speakers), `clips`
    """
    metrics = manifest["metrics"]
    sections = [
        f"# {manifest['name']} {manifest['version']}: gender and emotion of a voice, int8",
        "A gender gate (Gaussian mixtures over bottleneck features of log-mel frames) weighs two\n"
        "emotion experts, one for female and one for male voices: convolutional networks over the\n"
        "cepstrum of 3 s windows, in 8-bit integers throughout. "
        + (_PROSODY if "prosody" in manifest else "") + "Labels: "
        + ", ".join(manifest["labels"]) + ".",
        "## Licence\n\n"
        f"Code: {LICENCE['code']}. Weights: {LICENCE['weights']}, **not for commercial use**, "
        "because\nthe licences of the recordings demand it:\n\n"
        + _table(
            ("corpus", "licence of the recordings"),
            [(_NAMES[key], value) for key, value in LICENCE["recordings"].items()],
        ),
        "## Data\n\nNo speaker is in two parts.\n\n" + _table(
            ("corpus", "part", "speakers", "female", "male", "clips"),
            [[row[key] for key in ("corpus", "part", "speakers", "female", "male", "clips")]
             for row in data],
        ),
        f"## Accuracy\n\nProtocol `{metrics['protocol']}`, int8 models, the gate's gender; "
        f"`{metrics['command']}`. Per cent;\nUA is the mean of the recalls of the labels that the "
        "corpus has, WA the share of right answers.\n\n"
        + _table(
            ("corpus", "part", "speakers", "clips", "UA", "WA", "macro-F1"),
            [
                (row["corpus"], row["part"], row["speakers"], row["clips"],
                 *(_percent(row[key]) for key in ("ua", "wa", "macro_f1")))
                for row in metrics["emotion"]
            ],
        )
        + "\n\nThe gender gate, one emotional clip at a time:\n\n"
        + _table(
            ("part", "clips", "UAR", "recall female", "recall male"),
            [
                (row["part"], row["clips"], _percent(row["uar"]),
                 _percent(row["recall"]["female"]), _percent(row["recall"]["male"]))
                for row in metrics["gate"]
            ],
        ),
        "## What quantization cost\n\n" + _cost(quantization),
        "## Size and work\n\n" + _table(
            ("expert", "method", "bytes", "deflated", "parameters", "multiply-accumulates",
             "peak activations, bytes"),
            [
                (gender, row["method"], row["bytes"], row["compressed_bytes"], row["parameters"],
                 row["multiply_accumulates"], row["peak_activation_bytes"])
                for gender, row in quantization["chosen"].items()
            ],
        )
        + f"\n\nThe gender gate's arrays take {quantization['gender_gate']['bytes']} bytes, "
        f"mixtures in {quantization['gender_gate']['mixtures']}, "
        f"layers in {quantization['gender_gate']['layers']}.",
        "## What they were not tested on\n\n" + _UNTESTED,
    ]
    return "\n\n".join(sections) + "\n"


def _cost(quantization: Mapping[str, Any]) -> str:
    verdict = quantization["gate"]
    limits = verdict["thresholds"]
    rows = [
        (row["system"], row["part"], row["clips"], _percent(row["ua_float"]),
         _percent(row["ua_int8"]), "{:+.2f} ({:+.2f} to {:+.2f})".format(
             *(100 * value for value in row["difference"])),
         _percent(row["agreement"]), _percent(row["ece_float"]), _percent(row["ece_after"]))
        for row in quantization["proof"]["comparisons"]
        if not {"corpus", "gender", "emotion"} & set(row)
    ]
    outcome = "holds" if verdict["passed"] else "is broken"
    return (
        "Float against int8 on the same clips, pooled over the corpora (quantization.json has every"
        "\ncorpus, gender and emotion). Per cent; the difference in points with its paired "
        "bootstrap 95 %\ninterval; ECE is the expected calibration error.\n\n"
        + _table(
            ("system", "part", "clips", "UA float", "UA int8", "difference", "same label",
             "ECE float", "ECE int8"), rows,
        )
        + f"\n\nThe gate {outcome} on {' and '.join(verdict['parts'])}: at most "
        f"{limits['ua_loss']:g} points of UA lost by each expert and by the\nwhole, at most "
        f"{limits['recall_loss']:g} points of recall by any gender and emotion of at least "
        f"{limits['cell_clips']} clips, at least\n{limits['agreement']:g} % of labels unchanged."
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
