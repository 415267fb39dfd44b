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


def test_messages_that_keep_coming_are_gathered() -> None:
    queue = ReceiveQueue(1000)
    stopped = threading.Event()
    putting = threading.Thread(target=lambda: [queue.put(messages(n)) for n in range(1000) if not stopped.wait(0.01)])
    putting.start()
    taken = [len(queue.take(10.0, 0.5)) for _ in range(4)]
    stopped.set()
    putting.join()
    assert max(taken) >= 10


def test_a_flow_that_stands_still_is_not_waited_for() -> None:
    """As of a broker that has sent what it may have under way: no more comes before these are acknowledged."""
    queue, begun = ReceiveQueue(1000), time.monotonic()
    for at in range(0, 200, 20):
        queue.put(messages(*range(at, at + 20)))
        assert len(queue.take(10.0, 30.0)) == 20
    assert time.monotonic() - begun < 25


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
