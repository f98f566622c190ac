"""The room's rules: one thread, real models, and no figure for a wrong output."""

from __future__ import annotations

from benchmarks.threads import require_one_thread, use_one_thread

use_one_thread()  # before anything loads numpy

import pytest  # noqa: E402

from benchmarks.comparison import Comparison  # noqa: E402
from benchmarks.environment import bundle_folder, describe_environment  # noqa: E402
from benchmarks.installed_size import compare_sizes  # noqa: E402
from edge.bundle import Bundle  # noqa: E402
from edge.errors import EdgeError  # noqa: E402


def pytest_configure(config):
    folder = bundle_folder()
    if not (folder / "manifest.json").is_file():
        raise pytest.UsageError(
            f"no model bundle in {folder}: name one by EDGE_BENCH_BUNDLE, or make it by "
            "`python -m quantize`"
        )


CIRCUMSTANCES = pytest.StashKey()

# Along the path, but for TensorFlow: once loaded it would be beside all that follows.
ORDER = ("resample", "features", "gender", "predict", "stream", "start", "expert")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: (
        ORDER.index(item.path.stem.removeprefix("bench_")), item.name.startswith("bench_float")
    ))


@pytest.fixture(scope="session")
def bundle():
    """The models that are timed."""
    return Bundle.load(bundle_folder())


@pytest.fixture
def compare(benchmark):
    """Times one entry: see `benchmarks.comparison`."""
    yield Comparison(benchmark)
    require_one_thread()


def pytest_sessionstart(session):
    # Now, since the load of the machine is to be that before the benchmarks.
    try:
        session.config.stash[CIRCUMSTANCES] = {
            "environment": describe_environment(),
            "installed_sizes": compare_sizes(),
        }
    except (EdgeError, LookupError) as error:
        raise pytest.UsageError(str(error)) from error


def pytest_benchmark_update_json(config, benchmarks, output_json):
    for entry in output_json["benchmarks"]:
        entry["stats"].pop("data", None)  # every single timing: megabytes that nobody reads
    output_json.update(config.stash[CIRCUMSTANCES])
