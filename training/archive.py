"""Archives of arrays whose bytes depend on the arrays alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np


def write_archive(
    file: Path | str | BinaryIO, arrays: Mapping[str, np.ndarray], first: Sequence[str]
) -> None:
    """An .npz, stored: no time stamps, the arrays of `first` in this order, then any others."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in (*first, *sorted(set(arrays) - set(first))):
            content = io.BytesIO()
            np.lib.format.write_array(
                content, np.asarray(arrays[name]), version=(1, 0), allow_pickle=False
            )
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), content.getvalue()
            )
