"""Experts that survive a fork: each process has buffers, and locks, of its own."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping

from edge.emotion import Expert, NativeExpert, TFLiteExpert


class ProcessExperts(Mapping[str, Expert]):
    """The experts by gender, those of the process that asks.

    A fork copies an expert's buffers together with a lock that a thread of the parent may hold just
    then; in the child nobody would ever release it. So the child gets experts of the same models,
    which get ready at the first use. Experts of other kinds are shared as they are.
    """

    def __init__(self, experts: Mapping[str, Expert]) -> None:
        self._experts = dict(experts)
        self._of_process = {os.getpid(): self._experts}

    def __getitem__(self, gender: str) -> Expert:
        return self._here()[gender]

    def __iter__(self) -> Iterator[str]:
        return iter(self._experts)

    def __len__(self) -> int:
        return len(self._experts)

    def __reduce__(self) -> tuple[type[ProcessExperts], tuple[dict[str, Expert]]]:
        return ProcessExperts, (self._experts,)

    def _here(self) -> dict[str, Expert]:
        process = os.getpid()
        here = self._of_process.get(process)
        if here is None:
            copies = {
                gender: copy.copy(expert)
                if isinstance(expert, (NativeExpert, TFLiteExpert))
                else expert
                for gender, expert in self._experts.items()
            }
            here = self._of_process.setdefault(process, copies)  # one thread of several wins
        return here
