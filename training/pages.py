"""What the pages of `docs` that are written by a command have in common."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence


def command(program: str) -> str:
    """The command that runs, but for the folder of the corpora, which is another one everywhere."""
    words = list(sys.argv[1:])
    if "--corpora" in words[:-1]:
        words[words.index("--corpora") + 1] = "DIR"
    return " ".join(["python -m", program, *map(shlex.quote, words)])


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; all columns but the first are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
