"""Tests that run in several processes at once, and those that want the machine to themselves."""

from __future__ import annotations

import contextlib
import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    worker = getattr(item.config, "workerinput", None)
    if worker is None:
        return (yield)
    lock = Path(tempfile.gettempdir()) / f"edge-ser-tests-{worker['testrunuid']}"
    with in_turn(lock, item.get_closest_marker("alone") is not None):
        return (yield)
