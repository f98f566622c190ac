from __future__ import annotations

import threading

import numpy as np
import pytest

from app.recorders import MicrophoneLost
from app.recorders.sound_queue import SoundQueue


def chunk(value: int, length: int = 10) -> np.ndarray:
    return np.full(length, value, np.int16)


def test_chunks_come_in_order_without_a_copy_and_end_after_the_end():
    queue = SoundQueue(capacity=100)
    put = [chunk(value) for value in range(5)]
    assert all(map(queue.put, put))
    queue.end()
    assert [id(each) for each in queue] == [id(each) for each in put]
    assert list(queue) == []


def test_what_has_no_room_is_dropped_and_counted():
    queue = SoundQueue(capacity=35)
    assert [queue.put(chunk(value)) for value in range(5)] == [True, True, True, False, False]
    assert queue.dropped == 2
    taken = iter(queue)
    assert next(taken)[0] == 0
    assert queue.put(chunk(9))
    queue.end()
    assert [each[0] for each in taken] == [1, 2, 9]


def test_an_error_comes_after_what_was_heard_before_it_and_the_first_holds():
    queue = SoundQueue(capacity=100)
    queue.put(chunk(1))
    queue.end(MicrophoneLost("first"))
    queue.end(MicrophoneLost("second"))
    queue.end()
    taken = iter(queue)
    assert next(taken)[0] == 1
    with pytest.raises(MicrophoneLost, match="first"):
        next(taken)


def test_nothing_arrives_after_the_end_and_it_counts_as_no_loss():
    queue = SoundQueue(capacity=100)
    queue.end()
    assert not queue.put(chunk(1))
    assert not queue.put_when_read(chunk(1))
    assert queue.dropped == 0
    assert queue.ended


def test_a_reader_waits_for_what_comes():
    queue = SoundQueue(capacity=100)
    got = []
    reader = threading.Thread(target=lambda: got.extend(each[0] for each in queue))
    reader.start()
    for value in range(3):
        queue.put(chunk(value))
    queue.end()
    reader.join()
    assert got == [0, 1, 2]


def test_a_writer_that_waits_is_as_fast_as_the_reader_and_given_up_at_the_end():
    queue = SoundQueue(capacity=1)
    put = []

    def write() -> None:
        while queue.put_when_read(chunk(len(put))):
            put.append(len(put))

    writer = threading.Thread(target=write)
    writer.start()
    taken = iter(queue)
    assert [next(taken)[0] for _ in range(100)] == list(range(100))
    queue.end()
    writer.join()
    assert len(put) - 100 in (0, 1)  # one may wait to be taken
    assert queue.dropped == 0
