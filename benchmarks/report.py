"""The table of a benchmark run: medians, and how many times edge's each other entry takes.

    python -m benchmarks.report reports/benchmarks.json [--write docs/benchmarks.md]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEGIN = "<!-- benchmarks: begin -->"
END = "<!-- benchmarks: end -->"

BUSY = 0.5
"""Load, in processors, above which a machine is not quiet."""


class ReportError(Exception):
    """The run holds nothing that a table could be made of, or the document has no place for it."""


@dataclass(frozen=True)
class Row:
    """One entry of a group."""

    entry: str
    median: float
    """Seconds."""
    spread: float
    """Seconds between the quartiles."""
    rounds: int
    baseline: bool = False
    finding: str = ""
    """What the check of the output found."""
    note: str = ""
    """What differs from the other entries."""


@dataclass(frozen=True)
class Group:
    """What is compared with one another."""

    title: str
    rows: tuple[Row, ...]
    """The baseline first, then as they ran."""

    @classmethod
    def of(cls, title: str, rows: Sequence[Row]) -> Group:
        """Puts the baseline first; ReportError when there are two."""
        baselines = [row for row in rows if row.baseline]
        if len(baselines) > 1:
            names = ", ".join(repr(row.entry) for row in baselines)
            raise ReportError(f"{title}: one entry to compare with is wanted, not {names}")
        return cls(title, (*baselines, *(row for row in rows if not row.baseline)))

    def ratio(self, row: Row) -> float | None:
        """Median of the row in medians of the baseline; None when the baseline was not run."""
        first = self.rows[0]
        return row.median / first.median if first.baseline else None


@dataclass(frozen=True)
class Report:
    """A whole run."""

    groups: tuple[Group, ...]
    sizes: tuple[dict[str, Any], ...]
    """Rows of `benchmarks.installed_size.compare_sizes`."""
    environment: Mapping[str, Any]
    processor: str
    date: str

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> Report:
        """From pytest-benchmark's JSON with what conftest.py adds; ReportError when it measured
        nothing."""
        by_group: dict[str, list[Row]] = {}
        try:
            for benchmark in run["benchmarks"]:
                by_group.setdefault(benchmark["group"], []).append(_row(benchmark))
            processor = run["machine_info"].get("cpu", {}).get("brand_raw", "an unknown processor")
            report = cls(
                tuple(Group.of(title, rows) for title, rows in by_group.items()),
                tuple(run["installed_sizes"]),
                run["environment"],
                processor,
                run["datetime"][:10],
            )
        except (KeyError, TypeError) as error:
            raise ReportError(f"not a run of these benchmarks: {error!r}") from error
        if not report.groups:
            raise ReportError("nothing was measured")
        return report

    @property
    def busy(self) -> bool:
        """Whether other work disturbed the run."""
        load = self.environment["load"]
        return load is not None and load > BUSY


def _row(benchmark: Mapping[str, Any]) -> Row:
    stats, extra = benchmark["stats"], benchmark["extra_info"]
    median, spread = float(stats["median"]), float(stats["iqr"])
    if not (0 < median < math.inf and 0 <= spread < math.inf and stats["rounds"] > 0):
        raise ReportError(f"{benchmark['name']}: a median of {median} s measures nothing")
    return Row(
        extra["entry"], median, spread, int(stats["rounds"]), bool(extra["baseline"]),
        extra["finding"], extra["note"],
    )


def format_time(seconds: float) -> str:
    """Three figures, in the unit that keeps them before the exponent."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.9995 * scale:
            return f"{_three_figures(seconds / scale)} {unit}"
    return f"{_three_figures(seconds / 1e-9)} ns"


