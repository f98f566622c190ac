"""Work that would make the screen stutter, done elsewhere; its outcome comes back to the screen."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable


class Background:
    """One thread that does one job after the other.

    deliver: calls a function soon, in the screen's thread.
    """

    def __init__(self, deliver: Callable[[Callable[[], None]], None]) -> None:
        self._deliver = deliver
        self._thread = ThreadPoolExecutor(1, "background")
        self._under_way = 0

    @property
    def idle(self) -> bool:
        """Whether every job is done and its outcome delivered. For the screen's thread."""
        return self._under_way == 0

    def run(
        self,
        job: Callable[[], Any],
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Does the job, and hands its outcome to `then` or its exception to `failed`.

        To be called in the screen's thread, in which these two are called as well. An exception
        that nobody takes is logged.
        """
        self._under_way += 1

        def done(future: Future[Any]) -> None:
            self._deliver(lambda: self._hand_over(future, then, failed))

        self._thread.submit(job).add_done_callback(done)

    def close(self) -> None:
        """Waits for the jobs under way."""
        self._thread.shutdown()

    def _hand_over(
        self,
        future: Future[Any],
        then: Callable[[Any], None] | None,
        failed: Callable[[Exception], None] | None,
    ) -> None:
        self._under_way -= 1
        error = future.exception()
        if error is None:
            if then is not None:
                then(future.result())
        elif failed is not None and isinstance(error, Exception):
            failed(error)
        else:
            logging.getLogger(__name__).error("a job failed", exc_info=error)
