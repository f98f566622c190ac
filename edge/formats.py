"""Predictions and segments as other programs read them: JSON, CSV, SRT, Praat TextGrid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from edge.labels import LABELS

if TYPE_CHECKING:
    from edge.events import Segment
    from edge.prediction import Prediction

CSV_COLUMNS: tuple[str, ...] = (
    *("file", "start", "end", "gender", "gender_posterior", "emotion", "probability"),
    *LABELS,
    *("arousal", "valence", "uncertain", "flags", "snr_db", "error"),
)
"""Headings of `csv_rows`: seconds; probabilities 0 to 1; arousal and valence -1 to 1; words; dB."""


def record(
    file: str, prediction: Prediction, segments: Sequence[Segment] | None = None
) -> dict[str, Any]:
    """One file as plain JSON values: its name, the whole prediction, the segments if given."""
    known = {
        "file": file,
        **prediction.to_dict(),
        "real_time_factor": prediction.real_time_factor,
    }
    if segments is not None:
        known["segments"] = [segment.to_dict() for segment in segments]
    return known


def failure(file: str, error: Exception) -> dict[str, Any]:
    """One file that could not be judged, as plain JSON values."""
    return {"file": file, "error": {"kind": type(error).__name__, "message": str(error)}}


def csv_rows(
    file: str, prediction: Prediction | None, segments: Sequence[Segment] | None = None
) -> Iterator[list[str]]:
    """Rows under `CSV_COLUMNS`: one for each segment if they are given, else one for the file.

    Raises ValueError when there is neither.
    """
    if segments is not None:
        for segment in segments:
            yield _csv_row(file, segment.start, segment.end, segment)
    elif prediction is not None:
        yield _csv_row(file, 0.0, prediction.duration, prediction)
    else:
        raise ValueError("csv_rows needs a prediction or segments")


def csv_failure(file: str, error: Exception) -> list[str]:
    """A row under `CSV_COLUMNS` for a file that could not be judged."""
    return [file, *[""] * (len(CSV_COLUMNS) - 2), " ".join(str(error).split())]


def _csv_row(
    file: str, start: float, end: float, judged: Prediction | Segment
) -> list[str]:
    probabilities = judged.probabilities
    return [
        *(file, f"{start:.3f}", f"{end:.3f}"),
        *(judged.gender, f"{judged.gender_posterior:.6f}"),
        *(judged.emotion, f"{probabilities[judged.emotion]:.6f}"),
        *(f"{probabilities[label]:.6f}" if label in probabilities else "" for label in LABELS),
        *(f"{judged.arousal:.6f}", f"{judged.valence:.6f}"),
        *("yes" if judged.uncertain else "no", " ".join(judged.flags)),
        *("" if judged.snr_db is None else f"{judged.snr_db:.1f}", ""),
    ]


def srt(segments: Iterable[Segment]) -> str:
    """SubRip subtitles: a numbered caption for each segment, in time order.

    A caption lasts at least a millisecond, the format's unit.

    >>> from edge.events import Segment
    >>> print(srt([Segment(1.5, 4.0, "female", 0.98, "happy", 0.7, {"happy": 0.7}, False)]))
    1
    00:00:01,500 --> 00:00:04,000
    happy (70 %), female
    <BLANKLINE>
    """
    captions = []
    for number, segment in enumerate(segments, start=1):
        start = round(1000 * segment.start)
        end = max(start + 1, round(1000 * segment.end))
        doubt = "?" if segment.uncertain else ""
        captions.append(
            f"{number}\n{_srt_time(start)} --> {_srt_time(end)}\n"
            f"{segment.emotion}{doubt} ({100 * segment.probability:.0f} %), {segment.gender}\n"
        )
    return "\n".join(captions)


def _srt_time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d},{rest:03d}"


def textgrid(segments: Iterable[Segment], duration: float) -> str:
    """A Praat TextGrid with the interval tiers `emotion` and `gender`, empty where nobody speaks.

    segments: in time order. duration: of the recording in seconds, above 0; what reaches beyond
        it is cut.
    Source: the long text format of https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
    """
    intervals = list(_covering(segments, duration))
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {duration:.6f}",
        "tiers? <exists>",
        "size = 2",
        "item []:",
    ]
    for number, tier in enumerate(("emotion", "gender"), start=1):
        lines += [
            f"    item [{number}]:",
            '        class = "IntervalTier"',
            f'        name = "{tier}"',
            "        xmin = 0",
            f"        xmax = {duration:.6f}",
            f"        intervals: size = {len(intervals)}",
        ]
        for index, (start, end, segment) in enumerate(intervals, start=1):
            text = "" if segment is None else getattr(segment, tier)
            lines += [
                f"        intervals [{index}]:",
                f"            xmin = {start:.6f}",
                f"            xmax = {end:.6f}",
                f'            text = "{text}"',
            ]
    return "\n".join(lines) + "\n"


def _covering(
    segments: Iterable[Segment], duration: float
) -> Iterator[tuple[float, float, Segment | None]]:
    """The segments and the gaps between them, from 0 to the duration without a seam."""
    here = 0.0
    for segment in segments:
        start, end = max(here, segment.start), min(segment.end, duration)
        if end - start < 1e-6:
            continue
        if start - here >= 1e-6:
            yield here, start, None
        yield (here if start - here < 1e-6 else start), end, segment
        here = end
    if duration - here >= 1e-6:
        yield here, duration, None