def format_size(size: int) -> str:
    """Bytes in decimal units, three figures."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= 0.9995 * scale:
            return f"{_three_figures(size / scale)} {unit}"
    return f"{size} B"


def format_ratio(ratio: float | None) -> str:
    """Two figures, hundredths at the finest, and a dash where there is nothing to compare with."""
    if ratio is None:
        return "–"
    if ratio < 0.01:
        return "<0.01x"
    rounded = float(f"{ratio:.2g}")
    decimals = 0 if rounded >= 10 else 1 if rounded >= 1 else 2
    return f"{rounded:.{decimals}f}x"


def _three_figures(value: float) -> str:
    rounded = float(f"{value:.3g}")
    decimals = 0 if rounded >= 100 else 1 if rounded >= 10 else 2
    return f"{rounded:.{decimals}f}"


def to_markdown(report: Report) -> str:
    """Everything, as Markdown that is also legible in a terminal."""
    parts = [*_environment_lines(report)]
    for group in report.groups:
        rows = [
            (
                row.entry, format_time(row.median), format_time(row.spread),
                format_ratio(group.ratio(row)), row.finding,
            )
            for row in group.rows
        ]
        header = ("", "median", "quartiles apart", "against edge", "output")
        parts += ["", f"### {group.title}", "", _table(header, rows)]
        notes = [f"- {row.entry}: {row.note}." for row in group.rows if row.note]
        if notes:
            parts += ["", *notes]
    if report.sizes:
        parts += ["", "### Size on disk", "", _size_table(report.sizes)]
    return "\n".join(parts) + "\n"


def _environment_lines(report: Report) -> list[str]:
    environment = report.environment
    commit, bundle = environment["commit"], environment["bundle"]
    changed = " with changes that are not committed" if commit["changed"] else ""
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    load = environment["load"]
    lines = [
        f"- Processor: {report.processor}, {environment['processors']} of them; "
        f"{environment['threads']} thread used everywhere",
        f"- System: {environment['system']}, Python {environment['python']}",
        f"- Versions: {versions}",
        f"- Bundle: {bundle['name']} {bundle['version']}, run by {environment['instructions']}",
        f"- Commit: {commit['id']}{changed}; {report.date}",
    ]
    if load is not None:
        quiet = "busy: DO NOT QUOTE these figures" if report.busy else "quiet"
        lines.append(f"- Load before the run: {load:.2f} ({quiet})")
    return lines


def _size_table(sizes: Sequence[Mapping[str, Any]]) -> str:
    baselines = [row["bytes"] for row in sizes if row["baseline"]]
    if len(baselines) != 1:
        raise ReportError(f"one size to compare with is wanted, not {len(baselines)}")
    rows = []
    for row in sizes:
        parts = sorted(row["parts"].items(), key=lambda part: -part[1])
        largest = ", ".join(f"{name} {format_size(size)}" for name, size in parts[:6])
        if len(parts) > 6:
            largest += f", {len(parts) - 6} more"
        ratio = format_ratio(row["bytes"] / baselines[0])
        rows.append((row["entry"], format_size(row["bytes"]), ratio, largest))
    return _table(("", "on disk", "against edge", "largest parts"), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown with columns of even width; numbers, in the columns between, to the right."""
    widths = [max(len(line[k]) for line in (header, *rows)) for k in range(len(header))]
    last = len(header) - 1

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if k in (0, last) else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(cells, widths))
        ]
        return f"| {' | '.join(aligned)} |"

    rule = [
        "-" * width if k in (0, last) else "-" * (width - 1) + ":" for k, width in enumerate(widths)
    ]
    return "\n".join([line(header), line(rule), *map(line, rows)])


def replaced_between_markers(document: str, table: str) -> str:
    """The document with the table in place of what stood between its two markers."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after:
        raise ReportError(f"the document needs one line {BEGIN!r} and, below it, one {END!r}")
    return f"{before}{BEGIN}\n\n{table.strip()}\n\n{END}{after}"


def write_into(path: Path, table: str) -> None:
    """Renews the table of a document; ReportError when it has no place for one."""
    try:
        document = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from error
    try:
        path.write_text(replaced_between_markers(document, table), encoding="utf-8")
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def read_run(path: Path) -> Report:
    """From the file that a run wrote."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ReportError(f"{path}: not JSON: {error}") from error
    if not isinstance(run, dict):
        raise ReportError(f"{path}: not a run of these benchmarks")
    return Report.of(run)


def main(argv: Sequence[str] | None = None) -> int:
    """0: the table was printed. 2: there is none to be made."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("run", type=Path, help="pytest-benchmark's JSON")
    parser.add_argument("--write", type=Path, metavar="FILE", help="renew the table in a document")
    arguments = parser.parse_args(argv)
    try:
        table = to_markdown(read_run(arguments.run))
        print(table, end="")
        if arguments.write:
            write_into(arguments.write, table)
    except ReportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
