"""What is too large for a batch, a commit or a store is cut smaller, and what stands beside it never notices."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from edge.config import Config
from edge.gateway import Gateway, MqttMessage
from edge.store.store import Store, StoreFull
from tests.edge.gateways import START, config, message, rows

MIB = 1 << 20


def sent(settings: Config, bound: int, messages: list[MqttMessage], after: timedelta) -> Counter[str]:
    """Takes all messages at once, closes their windows, and counts the values of each device that are in summaries."""
    with closing(Store(settings.store_file, "gw-1", bound)) as store:
        gateway = Gateway(settings, store, START)
        gateway.accept(messages, START + timedelta(seconds=1))
        gateway.flush(START + after)
        assert store.ledger().dropped == 0
        counted = Counter[str]()
        for row in rows(store, "summaries"):
            counted[row["device_id"]] += row["count"]
        return counted


def test_wide_messages_with_gaps_in_their_numbers_are_cut_smaller(tmp_path: Path) -> None:
    """Case 22: a batch of 65 summaries was too large, the gateway dead, and dead again after each restart."""
    values = {f"c{number}": 1.5 for number in range(64)}
    wide = [message("d1", {"seq": 2 * at, "time": START.timestamp() + at / 100, "values": values}) for at in range(5000)]
    good = message("d2", {"seq": 1, "time": START.timestamp(), "values": {"moisture": 0.3}})
    settings = config(tmp_path, windows={"seconds": 3600, "grace_seconds": 2}, mqtt={"max_payload_bytes": MIB})
    assert sent(settings, 64 * MIB, [*wide, good], timedelta(hours=2)) == {"d1": 5000 * 64, "d2": 1}


def test_a_small_store_takes_readings_and_cuts_of_any_number_in_parts(tmp_path: Path) -> None:
    """Case 23: one commit of N pages, and the gateway was dead for good."""
    channels = {f"channel-{number}": "1" for number in range(5)}
    sensors = [{"name": "soil", "devices": ["d*"], "channels": channels, "deadband": dict.fromkeys(channels, 0.5)}]
    settings = config(tmp_path, sensors=sensors)
    rng = random.Random(7)
    messages = [message(f"d{number}", {"values": {channel: rng.random() for channel in channels}}) for number in range(2000)]
    assert sum(sent(settings, 8 * MIB, messages, timedelta(minutes=1)).values()) == 5 * 2000


def test_one_message_of_the_largest_size_finds_its_way_through_the_smallest_store(tmp_path: Path) -> None:
    values = {f"{number:060}": 1.5 for number in range(64)}
    items = [{"seq": 3 * at, "time": START.timestamp() + at / 1000, "values": values} for at in range(200)]
    payload = json.dumps(items).encode()
    settings = config(tmp_path, mqtt={"max_payload_bytes": MIB})
    assert sent(settings, 16 * MIB, [MqttMessage("sensors/d1/readings", payload)], timedelta(minutes=1)) == {"d1": 200 * 64}


def test_names_of_channels_that_never_come_again_cost_their_sender_alone(tmp_path: Path) -> None:
    """Case 27: 12 MB of them blocked the core for 161 s."""
    wide = [message("d1", {"seq": at, "values": {f"c{at}-{number}": 1.5 for number in range(63)} | {"moisture": 0.3}}) for at in range(200)]
    good = message("d2", {"seq": 1, "values": {"moisture": 0.3}})
    settings = config(tmp_path)
    with closing(Store(settings.store_file, "gw-1", 64 * MIB)) as store:
        gateway = Gateway(settings, store, START)
        gateway.accept([*wide, good], START + timedelta(seconds=1))
        gateway.flush(START + timedelta(minutes=1))
        summaries = rows(store, "summaries")
        assert len(summaries) == 256 + 2
        assert [row["count"] for row in summaries if row["channel"] == "moisture"] == [200, 1]
        rejected = [len(json.loads(row["payloadBytes"])["values"]) for row in rows(store, "rejects")]
        assert sum(rejected) == 200 * 63 - 256
        assert {row["reason"] for row in rows(store, "rejects")} == {"too_many_channels"}
        assert gateway.heartbeat(START).readings_over_limit == len(rejected)


def test_open_windows_take_so_much_memory_and_no_more_is_acknowledged_until_they_close(tmp_path: Path) -> None:
    settings = config(tmp_path, limits={"open_bytes": MIB}, windows={"seconds": 3600, "grace_seconds": 2})
    with closing(Store(settings.store_file, "gw-1", 64 * MIB)) as store:
        gateway, accepted = Gateway(settings, store, START), 0
        with suppress(StoreFull):
            for accepted in range(0, 10_000, 100):
                gateway.accept([message(f"d{accepted + at}", {"seq": 1, "values": {"moisture": 0.3}}) for at in range(100)], START)
        with pytest.raises(StoreFull, match=r"limits\.open_bytes"):
            gateway.accept([], START)
        assert 500 < accepted < 2000
        assert store.ledger().journaled == accepted
        gateway.tick(START + timedelta(hours=2))
        gateway.accept([], START + timedelta(hours=2))
        gateway.flush(START + timedelta(hours=4))
        assert sum(row["count"] for row in rows(store, "summaries")) == accepted + 100


def filled(settings: Config, readings_of_a_device: int, most: int) -> tuple[int, int]:
    """Takes readings of a long window until there is no memory for more, or so many; returns how many, and the bytes that they took."""
    with closing(Store(settings.store_file, "gw-1", 64 * MIB)) as store:
        gateway, accepted, before = Gateway(settings, store, START), 0, tracemalloc.get_traced_memory()[0]
        with suppress(StoreFull):
            for accepted in range(0, most, 100):
                numbers = [divmod(accepted + at, readings_of_a_device) for at in range(100)]
                gateway.accept([message(f"d{device}", {"seq": seq, "values": {"moisture": 0.3}}) for device, seq in numbers], START)
        return accepted, tracemalloc.get_traced_memory()[0] - before


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("readings_of_a_device", [1, 50])
def test_a_store_of_open_windows_takes_no_more_memory_than_it_may(tmp_path: Path, readings_of_a_device: int) -> None:
    """What is known of each device is in it too: it is not a window's, and bounded by limits.devices."""
    long_window = {"seconds": 3600, "grace_seconds": 2}
    bounded = config(tmp_path / "bounded", limits={"open_bytes": MIB}, windows=long_window)
    accepted, took = filled(bounded, readings_of_a_device, 20_000)
    assert 500 < accepted < 10_000
    assert took < 3 * MIB
    before = tracemalloc.get_traced_memory()[0]
    with closing(Store(bounded.store_file, "gw-1", 64 * MIB)) as store:
        resumed = Gateway(bounded, store, START)
        assert tracemalloc.get_traced_memory()[0] - before < 3 * MIB
        with pytest.raises(StoreFull, match=r"limits\.open_bytes"):
            resumed.accept([message("d0", {"seq": 10**6, "values": {"moisture": 0.3}})], START)
    _, unbounded = filled(config(tmp_path / "unbounded", windows=long_window), readings_of_a_device, 2 * accepted + 4000)
    assert unbounded > 3 * MIB, "no bound would be seen"


def test_readings_of_one_device_are_packed_so_that_many_more_find_room(tmp_path: Path) -> None:
    settings = config(tmp_path, limits={"open_bytes": MIB}, windows={"seconds": 3600, "grace_seconds": 2})
    with closing(Store(settings.store_file, "gw-1", 64 * MIB)) as store:
        gateway = Gateway(settings, store, START)
        for batch in range(20):
            items = [{"seq": 500 * batch + at, "time": START.timestamp() + at, "values": {"moisture": 0.3}} for at in range(500)]
            gateway.accept([message("d1", *items)], START + timedelta(seconds=500))
        assert store.ledger().journaled == 10_000
