"""What a puller has out is bounded, stays leased until it is acknowledged, and comes again where nobody acknowledged it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from pipeline.elements import ReceivedMessage
from pipeline.io.subscription.leases import Bounds
from pipeline.io.subscription.puller import Puller, Unreachable
from tests.pipeline.io.subscription.twin import Subscription, Time
from tests.waiting import eventually

BOUNDS = Bounds(messages=3, bytes=100, lease_seconds=60, longest_seconds=600.0)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def subscription(time: Time) -> Subscription:
    return Subscription(time)


@pytest.fixture
def puller(time: Time, subscription: Subscription) -> Puller:
    return _puller(time, subscription)


def _puller(time: Time, subscription: Subscription) -> Puller:
    return Puller(subscription, time.monotonic, time.wall, Random(1), BOUNDS)


def names(messages: list[ReceivedMessage]) -> list[str]:
    return [message.attributes["name"] for message in messages]


def ids(messages: list[ReceivedMessage]) -> list[str]:
    return [message.ack_id for message in messages]


def test_no_more_messages_are_out_than_the_bound_whoever_has_them(subscription: Subscription, puller: Puller) -> None:
    for number in range(5):
        subscription.publish(f"m{number}")
    assert puller.pull()
    taken = puller.take(2)
    assert not puller.pull()
    assert (names(taken), puller.out) == (["m0", "m1"], 3)
    puller.acknowledge(ids(taken))
    assert puller.pull()
    assert names(puller.take(9)) == ["m2", "m3", "m4"]


def test_no_more_bytes_are_out_than_the_bound_and_one_message(subscription: Subscription, puller: Puller) -> None:
    subscription.publish("large", bytes(200))
    puller.pull()
    subscription.publish("small")
    assert not puller.pull()
    puller.acknowledge(ids(puller.take(1)))
    assert puller.pull()


def test_a_lease_is_extended_until_the_rows_are_written(time: Time, subscription: Subscription, puller: Puller) -> None:
    subscription.publish("slow")
    puller.pull()
    taken = puller.take(1)
    for _ in range(20):
        time.seconds += 25
        puller.extend()
        assert subscription.pull(10) == []
    puller.acknowledge(ids(taken))
    assert subscription.left == set()


def test_without_extension_the_message_comes_again(time: Time, subscription: Subscription, puller: Puller) -> None:
    subscription.publish("slow")
    puller.pull()
    time.seconds += 61
    assert names(subscription.pull(10)) == ["slow"]


def test_a_message_from_which_nothing_comes_is_given_up_and_comes_again(time: Time, subscription: Subscription, puller: Puller) -> None:
    subscription.publish("forgotten")
    puller.pull()
    puller.take(1)
    for _ in range(25):
        time.seconds += 25
        puller.extend()
    assert puller.out == 0
    time.seconds += 61
    assert puller.pull()
    assert names(puller.take(1)) == ["forgotten"]


def test_an_acknowledgement_that_fails_is_tried_again_and_the_message_stays_out(
    time: Time, subscription: Subscription, puller: Puller
) -> None:
    subscription.publish("written")
    puller.pull()
    subscription.is_down = True
    puller.acknowledge(ids(puller.take(1)))
    with pytest.raises(Unreachable):
        puller.extend()
    assert (puller.out, subscription.left) == (1, {"written"})
    subscription.is_down = False
    puller.extend()
    assert (puller.out, subscription.left) == (0, set())


def test_what_is_pulled_and_not_passed_on_is_given_back_at_once_and_what_is_out_goes_on(
    time: Time, subscription: Subscription, puller: Puller
) -> None:
    for name in ("passed on", "waiting"):
        subscription.publish(name)
    puller.pull()
    taken = puller.take(1)
    puller.stop_pulling()
    assert names(subscription.pull(10)) == ["waiting"]
    puller.acknowledge(ids(taken))
    assert subscription.left == {"waiting"}


def test_a_puller_that_closes_gives_back_everything(subscription: Subscription, puller: Puller) -> None:
    for name in ("passed on", "waiting"):
        subscription.publish(name)
    puller.pull()
    puller.take(1)
    puller.close()
    assert names(subscription.pull(10)) == ["passed on", "waiting"]


def test_asked_to_finish_it_waits_for_what_is_out_and_gives_back_what_waits(subscription: Subscription, puller: Puller) -> None:
    for name in ("passed on", "waiting"):
        subscription.publish(name)
    puller.pull()
    passed_on = puller.take(1)
    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(puller.finish, 1.0)
        assert eventually(lambda: names(subscription.pull(10)) == ["waiting"])
        assert not finishing.done()
        puller.acknowledge(ids(passed_on))
        finishing.result(60.0)
    assert subscription.left == {"waiting"}


def test_asked_to_finish_it_does_not_wait_for_ever(time: Time, subscription: Subscription, puller: Puller) -> None:
    subscription.publish("never written")
    puller.pull()
    puller.take(1)
    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(puller.finish, 1.0)

        def is_over() -> bool:
            time.seconds += 1.0
            return finishing.done()

        assert eventually(is_over)
    assert names(subscription.pull(10)) == ["never written"]


def test_its_threads_pull_go_on_after_an_outage_and_end(time: Time, subscription: Subscription, puller: Puller) -> None:
    puller.start()
    for number in range(3):
        subscription.publish(f"m{number}")
    found: list[ReceivedMessage] = []

    def all_came() -> bool:
        found.extend(puller.take(10, 0.01))
        return len(found) == 3

    eventually(all_came)
    puller.close()
    puller.start()
    assert puller.take(1) == []


def test_many_threads_acknowledge_each_message_once(time: Time) -> None:
    acknowledged: list[str] = []

    class Counting(Subscription):
        def acknowledge(self, ack_ids: Sequence[str]) -> None:
            acknowledged.extend(ack_ids)

    puller, interval = _puller(time, Counting(time)), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda first: puller.acknowledge(str(first * 5 + number) for number in range(5)), range(2_000)))
    finally:
        sys.setswitchinterval(interval)
    assert sorted(map(int, acknowledged)) == list(range(10_000))
