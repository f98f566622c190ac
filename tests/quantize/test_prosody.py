"""A run's judge of prosody goes into the bundle, with the temperature of the int8 form."""

from __future__ import annotations

import json

import numpy as np

from edge.bundle import Bundle
from edge.prosody import ARRAYS_OF_USUAL, read_arrays
from tests.edge.bundles import learning_prosody_arrays
from tests.quantize.tiny import LENIENT
from training.prosody import write_prosody


def test_prosody_is_proven_and_shipped_with_the_experts(run_copy, quantize_command, tmp_path):
    given = learning_prosody_arrays(weight=1.0)
    write_prosody(run_copy / "prosody.npz", given)
    out = tmp_path / "heard"
    assert quantize_command(run_copy, out, "--method", "ptq", *LENIENT) == 0
    bundle = Bundle.load(out)
    assert bundle.prosody.weight == 1.0 and bundle.prosody.temperature != 1.0
    shipped = read_arrays(out / "prosody.npz")
    for name in ("weights", *ARRAYS_OF_USUAL):
        assert np.array_equal(shipped[name], given[name])
    assert bundle.prosody.learns
    assert "statistics of the window" in (out / "CARD.md").read_text()

    (run_copy / "prosody.npz").unlink()
    without = tmp_path / "unheard"
    assert quantize_command(run_copy, without, "--method", "ptq", *LENIENT) == 0
    assert Bundle.load(without).prosody is None
    proofs = [json.loads((folder / "quantization.json").read_text()) for folder in (out, without)]
    assert proofs[0]["chosen"] == proofs[1]["chosen"]  # experts are chosen without it
    assert proofs[0]["proof"] != proofs[1]["proof"]  # but it is heard in what is proven
    assert "statistics" not in (without / "CARD.md").read_text()
    assert not (without / "prosody.npz").exists()
