"""What the commands show to a person: printable names, aligned columns, colours, complaints."""

from __future__ import annotations

import os
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from edge.events import Segment
    from edge.prediction import Prediction

PROGRAM = "edge-ser"

BOLD = "\033[1m"
FAINT = "\033[2m"
PLAIN = "\033[0m"


def complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    print(f"{PROGRAM}: {printable(' '.join(message.split()))}", file=sys.stderr)


def printable(text: str) -> str:
    """Without control characters, so that a file's name cannot steer the terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def display_width(text: str) -> int:
    """Columns that a terminal gives to the text."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)


def shortened(text: str, width: int) -> str:
    """The text's end, in at most `width` columns, after an ellipsis where something was cut."""
    if display_width(text) <= width:
        return text
    while text and display_width(text) > width - 1:
        text = text[1:]
    return "…" + text


def percent(probability: float) -> str:
    """0.123 as "12.3 %"."""
    return f"{100 * probability:.1f} %"


def doubts(judged: Prediction | Segment) -> str:
    """What stands at a line's end: nothing, or why its answer deserves less trust."""
    notes = ["uncertain"] * judged.uncertain + list(judged.flags)
    return "  " + ", ".join(notes) if notes else ""


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, with hours from one hour on.

    >>> clock(62.34), clock(3662.34)
    ('1:02.34', '1:01:02.34')
    """
    hundredths = round(100 * seconds)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def bar(fraction: float, width: int, unicode: bool = True) -> str:
    """A bar of `width` columns, filled from the left to the fraction, 0 to 1.

    >>> bar(0.6, 10, unicode=False)
    '######----'
    """
    fraction = min(1.0, max(0.0, fraction))
    if not unicode:
        filled = round(fraction * width)
        return "#" * filled + "-" * (width - filled)
    eighths = round(fraction * width * 8)
    filled, part = divmod(eighths, 8)
    return ("█" * filled + " ▏▎▍▌▋▊▉"[part] * (part > 0)).ljust(width, "░")


def wants_colour(out: TextIO) -> bool:
    """Whether it is a terminal whose owner has not said no; see no-color.org."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def shows_unicode(out: TextIO) -> bool:
    """Whether the stream can carry the characters of `bar`."""
    try:
        "█▏░…".encode(out.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


@contextmanager
def quiet_interpreter() -> Iterator[None]:
    """Keeps the INFO lines that the interpreters' C++ writes to descriptor 2 off the terminal."""
    if sys.stderr is None:  # the caller closed it
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        kept = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            for line in caught.read().decode(errors="replace").splitlines():
                if not line.startswith(("INFO:", "WARNING: All log messages before absl")):
                    print(line, file=sys.stderr)
