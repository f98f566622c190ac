"""Every recording below a folder to one table: python examples/folder_to_table.py FOLDER TABLE.csv

One recogniser serves all threads. A file that cannot be judged is a row that says why.
"""

from __future__ import annotations

import argparse
import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge import EdgeError, Recognizer
from edge.formats import CSV_COLUMNS, csv_failure, csv_rows

ENDINGS = {".wav", ".flac", ".ogg", ".mp3", ".opus"}


def main() -> None:
    """Reads the command line and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    recognizer = Recognizer()
    files = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in ENDINGS)

    def rows(path: Path) -> list[list[str]]:
        name = path.relative_to(options.folder).as_posix()
        try:
            return list(csv_rows(name, recognizer.predict(path)))
        except EdgeError as error:
            return [csv_failure(name, error)]

    with open(options.table, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        with ThreadPoolExecutor(options.threads) as pool:
            for of_one_file in pool.map(rows, files):
                writer.writerows(of_one_file)
    print(f"{len(files)} recordings in {options.table}")


if __name__ == "__main__":
    main()
