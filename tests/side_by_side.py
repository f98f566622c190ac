"""Tests that run in several processes at once, and those that want the machine to themselves."""

from __future__ import annotations

import contextlib
import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

TOGETHER = ("quantize",)
"""Folders of `tests` whose files share what takes long to make; elsewhere a file's tests do."""


def group_of(path: Path, tests: Path) -> str:
    """What goes to one process."""
    room, *rest = path.relative_to(tests).parts
    return room if room in TOGETHER else "/".join((room, *rest))


@contextlib.contextmanager
def in_turn(lock: Path, alone: bool) -> Iterator[None]:
    """Waits until nothing runs if that is to run alone, or until what runs alone has ended.

    lock: a file of all processes. Who waits to run alone stands in the door: nothing else begins
    meanwhile, or its turn might never come.
    """
    with lock.with_suffix(".door").open("w") as door, lock.open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.pluginmanager.hasplugin("xdist"):
        return
    tests = Path(__file__).parent
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.path, tests)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    worker = getattr(item.config, "workerinput", None)
    if worker is None:
        return (yield)
    lock = Path(tempfile.gettempdir()) / f"edge-ser-tests-{worker['testrunuid']}"
    with in_turn(lock, item.get_closest_marker("alone") is not None):
        return (yield)
