"""`python -m benchmarks`, on the quickest of its suites and for no longer than needed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge.bundles import PLACEHOLDER_MODEL, make_bundle, random_gate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Models that load, which is all that resampling asks of them."""
    for package in ("pytest_benchmark", "threadpoolctl"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install -e '.[bench]'")
    models = dict.fromkeys(("female", "male"), PLACEHOLDER_MODEL)
    return make_bundle(tmp_path_factory.mktemp("models"), random_gate(), models)


def bench(*arguments):
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    # Where tests run side by side, pytest-benchmark would take itself for one of them.
    environment = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)


def test_a_run_prints_its_table_and_keeps_it_beside_the_figures(bundle, tmp_path):
    run = bench(
        "--bundle", bundle, "--json", tmp_path / "reports" / "run.json",
        "-k", "bench_edge and 48000 and resample", "--benchmark-max-time=0.01",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    table = (tmp_path / "reports" / "run.md").read_text(encoding="utf-8")
    assert table in run.stdout
    assert "### Resampling of 3 s from 48 kHz to 16 kHz" in table
    assert "1.0x" in table
    kept = json.loads((tmp_path / "reports" / "run.json").read_text(encoding="utf-8"))
    (benchmark,) = kept["benchmarks"]
    assert benchmark["extra_info"]["entry"] == "edge"
    assert "data" not in benchmark["stats"]
    assert kept["environment"]["threads"] == 1


def test_a_run_that_measures_nothing_fails_and_forgets_the_one_before(bundle, tmp_path):
    path = tmp_path / "run.json"
    path.write_text("{}")
    run = bench("--bundle", bundle, "--json", path, "-k", "no_such_benchmark")
    assert run.returncode != 0
    assert "error" in run.stderr
    assert not (tmp_path / "run.md").exists()


def test_without_models_the_run_says_which_folder_it_looked_in(bundle, tmp_path):
    run = bench("--bundle", tmp_path / "nowhere", "--json", tmp_path / "run.json")
    assert run.returncode != 0
    assert "nowhere" in run.stdout + run.stderr
    assert "EDGE_BENCH_BUNDLE" in run.stdout + run.stderr


def test_a_document_is_renewed_by_whole_runs_alone(bundle, tmp_path):
    run = bench("--bundle", bundle, "--write", tmp_path / "page.md", "-k", "resample")
    assert run.returncode == 2
    assert "whole run" in run.stderr
