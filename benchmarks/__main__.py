"""`python -m benchmarks`: times everything in one thread, prints the table, keeps it and JSON."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import ReportError, read_run, to_markdown, write_into
from benchmarks.threads import use_one_thread

HERE = Path(__file__).resolve().parent


def main(argv: Sequence[str] | None = None) -> int:
    """0: all was measured. Otherwise pytest's code, or 2 when no table can be made or written."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__,
        epilog="Anything else goes to pytest, such as -k resample.",
    )
    parser.add_argument("--bundle", type=Path, help="the models (default: those that ship)")
    parser.add_argument(
        "--json", type=Path, default=Path("reports/benchmarks.json"), metavar="FILE",
        help="the run; the table goes beside it (default: %(default)s)",
    )
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="also renew the table in a document"
    )
    arguments, pytest_arguments = parser.parse_known_args(argv)
    if arguments.write and pytest_arguments:
        parser.error("--write is for a whole run: leave out " + " ".join(pytest_arguments))
    status = _run(arguments.bundle, arguments.json, pytest_arguments)
    try:
        report = read_run(arguments.json)
        table = to_markdown(report)
        print(f"\n{table}", end="")
        arguments.json.with_suffix(".md").write_text(table, encoding="utf-8")
        if report.busy:
            print("warning: the machine was busy; these figures say little", file=sys.stderr)
        if arguments.write and status == 0:
            write_into(arguments.write, table)
    except ReportError as error:
        print(f"error: {error}", file=sys.stderr)
        return status or 2
    if arguments.write and status:
        print(f"error: not everything was measured; {arguments.write} is as it was",
              file=sys.stderr)
    return status


def _run(bundle: Path | None, json: Path, pytest_arguments: Sequence[str]) -> int:
    """pytest in a process of its own, whose libraries have yet to be loaded."""
    environment = dict(os.environ)
    use_one_thread(environment)
    if bundle:
        environment["EDGE_BENCH_BUNDLE"] = str(bundle.resolve())
    json.parent.mkdir(parents=True, exist_ok=True)
    json.unlink(missing_ok=True)  # that of an earlier run must not pass for this one's
    command = [
        sys.executable, "-m", "pytest", str(HERE), "-c", str(HERE / "pytest.ini"),
        f"--benchmark-json={json}", *pytest_arguments,
    ]
    return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
