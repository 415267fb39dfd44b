"""Heartbeats go with batches where they can, are never much later than asked for, and say at once what somebody waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.heartbeats import SOON, Heartbeats, States
from edge.settings.gateway import GatewaySettings
from edge.store.ledger import Ledger
from schemas.records import LinkState, TimeQuality

BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)
ONLINE: States = (LinkState.ONLINE, LinkState.ONLINE, TimeQuality.SYNCED)
OFFLINE: States = (LinkState.OFFLINE, LinkState.ONLINE, TimeQuality.SYNCED)
IDLE = Ledger(
    journaled=0,
    cut=0,
    confirmed=0,
    pending=0,
    dropped=0,
    dropped_ranges=(),
    thinned=0,
    thinned_ranges=(),
    readings_dropped=0,
    oldest_pending_time=None,
    store_bytes=0,
    store_bytes_max=0,
    counters={},
)


class World:
    """Ticks every second; `cuts` are the seconds at which batches are cut. Says when heartbeats were due."""

    def __init__(self, interval: int, batch: int) -> None:
        self.ledger = IDLE
        settings = GatewaySettings(id="gw-1", state_dir=Path("state"), heartbeat_seconds=interval)
        self.heartbeats = Heartbeats(settings, batch, lambda: self.ledger)
        self.due: list[int] = []
        self._last_cut = BEGIN

    def run(self, seconds: range, cuts: set[int] | range = range(0), states: States = ONLINE) -> list[int]:
        for second in seconds:
            now = BEGIN + timedelta(seconds=second)
            if self.heartbeats.is_due(now, states=states, was_cut=second in cuts, last_cut=self._last_cut):
                self.heartbeats.note(now, states, self.ledger.oldest_pending_time)
                self.due.append(second)
            if second in cuts:
                self._last_cut = now
        return self.due


def test_the_first_is_due_at_once_and_the_next_with_the_batches() -> None:
    assert World(900, 900).run(range(4000), range(900, 4000, 900)) == [0, 900, 1800, 2700, 3600]


def test_one_waits_for_a_batch_that_is_near_and_then_goes_with_each() -> None:
    """The first batch is cut a minute late, for nothing was there to be cut."""
    assert World(900, 900).run(range(4000), range(960, 4000, 900)) == [0, 960, 1860, 2760, 3660]


def test_one_that_was_a_little_later_than_the_start_goes_with_the_batches_that_count_from_it() -> None:
    """The first comes with the first tick, and batches are cut at times since the start."""
    world = World(900, 900)
    assert world.run(range(1, 4000), range(900, 4000, 900)) == [1, 900, 1800, 2700, 3600]


def test_one_does_not_wait_for_a_batch_that_is_far() -> None:
    assert World(60, 900).run(range(200)) == [0, 60, 120, 180]


@given(st.integers(1, 2000), st.integers(1, 2000), st.sets(st.integers(1, 8000), max_size=60))
def test_none_is_later_than_a_quarter_more_nor_earlier_than_a_minute_less(interval: int, batch: int, cuts: set[int]) -> None:
    due = World(interval, batch).run(range(8000), cuts)
    gaps = [later - earlier for earlier, later in pairwise(due)]
    assert all(interval - min(60, interval / 4) <= gap <= interval * 1.25 + 1 for gap in gaps)
    assert len(due) >= 8000 // (interval * 1.25 + 1)


@pytest.mark.parametrize("changed", [OFFLINE, (*ONLINE[:2], TimeQuality.UNTRUSTED)])
def test_a_state_that_changed_is_said_within_a_minute_of_the_last(changed: States) -> None:
    world = World(900, 900)
    world.run(range(100))
    assert world.run(range(100, 400), states=changed) == [0, 100]
    assert world.run(range(400, 900), states=ONLINE) == [0, 100, 400]


def test_a_link_that_comes_and_goes_costs_one_a_minute() -> None:
    world = World(900, 900)
    for second in range(600):
        world.run(range(second, second + 1), states=(OFFLINE, ONLINE)[second % 2])
    assert len(world.due) <= 600 / SOON.total_seconds() + 1


def test_that_a_backlog_is_gone_is_said_at_once() -> None:
    world = World(900, 900)
    world.ledger = replace(IDLE, oldest_pending_time=BEGIN - timedelta(hours=3))
    world.run(range(300))
    world.ledger = replace(IDLE, oldest_pending_time=BEGIN + timedelta(seconds=299))
    assert world.run(range(300, 800)) == [0, 300]


def test_a_backlog_that_went_while_a_heartbeat_was_cut_is_said_to_be_gone() -> None:
    world = World(900, 900)
    world.heartbeats.note(BEGIN, ONLINE, BEGIN - timedelta(hours=3))
    assert world.run(range(1, 300)) == [60]
