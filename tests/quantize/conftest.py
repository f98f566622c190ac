from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

_NEEDED = ("tensorflow", "tensorflow_model_optimization", "scipy", "matplotlib")
_NEED_THEM = ("test_bad_runs.py", "test_command.py", "test_graphs.py", "test_methods.py")


def pytest_collection_modifyitems(items):
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        skip = pytest.mark.skip(reason=f"quantization needs {', '.join(missing)}")
        here = Path(__file__).parent
        for item in items:
            if item.path.parent == here and item.path.name in _NEED_THEM:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def tiny_corpora(tmp_path_factory) -> Path:
    """Corpora of synthetic speech. Not to be written to."""
    from tests.quantize.tiny import write_tiny_corpora

    return write_tiny_corpora(tmp_path_factory.mktemp("quantize-corpora"))


@pytest.fixture(scope="session")
def tiny_cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("quantize-cache")


@pytest.fixture(scope="session")
def tiny_run(tiny_corpora, tiny_cache, tmp_path_factory) -> Path:
    """A run with trained experts. Not to be altered, but its folder `quantize` may grow."""
    from tests.quantize.tiny import write_tiny_run

    return write_tiny_run(tmp_path_factory.mktemp("runs") / "tiny", tiny_corpora, tiny_cache)


@pytest.fixture
def run_copy(tiny_run, tmp_path) -> Path:
    """The same, to be damaged at will, without variants."""
    return Path(shutil.copytree(
        tiny_run, tmp_path / "run", ignore=shutil.ignore_patterns("quantize")
    ))


@pytest.fixture(scope="session")
def quantize_command(tiny_corpora, tiny_cache):
    """The function `command(run, out, *options)`: `python -m quantize` on the tiny corpora."""
    from quantize.__main__ import main
    from tests.quantize.tiny import PLAN

    def command(run, out, *options, settings=()):
        return main([
            str(run), "--out", str(out), "--corpora", str(tiny_corpora), "--cache",
            str(tiny_cache), "--quiet", *options, "--set", *PLAN, *settings,
        ])

    return command


@pytest.fixture(scope="session")
def bundle(tiny_run, quantize_command, tmp_path_factory) -> Path:
    """A bundle that passed its gate, by post-training quantization. Not to be altered."""
    from tests.quantize.tiny import LENIENT

    out = tmp_path_factory.mktemp("bundles") / "released"
    assert quantize_command(tiny_run, out, "--method", "ptq", *LENIENT) == 0
    return out


@pytest.fixture
def old_bundle(bundle, tmp_path) -> Path:
    """A bundle that is already where the next one shall go."""
    return Path(shutil.copytree(bundle, tmp_path / "released"))
