"""How tests in several processes wait for one another."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path

import pytest

from tests.side_by_side import in_turn


class Run:
    """A test that lasts until it is told to end."""

    def __init__(self, lock: Path, name: str, inside: list[str], alone: bool = False) -> None:
        self.begun, self.end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(lock, name, inside, alone))
        self._thread.start()

    def _run(self, lock: Path, name: str, inside: list[str], alone: bool) -> None:
        with in_turn(lock, alone):
            inside.append(name)
            self.begun.set()
            self.end.wait(30)
            inside.remove(name)

    def finish(self) -> None:
        self.end.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def wait_at_the_door(lock: Path) -> None:
    """Until somebody stands in it."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with lock.with_suffix(".door").open("w") as door:
            try:
                fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        time.sleep(0.01)
    pytest.fail("nobody waits")


def test_others_run_together_and_wait_for_who_runs_alone(tmp_path):
    lock, inside = tmp_path / "lock", []
    first, second = Run(lock, "first", inside), Run(lock, "second", inside)
    assert first.begun.wait(30) and second.begun.wait(30)
    alone = Run(lock, "alone", inside, alone=True)
    wait_at_the_door(lock)
    late = Run(lock, "late", inside)
    first.finish()
    assert not alone.begun.wait(0.1) and inside == ["second"]
    second.finish()
    assert alone.begun.wait(30)
    assert not late.begun.wait(0.1) and inside == ["alone"]
    alone.finish()
    assert late.begun.wait(30)
    late.finish()
    assert inside == []
