"""Messages between two threads: in order, bounded, and nobody waits for ever."""

from __future__ import annotations

import threading
import time

from edge.intake.inbox import MqttMessage
from edge.intake.receive_queue import ReceiveQueue
from edge.intake.stream import Incoming


def messages(*numbers: int, size: int = 1) -> list[Incoming]:
    return [Incoming(MqttMessage("t", bytes(size)), number, None) for number in numbers]  # type: ignore[arg-type]


def test_what_is_put_is_taken_once_in_order_and_never_more_than_allowed_at_once() -> None:
    queue, taken = ReceiveQueue(7), []
    putting = threading.Thread(target=lambda: [queue.put(messages(*range(at, at + 10))) for at in range(0, 20_000, 10)])
    putting.start()
    while len(taken) < 20_000:
        some = queue.take(10.0, 0.0)
        assert 0 < len(some) <= 7
        taken += [one.packet for one in some]
    putting.join()
    assert taken == list(range(20_000))


def test_an_empty_queue_is_left_after_the_time_given() -> None:
    assert ReceiveQueue(7).take(0.0, 10.0) == []


def test_enough_ends_the_gathering() -> None:
    queue, begun = ReceiveQueue(2), time.monotonic()
    queue.put(messages(1))
    later = threading.Timer(0.05, queue.put, [messages(2)])
    later.start()
    assert len(queue.take(10.0, 30.0)) == 2
    assert time.monotonic() - begun < 20
    later.join()


def test_large_messages_end_the_gathering_and_hold_up_who_puts_more() -> None:
    queue = ReceiveQueue(1000)
    queue.put(messages(1, size=1 << 20))
    putting = threading.Thread(target=queue.put, args=[messages(2)])
    putting.start()
    assert [one.packet for one in queue.take(10.0, 30.0)] == [1]
    assert [one.packet for one in queue.take(10.0, 0.0)] == [2]
    putting.join()


def test_closing_frees_who_waits_for_room() -> None:
    queue = ReceiveQueue(1000)
    queue.put(messages(1, size=1 << 20))
    putting = threading.Thread(target=queue.put, args=[messages(2)])
    putting.start()
    queue.close()
    putting.join(10)
    assert not putting.is_alive()
