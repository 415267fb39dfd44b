"""Whatever Pub/Sub does, every batch arrives, none leaves the store before, and nothing storms."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from edge.store.section import Section
from edge.store.store import Store, StoreFull
from edge.uplink.allowance import MAX_TOGETHER_BYTES, unlimited
from edge.uplink.choice import Request, _due
from edge.uplink.flight import MAX_IN_FLIGHT, Flight
from edge.uplink.sender import ANSWER_SECONDS, Sender
from edge.uplink.signer import unsigned
from program.backoff import Backoff
from schemas.records import LinkState
from tests import long_form
from tests.edge.encoded import NOW, encoded
from tests.edge.pubsub_twin import PubSubTwin
from tests.edge.uplink.world import World, cut

SCHEDULES = long_form.number(100, 1000)
OUTAGE = 600.0


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    store = Store(folder / "store.db", "gw-1", 16 << 20)
    yield store
    store.close()


@pytest.fixture
def twin() -> PubSubTwin:
    return PubSubTwin()


@pytest.fixture
def world(store: Store, twin: PubSubTwin) -> World:
    return World(store, twin)


def weather_passes(store: Store, seed: int, world_of: type[World] = World) -> None:
    """Lets an outage of any weather pass over a sender, and holds what arrives against what was cut."""
    rng = Random(seed)
    twin = PubSubTwin(rng)
    world, cuts = world_of(store, twin, rng), []
    while world.now < OUTAGE:
        twin.weather = rng.choice(["fine", "down", "losing", "silent", "slow", "mixed", "refusing"])
        cuts += cut(store, *rng.choices(["summaries", "events", "heartbeats"], k=rng.randint(0, 6)))
        world.run(world.now + rng.uniform(1, 120))
        assert store.ledger().confirmed <= len(twin.received), f"seed {seed}: confirmed before it arrived"
        stored = {batch.envelope.batch_id for batch in store.batches(0, 10_000)}
        assert stored | twin.received.keys() >= set(cuts), f"seed {seed}: lost"
    twin.weather = "fine"
    ended = world.now
    world.run(ended + OUTAGE, world.drained)
    assert twin.received.keys() == set(cuts), f"seed {seed}: not all arrived"
    assert store.ledger().confirmed == len(cuts), f"seed {seed}: not drained {world.now - ended:.0f} s after the outage"


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_nothing_is_lost_under_any_weather_and_recovery_is_no_longer_than_the_outage(store: Store, seed: int) -> None:
    weather_passes(store, seed)
    long_form.progress(seed, SCHEDULES)
    long_form.note("R9", measured=f"{SCHEDULES:,} schedules, 0 batches lost, each back within the outage", seed=SCHEDULES)


class Hasty(Sender):
    """Takes what it has sent for arrived."""

    def _publish(self, request: Request, now: float) -> None:
        super()._publish(request, now)
        self._arrived.update(request.keys)


class Patient(Sender):
    """Waits for longer than it was down."""

    def back_off(self, error: BaseException, now: float, sent: float | None = None) -> None:
        super().back_off(error, now, sent)
        self._not_before = now + 2 * OUTAGE


@pytest.mark.parametrize(("sender", "seed", "seen"), [(Hasty, 0, "confirmed before it arrived"), (Patient, 5, "not all arrived")])
def test_a_sender_that_forgets_and_one_that_waits_too_long_are_seen(store: Store, sender: type[Sender], seed: int, seen: str) -> None:
    world_of = type("Control", (World,), {"SENDER": sender})
    with pytest.raises(AssertionError, match=seen):
        weather_passes(store, seed, world_of)
    long_form.note("R9", control="a sender that takes what it has sent for arrived, and one that waits longer than it was down, are seen")


@pytest.mark.parametrize("seconds", [33, 95, 700])
def test_after_a_hang_with_many_requests_under_way_it_is_back_no_later_than_the_hang_was_long(store: Store, seconds: int) -> None:
    """Case 25: each of the requests that hung counted as a failure of its own, and the uplink was silent for 192 s more."""
    for seed in range(20):
        twin = PubSubTwin(Random(seed))
        world = World(store, twin, Random(seed))
        cut(store, *["summaries"] * 100)
        world.run(60, world.drained)
        began, twin.weather = world.now, "hanging"
        for _ in range(seconds):
            cut(store, "summaries")
            world.run(world.now + 1)
        twin.weather = "fine"
        world.run(began + 3 * seconds, world.drained)
        assert world.now - began <= 2 * seconds, f"seed {seed}: back {world.now - began - seconds:.0f} s after a hang of {seconds} s"


def test_after_blips_it_is_back_at_once(world: World) -> None:
    """Case 25: after 200 blips of 0.06 s the median was 136 s."""
    waits = []
    cut(world.store, *["summaries"] * 100)
    world.run(10, world.drained)
    for _ in range(200):
        world.twin.weather = "down"
        for _ in range(20):
            cut(world.store, "summaries")
            world.run(world.now + 0.003)
        world.twin.weather = "fine"
        ended = world.now
        world.run(ended + 60, world.drained)
        waits.append(world.now - ended)
    assert max(waits) < 2
    assert sorted(waits)[100] < 0.5


def test_events_overtake_what_waits(world: World) -> None:
    cut(world.store, *["summaries"] * 10, "events")
    world.run(10)
    assert world.twin.order[0].endswith(":11")


def test_what_waits_together_goes_in_one_request(world: World) -> None:
    cut(world.store, "summaries")
    world.run(1)
    cut(world.store, "summaries", "heartbeats")
    world.run(2)
    assert world.twin.sizes == [1, 2]
    assert world.twin.order[1].endswith(":3"), "the heartbeat first: it has the higher priority"
    assert world.drained()


def test_a_request_with_a_refused_batch_is_taken_apart_and_the_others_arrive_once(world: World) -> None:
    cut(world.store, *["summaries"] * 7)
    world.run(1, lambda: world.store.ledger().confirmed == 3)
    _, bad, _ = cut(world.store, "summaries", "summaries", "summaries")
    world.twin.poison = {bad}
    world.run(world.now + 5)
    assert set(world.twin.received.values()) == {1}
    assert len(world.twin.received) == 9
    assert [batch.envelope.batch_id for batch in world.store.pending(10)] == [bad]
    assert world.sender.state == LinkState.ONLINE


def test_a_request_holds_no_more_bytes_than_a_bad_line_can_carry(store: Store, world: World) -> None:
    for _ in range(12):
        store.cut([encoded("summaries", bytes(MAX_TOGETHER_BYTES // 3))], NOW)
    world.run(60, world.drained)
    assert max(world.twin.sizes) == 3
    assert world.drained()


def test_a_lost_answer_sends_the_same_bytes_under_the_same_name(world: World) -> None:
    (batch_id,) = cut(world.store, "summaries")
    world.twin.weather = "losing"
    world.run(5)
    assert world.store.ledger().confirmed == 0
    world.twin.weather = "fine"
    world.run(100, world.drained)
    assert world.twin.received[batch_id] >= 2
    assert world.twin.bodies[batch_id] == b"summaries"


def test_an_attempt_without_an_answer_is_made_again(world: World) -> None:
    cut(world.store, "summaries")
    world.twin.weather = "silent"
    world.run(1)
    world.twin.weather = "fine"
    world.run(ANSWER_SECONDS - 1)
    assert len(world.twin.attempts) == 1
    world.run(ANSWER_SECONDS + 2)
    assert world.drained()


def test_while_it_is_down_attempts_are_single_and_thin_out(world: World) -> None:
    cut(world.store, *["summaries"] * 50)
    world.twin.weather = "down"
    world.run(24 * 3600)
    gaps = [later - earlier for earlier, later in pairwise(world.twin.attempts)]
    assert 24 * 12 <= len(gaps) < 24 * 36, "about one attempt in 150 s"
    assert max(gaps) <= Backoff().max_interval + 1
    assert world.sender.state == LinkState.OFFLINE


def test_a_wide_stream_becomes_single_attempts_when_it_goes_down(world: World) -> None:
    cut(world.store, *["summaries"] * 200)
    world.run(60, world.drained)
    cut(world.store, *["summaries"] * 200)
    world.twin.weather = "down"
    world.twin.attempts.clear()
    world.run(3600)
    burst = world.twin.attempts.count(world.twin.attempts[0])
    assert sum(world.twin.sizes[-len(world.twin.attempts) :][:burst]) == MAX_IN_FLIGHT
    assert set(world.twin.sizes[-len(world.twin.attempts) :][burst:]) == {1}
    assert len(set(world.twin.attempts[burst:])) == len(world.twin.attempts) - burst


def test_the_stream_is_bounded_and_grows_after_a_success(world: World) -> None:
    cut(world.store, *["summaries"] * 200)
    world.twin.weather = "slow"
    under_way = 0
    while not world.drained():
        world.run(world.now + 1)
        under_way = max(under_way, sum(world.twin.sizes) - world.store.ledger().confirmed)
    assert 8 < under_way <= MAX_IN_FLIGHT


def test_a_refused_batch_stays_and_holds_up_nobody(world: World) -> None:
    refused, *others = cut(world.store, "events", "summaries", "summaries", "summaries", "summaries")
    world.twin.poison = {refused}
    world.run(3)
    assert world.twin.received.keys() == set(others)
    assert world.sender.state == LinkState.ONLINE
    world.run(3600)
    assert [batch.envelope.batch_id for batch in world.store.pending(10)] == [refused]
    assert 3 < len(world.twin.attempts) < 60, "its own attempts thin out"
    cut(world.store, "summaries")
    world.run(world.now + 1)
    assert world.store.ledger().pending == 1


def test_many_refused_batches_starve_nobody(world: World) -> None:
    world.twin.poison = set(cut(world.store, *["events"] * 20))
    world.run(3600)
    good = cut(world.store, *["summaries"] * 5)
    world.run(world.now + Backoff().max_interval + 5)
    assert world.twin.received.keys() == set(good)
    assert world.store.ledger().pending == 20


def test_what_refuses_everything_is_an_outage(world: World) -> None:
    cut(world.store, *["summaries"] * 100)
    world.twin.weather = "refusing"
    world.run(3600)
    assert len(world.twin.attempts) < 200
    assert world.sender.state == LinkState.OFFLINE
    world.twin.weather = "fine"
    world.run(world.now + 2 * Backoff().max_interval, world.drained)
    assert world.drained()


class FullDisk:
    """A store that cannot confirm for a while."""

    def __init__(self, store: Store) -> None:
        self._store, self.full = store, True
        self.pending = store.pending

    def confirm(self, seqs: set[int], *, sections: Sequence[Section]) -> None:
        if self.full:
            raise StoreFull("the disk is full")
        self._store.confirm(seqs, sections=sections)


def test_a_confirmation_that_cannot_be_stored_is_kept_and_nothing_is_sent_meanwhile(store: Store, twin: PubSubTwin) -> None:
    disk = FullDisk(store)
    cut(store, "summaries", "summaries")
    sender = Sender(disk, twin, unsigned, backoff=Backoff(), rng=Random(1), wake=lambda: None, allowance=unlimited())  # type: ignore[arg-type]
    sender.turn(0.0)
    twin.advance(1.0)
    for now in (1.0, 2.0):
        with pytest.raises(StoreFull):
            sender.turn(now)
    assert len(twin.attempts) == 1
    disk.full = False
    sender.turn(3.0)
    assert store.ledger().confirmed == 1


RATE = 2
"""Batches a second that are cut while the backlog goes up: half of them events."""


def drained_while_live(world: World, seconds: int, *kinds: str) -> list[float]:
    """Cuts batches of these kinds each second, and returns how long each took to arrive."""
    names, cut_at = list[str](), dict[str, float]()
    for _ in range(seconds):
        for name in cut(world.store, *kinds):
            cut_at[name] = world.now
            names.append(name)
        world.run(world.now + 1)
    world.run(world.now + 60, lambda: world.twin.times.keys() >= set(names))
    return [world.twin.times[name] - cut_at[name] for name in names]


def test_behind_a_backlog_what_is_live_waits_for_none_of_it_and_the_backlog_goes_on(world: World) -> None:
    """Promise R8; the line answers after half a second. A live summary waited 283 s behind 100,000 batches."""
    backlog = [name for _ in range(40) for name in cut(world.store, *["summaries"] * 100)]
    world.twin.weather = "down"
    world.run(600)
    world.twin.weather, world.twin.seconds = "fine", 0.5
    world.run(world.now + Backoff().max_interval, lambda: world.sender.state == LinkState.ONLINE)
    began = world.now
    waits = drained_while_live(world, 60, "events", "summaries")
    assert max(waits[::2]) <= 2, "an event"
    assert max(waits[1::2]) <= 10, "a live summary"
    gone = [name for name in backlog if world.twin.times.get(name, began + 61) <= began + 60]
    assert len(gone) >= 20 * 60 * RATE, "the backlog, at twenty times of what is cut"


def test_the_first_attempt_after_an_outage_is_the_event(world: World) -> None:
    cut(world.store, *["summaries"] * 200)
    world.twin.weather = "down"
    world.run(600)
    (event,) = cut(world.store, "events")
    world.twin.weather = "fine"
    world.run(world.now + Backoff().max_interval, lambda: world.sender.state == LinkState.ONLINE)
    assert world.twin.order[0] == event


def test_a_line_that_live_batches_fill_still_carries_the_backlog_away(world: World) -> None:
    backlog = cut(world.store, *["summaries"] * 400)
    world.twin.seconds = 1.0
    for _ in range(60):
        cut(world.store, *["heartbeats"] * 60)
        world.run(world.now + 1)
    gone = [name for name in backlog[:300] if name in world.twin.received]
    assert len(gone) >= 200, "a quarter of the places is the backlog's"
    assert gone == backlog[: len(gone)], "the oldest first"


def test_a_refused_batch_that_the_store_dropped_is_forgotten(world: World) -> None:
    (refused,) = cut(world.store, "rejects")
    world.twin.poison = {refused}
    world.run(10)
    world.store.confirm([1])
    attempts = len(world.twin.attempts)
    world.run(3600)
    assert (len(world.twin.attempts), set(world.sender._refusals)) == (attempts, set())


def test_a_refusal_names_the_epoch_of_the_batch_and_not_that_of_the_store(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(folder / "store.db", "gw-1", 16 << 20, machine=lambda: "serial=one")
    (earlier,) = cut(store, "summaries")
    store.close()
    with closing(Store(folder / "store.db", "gw-1", 16 << 20, machine=lambda: "serial=two")) as moved:
        twin = PubSubTwin()
        twin.poison = {earlier}
        World(moved, twin).run(1)
        assert str(moved.epoch) not in earlier
    assert f"batch {earlier} was refused" in caplog.text


def test_a_refused_batch_that_goes_again_hands_no_other_out(world: World) -> None:
    """What was handed out may have arrived, and is not thinned any more."""
    cut(world.store, *["summaries"] * 200)
    world.twin.weather = "down"
    world.run(1)
    (refused,) = cut(world.store, "events")
    world.twin.weather, world.twin.poison = "fine", {refused}
    world.sender._refusals.note_alone(201, world.now)
    assert [each.envelope.batch_id for each in world.store.handed_out([201])] == [refused]
    requests = [request.keys for request in _due(world.store, Flight(), world.sender._refusals, world.now + 1000)]
    assert (requests, world.store._outbox._attempted_to()) == ([[201]], 0)
