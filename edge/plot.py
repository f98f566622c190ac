"""A picture of one recording: waveform, log-mel spectrum and the ribbon of emotions below them.

Needs matplotlib, which is imported at the first plot only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge.errors import MissingPackageError, SettingsError
from edge.features import FrontEnd, LogMel, relative_db
from edge.labels import LABELS

if TYPE_CHECKING:
    from edge.events import Segment

COLOURS: dict[str, str] = {
    "neutral": "#9a9a9a",
    "calm": "#56b4e9",
    "happy": "#f0c419",
    "sad": "#0072b2",
    "angry": "#d1331f",
    "fearful": "#8e5ea2",
    "disgust": "#4c8c4a",
    "surprised": "#e69f00",
}
"""The colour of each emotion, in plots and wherever else one is drawn."""

_COLUMNS = 1600  # of the picture; a longer sound is pooled to so many


def plot_recording(
    file: str | os.PathLike[str] | BinaryIO,
    samples: NDArray[np.float32],
    segments: Sequence[Segment],
    *,
    title: str = "",
    front_end: FrontEnd | None = None,
    image_format: str | None = None,
) -> None:
    """Draws one recording into an image file.

    file: path of the image; its ending names the format (.png, .svg, .pdf), or a binary file
        object, for which `image_format` does.
    samples: (n,) float32 at front_end.sample_rate, at least one.
    segments: of the recording, in time order.
    title: stands above the picture.
    front_end: of the log-mel; the default one when None.

    Raises MissingPackageError without matplotlib, SettingsError for no samples, a format that
    matplotlib cannot write, or a file that cannot be written.
    """
    if samples.ndim != 1 or not samples.size:
        raise SettingsError(f"a plot needs one row of samples, not an array of {samples.shape}")
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    settings = front_end or FrontEnd()
    duration = samples.size / settings.sample_rate
    # No pyplot: it keeps global state, and would choose a window system.
    figure = Figure(figsize=(11.0, 6.0), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    waveform, spectrum, ribbon = figure.subplots(3, sharex=True, height_ratios=(2, 4, 1))
    _draw_waveform(waveform, samples, duration)
    _draw_log_mel(spectrum, relative_db(LogMel(settings)(samples), settings.floor_db), settings)
    _draw_ribbon(ribbon, segments, duration)
    ribbon.set_xlim(0.0, duration)
    ribbon.set_xlabel("time (s)")
    if title:
        waveform.set_title(title, parse_math=False)
    try:
        figure.savefig(file, format=image_format)
    except (OSError, ValueError) as error:
        name = os.fspath(file) if isinstance(file, (str, os.PathLike)) else "the plot"
        raise SettingsError(f"{name}: cannot be written: {error}") from error


def image_endings() -> tuple[str, ...]:
    """Endings of the files that can be drawn, such as ".png".

    Raises MissingPackageError without matplotlib.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return tuple(f".{ending}" for ending in sorted(FigureCanvasAgg.get_supported_filetypes()))


def require_matplotlib() -> None:
    """Raises MissingPackageError, which says what to install, when there can be no plots."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingPackageError("plots need matplotlib; run: pip install matplotlib") from error


def _draw_waveform(axes: Any, samples: NDArray[np.float32], duration: float) -> None:
    low, high = envelope(samples, _COLUMNS)  # (columns,) each
    time = np.linspace(0.0, duration, len(low))
    axes.fill_between(time, low, high, color="#34495e", linewidth=0.4)
    reach = max(0.05, 1.05 * float(np.abs(samples).max()))
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("amplitude")


def _draw_log_mel(axes: Any, log_mel: NDArray[np.float32], front_end: FrontEnd) -> None:
    frames = len(log_mel)
    pooled = pool_frames(log_mel, _COLUMNS)
    # Frames are centred on their time: the picture reaches half a hop beyond the first and last.
    hop = front_end.hop_length / front_end.sample_rate
    axes.imshow(
        pooled.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        extent=(-hop / 2, (frames - 0.5) * hop, 0, front_end.mel_bands),
        vmin=front_end.floor_db,
        vmax=0.0,
    )
    axes.set_ylabel("mel band")


def _draw_ribbon(axes: Any, segments: Sequence[Segment], duration: float) -> None:
    shown = []
    for segment in segments:
        colour = COLOURS[segment.emotion]
        width = segment.end - segment.start
        # The surer, the fuller the colour.
        axes.barh(
            0.5, width, left=segment.start, height=1.0, color=colour, edgecolor="white",
            alpha=0.35 + 0.65 * min(1.0, max(0.0, segment.probability)),
        )  # fmt: skip
        if width >= duration / 12:
            axes.text(
                segment.start + width / 2,
                0.5,
                f"{segment.emotion}{'?' if segment.uncertain else ''}\n"
                f"{100 * segment.probability:.0f} %",
                ha="center",
                va="center",
                fontsize=8,
                clip_on=True,
            )
        if segment.emotion not in shown:
            shown.append(segment.emotion)
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([])
    axes.set_ylabel("emotion")
    for label in sorted(shown, key=LABELS.index):
        axes.bar(0, 0, color=COLOURS[label], label=label)
    if shown:
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.55), ncol=len(LABELS), frameon=False
        )


def envelope(
    samples: NDArray[np.float32], columns: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The least and the greatest sample of each column.

    samples: (n,), at least one. Returns two arrays of (min(n, columns),).
    """
    begins = _begins(len(samples), columns)
    low: NDArray[np.float32] = np.minimum.reduceat(samples, begins)
    high: NDArray[np.float32] = np.maximum.reduceat(samples, begins)
    return low, high


def pool_frames(log_mel: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """The loudest of adjacent frames: (frames, bands) to (min(frames, columns), bands)."""
    begins = _begins(len(log_mel), columns)
    pooled: NDArray[np.float32] = np.maximum.reduceat(log_mel, begins, axis=0)
    return pooled


def _begins(length: int, columns: int) -> NDArray[np.int64]:
    """Where each column begins when so many things are shared out evenly."""
    count = min(length, columns)
    return np.arange(count, dtype=np.int64) * length // count
