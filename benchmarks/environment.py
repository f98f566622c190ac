"""What the figures depend on, besides the code: versions, models, and how busy it was."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DISTRIBUTIONS = (
    "numpy", "scipy", "soxr", "librosa", "numba", "python_speech_features", "scikit-learn",
    "tflite-runtime", "ai-edge-litert", "tensorflow-cpu", "tensorflow", "pytest-benchmark",
)


def bundle_folder() -> Path:
    """The models to time: $EDGE_BENCH_BUNDLE, or those that ship."""
    return Path(os.environ.get("EDGE_BENCH_BUNDLE") or ROOT / "edge" / "models" / "default")


def describe_environment() -> dict[str, Any]:
    """As plain JSON values."""
    from edge._kernels import int8
    from edge.bundle import Bundle

    bundle = Bundle.load(bundle_folder())
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": load,
        "threads": 1,
        "bundle": {"name": bundle.name, "version": bundle.version},
        "instructions": int8.instruction_sets()[0],
        "versions": _versions(),
        "commit": _commit(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for distribution in DISTRIBUTIONS:
        try:
            found[distribution] = version(distribution)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> dict[str, Any]:
    """Of the checkout, and whether any file that is tracked differs from it."""
    try:
        commit = _git("rev-parse", "--short=10", "HEAD")
        return {"id": commit, "changed": bool(_git("status", "--porcelain", "-uno"))}
    except (OSError, subprocess.CalledProcessError):
        return {"id": "unknown", "changed": False}


def _git(*arguments: str) -> str:
    run = subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return run.stdout.strip()
