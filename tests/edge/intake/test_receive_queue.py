"""Deliveries between two threads: in order, bounded, and nobody waits for ever."""

from __future__ import annotations

import threading
import time

from edge.intake.inbox import MqttMessage
from edge.intake.receive_queue import ReceiveQueue
from edge.intake.stream import Incoming


def deliveries(*numbers: int, size: int = 1) -> list[Incoming]:
    return [Incoming(MqttMessage("t", bytes(size)), number, None) for number in numbers]  # type: ignore[arg-type]


def test_what_is_put_is_taken_once_in_order_and_no_more_than_enough_at_once() -> None:
    basin, taken = ReceiveQueue(7), []
    putting = threading.Thread(target=lambda: [basin.put(deliveries(*range(at, at + 10))) for at in range(0, 20_000, 10)])
    putting.start()
    while len(taken) < 20_000:
        some = basin.take(10.0, 0.0)
        assert 0 < len(some) <= 7
        taken += [one.packet for one in some]
    putting.join()
    assert taken == list(range(20_000))


def test_an_empty_basin_is_left_after_the_time_given() -> None:
    assert ReceiveQueue(7).take(0.0, 10.0) == []


def test_enough_ends_the_gathering() -> None:
    basin, begun = ReceiveQueue(2), time.monotonic()
    basin.put(deliveries(1))
    later = threading.Timer(0.05, basin.put, [deliveries(2)])
    later.start()
    assert len(basin.take(10.0, 30.0)) == 2
    assert time.monotonic() - begun < 20
    later.join()


def test_large_messages_end_the_gathering_and_hold_up_who_puts_more() -> None:
    basin = ReceiveQueue(1000)
    basin.put(deliveries(1, size=1 << 20))
    putting = threading.Thread(target=basin.put, args=[deliveries(2)])
    putting.start()
    assert [one.packet for one in basin.take(10.0, 30.0)] == [1]
    assert [one.packet for one in basin.take(10.0, 0.0)] == [2]
    putting.join()


def test_closing_frees_who_waits_for_room() -> None:
    basin = ReceiveQueue(1000)
    basin.put(deliveries(1, size=1 << 20))
    putting = threading.Thread(target=basin.put, args=[deliveries(2)])
    putting.start()
    basin.close()
    putting.join(10)
    assert not putting.is_alive()
