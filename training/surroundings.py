"""Fits what tells where a window is unlike all that was learnt from (`edge.surroundings`).

How far is far is told by the speakers themselves: how far somebody's windows lie whom the others
were compared without. No network and no emotion has a say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge.prosody import ARRAYS_OF_SURROUNDINGS
from edge.surroundings import ARRAYS, Surroundings

AXES = 8               # directions of the covariance; the others are thought to be alike
SHRINKAGE = 0.4        # of the covariance, towards the identity
SHARES = 4             # of a corpus's speakers, each left out once
NEAR, FAR = 0.75, 0.95  # of what unseen speakers say, that is nearer than the edges


def fit_surroundings(
    rows: Mapping[str, np.ndarray], speakers: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The arrays of `edge.prosody.ARRAYS_OF_SURROUNDINGS`; {} without two speakers of a corpus.

    rows: by corpus, (windows, n) statistics as a judge of prosody standardises them
    speakers: by corpus, (windows,) who speaks
    """
    unseen = [_of_unseen(corpus, rows, speakers[corpus]) for corpus in rows]
    found = [np.quantile(distances, (NEAR, FAR)) for distances in unseen if len(distances)]
    edges = np.mean(found, axis=0) if found else np.zeros(2)
    if not 0.0 < edges[0] < edges[1]:
        return {}
    arrays = _gaussians(list(rows.values())) | {"edges": edges}
    return {
        key: arrays[name].astype(np.float32 if name == "edges" else np.float16)
        for key, name in zip(ARRAYS_OF_SURROUNDINGS, ARRAYS)
    }


def _of_unseen(corpus: str, rows: Mapping[str, np.ndarray], speakers: np.ndarray) -> np.ndarray:
    """How far the windows of a corpus are from all corpora without their speakers."""
    names, which = np.unique(speakers, return_inverse=True)
    found = []
    for share in range(min(SHARES, len(names)) if len(names) > 1 else 0):
        away = which % SHARES == share
        known = [rows[each] if each != corpus else rows[each][~away] for each in rows]
        found.append(Surroundings(_gaussians(known)).distances(rows[corpus][away]))
    return np.concatenate(found) if found else np.zeros(0)


def _gaussians(corpora: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Their middles, and their mean covariance as a scale and a few axes; any edges."""
    middles = np.array([rows.mean(axis=0) for rows in corpora])
    within = np.mean([np.cov(rows, rowvar=False, bias=True) for rows in corpora], axis=0)
    deviation = np.sqrt(np.maximum(np.diag(within), 1e-12))
    within = (1.0 - SHRINKAGE) * within / np.outer(deviation, deviation)
    variances, axes = np.linalg.eigh(within + SHRINKAGE * np.eye(len(within)))
    first, rest = variances[:-AXES - 1:-1], variances[:-AXES].mean()
    return {
        "middles": middles,
        "scale": 1.0 / (deviation * np.sqrt(rest * len(deviation))),
        # What a direction of a larger variance counts less than its square is taken away again.
        "axes": axes[:, :-AXES - 1:-1] * np.sqrt(1.0 - rest / first),
        "edges": np.array([0.0, 1.0]),
    }
