"""Puts a bundle in its place: written aside, verified, swapped; never half of one or the other.

    out                 the bundle, old or new
    .out.partial        the new one while it is written
    .out.replaced       the old one between the two renames of the swap

Whatever an interruption leaves behind, `recover` brings the old bundle back or clears up after the
new one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.bundle import Bundle, write_manifest
from edge.errors import EdgeError
from quantize.errors import QuantizeError


def recover(out: Path) -> None:
    """Ends a swap that was interrupted, and removes what was left aside."""
    _, aside, replaced = _places(out)
    if replaced.exists() and not out.exists():
        os.rename(replaced, out)
    for left in (aside, replaced):
        if left.exists():
            shutil.rmtree(left)


def write_bundle(
    out: Path,
    files: dict[str, bytes],
    manifest: dict[str, Any],
    verify: Callable[[Path], None],
) -> None:
    """Replaces the bundle in `out`, if there is one, by `files` and their manifest.

    verify: called with the folder of the new bundle before it takes the old one's place; whatever
        it raises leaves the old one there.
    QuantizeError when `out` holds something else than a bundle, or cannot be written.
    """
    out, aside, replaced = _places(out)
    _check_place(out)
    try:
        recover(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        aside.mkdir()
        for name, content in files.items():
            _write(aside / name, content)
        write_manifest(aside, manifest)
        _flush(aside / "manifest.json")
        Bundle.load(aside)
        verify(aside)
        _swap(out, aside, replaced)
    except OSError as error:
        raise QuantizeError(
            f"the bundle {out} could not be written ({error.strerror or error}); "
            "what was there is unchanged"
        ) from error
    except EdgeError as error:
        raise QuantizeError(
            f"the bundle made for {out} is not sound ({error}); what was there is unchanged"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _places(out: Path) -> tuple[Path, Path, Path]:
    out = out.resolve()
    return out, out.with_name(f".{out.name}.partial"), out.with_name(f".{out.name}.replaced")


def _check_place(out: Path) -> None:
    if not out.exists():
        return
    empty = out.is_dir() and not any(out.iterdir())
    if not empty and not (out / "manifest.json").is_file():
        raise QuantizeError(f"{out} is no bundle, and will not be replaced by one; name another")


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _swap(out: Path, aside: Path, replaced: Path) -> None:
    if not out.exists():
        os.rename(aside, out)
        return
    os.rename(out, replaced)
    try:
        os.rename(aside, out)
    except BaseException:
        os.rename(replaced, out)
        raise
    shutil.rmtree(replaced, ignore_errors=True)
