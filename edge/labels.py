"""The emotions and genders that the package names, in the order that it uses everywhere."""

from __future__ import annotations

LABELS: tuple[str, ...] = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
)
"""The union of the emotion corpora's classes; axis of every logit and probability vector."""

GENDERS: tuple[str, ...] = ("female", "male")
"""The two sides of the gender gate, and the names of the two emotion experts."""
