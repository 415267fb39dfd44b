"""No more goes up than a second and a day allow, events go all the same, and neither a restart nor a clock that jumps changes that."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from edge.store.store import Store
from edge.uplink.allowance import SECTION, of_day
from edge.uplink.flight import MAX_IN_FLIGHT
from edge.uplink.limits import Limits
from edge.uplink.steady_day import LASTING_SECONDS, SteadyDay
from program.settings import ConfigError
from schemas.records import Kind
from tests.edge.encoded import NOW, encoded
from tests.edge.pubsub_twin import PubSubTwin
from tests.edge.uplink.world import WIRE, World, cut

HOUR, DAY = 3600, 86_400
DAILY = 200_000
FREE = (Kind.EVENTS, Kind.HEARTBEATS)


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    store = Store(folder / "store.db", "gw-1", 32 << 20)
    yield store
    store.close()


def limited(store: Store, **limits: int) -> World:
    return World(store, PubSubTwin(), limits=Limits(**limits))


def summaries(store: Store, count: int, size: int = 500) -> None:
    store.cut([encoded("summaries", bytes(size)) for _ in range(count)], NOW)


def sent(world: World, begin: float = 0.0, end: float = float("inf"), without: tuple[str, ...] = ()) -> int:
    """Counts bytes on the line, of all requests but those of these kinds alone."""
    return sum(
        WIRE.request(batches)
        for at, batches in world.twin.requests
        if begin <= at < end and not {batch.envelope.kind for batch in batches} <= set(without)
    )


@pytest.mark.parametrize("rate", [100, 2000, 50_000])
def test_a_line_carries_as_many_bytes_a_second_as_it_may_and_no_more(store: Store, rate: int) -> None:
    world = limited(store, max_bytes_per_second=rate)
    summaries(store, 400, max(rate // 3, 200))
    world.run(120)
    largest = max(WIRE.request(batches) for _, batches in world.twin.requests)
    assert rate * 100 <= sent(world) <= rate * 121 + largest
    assert largest <= max(2 * rate, 3000), "an event waits for no request that takes seconds"


def test_an_event_goes_at_once_on_a_line_that_is_full(store: Store) -> None:
    world = limited(store, max_bytes_per_second=500)
    summaries(store, 1000)
    world.run(100)
    for _ in range(20):
        (event,) = cut(store, "events")
        began = world.now
        world.run(began + 7)
        assert world.twin.times[event] - began < 0.1


def test_a_flood_of_events_leaves_heartbeats_a_share_and_is_forgotten_a_minute_after(store: Store) -> None:
    world = limited(store, max_bytes_per_second=200)
    beats = list[str]()
    for second in range(900):
        cut(store, "events")
        if second % 300 == 0:
            beats += cut(store, "heartbeats")
        world.run(world.now + 1)
    assert set(beats) <= world.twin.received.keys()
    (last,) = cut(store, "summaries")
    world.run(world.now + 90, lambda: last in world.twin.received)
    assert last in world.twin.received


def test_once_the_day_is_spent_only_events_and_heartbeats_go_until_midnight(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tinybeam.edge")
    world = limited(store, max_bytes_per_day=DAILY)
    summaries(store, 2000)
    world.run(HOUR)
    assert 0.9 * DAILY < sent(world) < DAILY
    assert world.sender.is_idle(world.now), "a stop does not wait for midnight"
    event, beat, _ = cut(store, "events", "heartbeats", "summaries")
    world.run(2 * HOUR)
    assert {event, beat} <= world.twin.received.keys()
    assert sent(world, HOUR, 12 * HOUR, FREE) == 0
    world.run(12 * HOUR - 1)
    assert len(world.twin.requests[-1][1]) == 2
    world.run(12 * HOUR + 180)
    assert 0.9 * DAILY < sent(world, 12 * HOUR) < DAILY
    sentences = [record.getMessage() for record in caplog.records if "uplink:" in record.getMessage()]
    assert ["only events and heartbeats" in each for each in sentences] == [True, False, True]


def test_what_went_today_is_known_after_a_death(store: Store) -> None:
    world = limited(store, max_bytes_per_day=DAILY)
    summaries(store, 2000)
    for _ in range(20):
        world.run(world.now + 0.2)
        world.restart()
    world.run(HOUR)
    day = world.sender._allowance.day
    assert day
    under_way = 20 * WIRE.request(world.store.pending(MAX_IN_FLIGHT))
    assert day.spent <= sent(world) <= day.spent + under_way
    assert 0.9 * DAILY < day.spent < DAILY


@pytest.mark.parametrize("jump", [timedelta(days=7168), timedelta(days=-20_000), timedelta(days=1), timedelta(hours=-13)])
def test_a_clock_that_jumps_for_a_while_begins_no_day_and_ends_none(store: Store, jump: timedelta) -> None:
    world = limited(store, max_bytes_per_day=DAILY)
    summaries(store, 4000)
    for _ in range(10):
        world.run(world.now + 1000)
        world.jump = jump
        world.run(world.now + LASTING_SECONDS - 60)
        world.jump = timedelta()
    assert world.now < 12 * HOUR
    assert sent(world) < DAILY
    world.run(12 * HOUR + 180)
    assert 0.9 * DAILY < sent(world, 12 * HOUR) < DAILY


def test_a_gateway_whose_clock_was_ahead_or_is_in_1970_has_a_budget_every_24_hours(store: Store) -> None:
    world = limited(store, max_bytes_per_day=DAILY)
    summaries(store, 10_000)
    world.jump = timedelta(days=7168)
    world.run(HOUR)
    world.jump = timedelta(days=-20_000)
    world.restart()
    begin = world.now
    world.run(begin + DAY - 60)
    assert sent(world, begin) == 0
    world.run(begin + 2 * DAY - 60)
    assert 0.9 * DAILY < sent(world, begin) < 2 * DAILY


def test_attempts_at_a_dead_line_cost_nothing_of_the_day(store: Store) -> None:
    world = limited(store, max_bytes_per_day=DAILY)
    summaries(store, 10, 5000)
    world.twin.weather = "down"
    world.run(11 * HOUR)
    day = world.sender._allowance.day
    assert day
    assert day.spent < 10_000 * 32
    assert sent(world) > 5 * DAILY
    world.twin.weather = "fine"
    world.run(world.now + 600, world.drained)
    assert world.drained()


@pytest.mark.parametrize("seed", range(1))
def test_whatever_happens_no_day_takes_more_than_it_may_besides_what_is_free(store: Store, seed: int) -> None:
    rng = Random(seed)
    world = World(store, PubSubTwin(rng), rng, Limits(max_bytes_per_day=DAILY, max_bytes_per_second=2000))
    while world.now < 1.5 * DAY:
        store.cut([encoded(kind, bytes(rng.randrange(2000))) for kind in rng.choices(["summaries", "events", "rejects"], k=20)], NOW)
        world.twin.weather = rng.choice(["fine", "fine", "down", "mixed"])
        world.jump = rng.choice([timedelta(), timedelta(), timedelta(days=rng.randrange(-4000, 4000))])
        world.run(world.now + rng.uniform(1, LASTING_SECONDS / 2))
        world.jump = timedelta()
        world.run(world.now + rng.uniform(60, HOUR))
    for begin in (0, 12 * HOUR):
        end = 12 * HOUR if begin == 0 else begin + DAY
        free = sum(
            WIRE.request([each])
            for at, request in world.twin.requests
            if begin <= at < end
            for each in request
            if each.envelope.kind in FREE
        )
        assert sent(world, begin, end) - free < DAILY, f"seed {seed}"


def test_a_day_ends_at_midnight_by_a_clock_that_is_corrected_slowly() -> None:
    now = [datetime(2026, 5, 1, 23, 59, 30, tzinfo=UTC)]
    day = SteadyDay(lambda: now[0])
    assert day.today(100.0) == datetime(2026, 5, 1, tzinfo=UTC).date()
    now[0] += timedelta(seconds=40)
    assert day.seconds_left(110.0) == DAY - 10, "ten seconds have passed, and the clock was set by thirty more"


@pytest.mark.parametrize("name", ["max_bytes_per_second", "max_bytes_per_day"])
def test_a_limit_that_lets_nothing_through_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be 0 or at least"):
        Limits(**{name: 7})


def test_the_doctor_says_what_has_gone_today_and_nothing_of_yesterday(store: Store) -> None:
    world = limited(store, max_bytes_per_day=DAILY)
    summaries(store, 50)
    world.run(60)
    day = world.sender._allowance.day
    assert day
    section = store.section(SECTION)
    [finding] = of_day(world.limits, section, NOW.date())
    assert (finding.status, finding.text) == ("ok", f"{day.spent} of the {DAILY} bytes of today (UTC) have gone")
    summaries(store, 2000)
    world.run(HOUR)
    assert [finding.status for finding in of_day(world.limits, store.section(SECTION), NOW.date())] == ["warn"]
    assert list(of_day(world.limits, store.section(SECTION), NOW.date() + timedelta(days=1))) == []
