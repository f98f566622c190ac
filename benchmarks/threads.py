"""One thread everywhere: the setting under which every figure is taken."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def use_one_thread(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets the variables that numerical libraries read once, when they are loaded.

    RuntimeError when numpy is there already and was loaded with other values.
    """
    wrong = [name for name in VARIABLES if environment.get(name) != "1"]
    if wrong and environment is os.environ and "numpy" in sys.modules:
        raise RuntimeError(f"numpy was loaded without {' '.join(f'{name}=1' for name in wrong)}")
    environment.update(dict.fromkeys(VARIABLES, "1"))


def require_one_thread() -> None:
    """RuntimeError when a numerical library that is loaded would use more threads than one."""
    from threadpoolctl import threadpool_info

    for pool in threadpool_info():
        if pool["num_threads"] > 1:
            raise RuntimeError(f"{pool['internal_api']} has {pool['num_threads']} threads, not 1")
