"""The backlog goes up in larger requests, not in more of them, and never slower than twenty times what is cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.store.store import Store
from edge.uplink.pace import ALONE_SECONDS, CATCHING_UP, SPREAD_SECONDS
from schemas.records import LinkState
from tests.edge.encoded import NOW, encoded
from tests.edge.pubsub_twin import PubSubTwin
from tests.edge.uplink.world import World, cut

WAITING = 1000


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    with closing(Store(folder / "store.db", "gw-1", 16 << 20)) as store:
        yield World(store, PubSubTwin())


def reconnected(world: World, body: bytes = b"summaries") -> float:
    """Lets a backlog gather, and returns when the uplink is back and what is live has gone."""
    world.twin.weather = "down"
    world.store.cut([encoded("summaries", body)] * WAITING, NOW)
    world.run(600)
    world.twin.weather = "fine"
    world.run(world.now + 300, lambda: world.sender.state == LinkState.ONLINE)
    began = world.now
    world.run(began + SPREAD_SECONDS)
    return began


def requests_since(world: World, time: float) -> list[int]:
    return [size for at, size in zip(world.twin.attempts, world.twin.sizes, strict=True) if at > time]


def test_a_backlog_alone_makes_a_request_a_minute(world: World) -> None:
    began = reconnected(world)
    world.run(began + 5 * ALONE_SECONDS)
    assert len(requests_since(world, began)) == 5
    assert len(world.twin.received) > 5 * 100


def test_a_backlog_goes_along_with_what_is_cut(world: World) -> None:
    began = reconnected(world)
    for _ in range(6):
        cut(world.store, "summaries")
        world.run(world.now + 10)
    assert len(requests_since(world, began)) == 7, "no more than what was cut"
    assert world.drained()


def test_what_is_cut_in_large_batches_lets_the_backlog_make_requests_of_its_own(world: World) -> None:
    """Of a gateway whose batches hardly leave room beside them in a request."""
    began = reconnected(world, bytes(10_000))
    world.run(began + 2 * ALONE_SECONDS)
    before = len(world.twin.received)
    for _ in range(2):
        world.store.cut([encoded("summaries", bytes(490_000))] * 2, NOW)
        world.run(world.now + 10)
    assert len(world.twin.received) - before >= 2 * 2 * CATCHING_UP


def test_an_event_waits_for_no_spread(world: World) -> None:
    world.twin.weather = "down"
    cut(world.store, *["events"] * 3, "summaries")
    world.run(600)
    world.twin.weather = "fine"
    world.run(world.now + 300, lambda: world.sender.state == LinkState.ONLINE)
    world.run(world.now + 0.1)
    assert len(world.twin.received) == 3
    world.run(world.now + SPREAD_SECONDS)
    assert len(world.twin.received) == 4
