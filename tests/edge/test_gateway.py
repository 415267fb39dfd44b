"""The gateway's core: nothing lost, nothing doubled, whatever dies when."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.config import Config
from edge.gateway import Gateway, Links, MqttMessage
from edge.models.bundle import Bundle
from edge.models.recipe import Recipe
from edge.models.running import slots_of
from edge.models.scorer import Score, ScorerFailed
from edge.reading import Reading
from edge.store.batch import EncodedBatch
from edge.store.store import Entry, Store, StoreFull
from edge.window import WindowedReadings, pack
from schemas.envelope import micros
from schemas.records import LinkState
from tests.edge.gateways import START, config, message, rows, settings, stored_readings

SECOND = timedelta(seconds=1)
SOIL = Path(__file__).parents[2] / "models" / "soil"


class OnePlace:
    """A store and the gateway on it, which can be dropped and opened again."""

    def __init__(self, directory: Path, other: Config | None = None) -> None:
        models = [{"name": "soil", "bundle": str(SOIL)}]
        self.config = other or config(directory, sensors=modelled(), batches={"seconds": 30}, models=models)
        self.open()

    def open(self, now: datetime = START) -> None:
        self.store = Store(self.config.store_file, "gw-1", 64 << 20)
        self.gateway = Gateway(self.config, self.store, now, slots=slots_of({"soil": bundle()}, Thirst()))

    def reopen(self, now: datetime = START) -> None:
        self.store.close()
        self.open(now)


def reading(seq: int, at: float, moisture: float = 0.3) -> dict[str, Any]:
    return {"seq": seq, "boot": "b", "time": START.timestamp() + at, "values": {"moisture": moisture}}


def merged(store: Store) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Summaries of the same window added up, as the fact view does."""
    parts = defaultdict(list)
    for row in rows(store, "summaries"):
        parts[row["device_id"], row["channel"], row["window_start"]].append(row)
    return {key: _added(found) for key, found in parts.items()}


def _added(found: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
    count, total = sum(row["count"] for row in found), round(sum(row["sum"] for row in found), 9)
    last = max(found, key=lambda row: (row["last_time"], row["last"]))
    return count, total, min(row["min"] for row in found), max(row["max"] for row in found), last["last"]


def events(store: Store) -> list[tuple[Any, ...]]:
    names = ("device_id", "event_time", "rule", "previous_state", "state", "value")
    return sorted((tuple(row[name] for name in names) for row in rows(store, "events")), key=repr)


def inferred(store: Store) -> list[tuple[Any, ...]]:
    return sorted((row["device_id"], row["window_start"], row["label"], row["features"]) for row in rows(store, "inferences"))


class Thirst:
    """A scorer that needs no model: dry below 0.2."""

    runtime = "none"

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        assert name == "soil"
        return [Score("now" if mean < 0.2 else "fine", mean, 0.0) for (mean,) in features]


def bundle() -> Bundle:
    """The soil model's bundle with a recipe that is ready at once."""
    steps = [{"name": "mean", "op": "ewma", "of": ["moisture"], "hours": 0.01}]
    recipe = Recipe.parse({"steps": steps, "inputs": ["mean"], "young_hours": 0.001, "gap_hours": 1}, ["moisture"])
    # A fixed hash: the store remembers it.
    return replace(
        Bundle.load(SOIL), recipe=recipe, channels=("moisture",), sha256="5884b22a7709a7f2e07f841fadad9ccdafd97cde0c46ed51473576fd72d000ed"
    )


def modelled() -> list[dict[str, Any]]:
    """The class of sensors of the other tests, with a model."""
    (plain,) = settings()["sensors"]
    return [{**plain, "model": "soil"}]


Step = tuple[str, Any]
_READINGS = st.lists(
    st.tuples(st.sampled_from(["d1", "d2"]), st.integers(-25, 5), st.sampled_from([0.1, 0.22, 0.3])), min_size=1, max_size=8
)
_STEPS = st.lists(st.one_of(st.tuples(st.just("accept"), _READINGS), st.tuples(st.just("tick"), st.integers(0, 15))), max_size=25)


def play(place: OnePlace, steps: Sequence[Step], deaths: frozenset[int]) -> None:
    """After the steps in `deaths` the process dies: what was not in the store is gone."""
    now, seq = START, 0
    for number, (kind, what) in enumerate(steps):
        if kind == "accept":
            items = []
            for device, offset, moisture in what:
                seq += 1
                items.append(message(device, reading(seq, (now - START).total_seconds() + offset, moisture)))
            place.gateway.accept(items, now)
        else:
            now += what * SECOND
            place.gateway.tick(now)
        if number in deaths:
            place.reopen(now)
            if kind == "accept":
                # The broker never saw the acknowledgement.
                place.gateway.accept([MqttMessage(one.topic, one.payload, dup=True) for one in items], now)
    place.gateway.flush(now + 3600 * SECOND)


@hypothesis_settings(max_examples=120, deadline=None)
@given(_STEPS, st.sets(st.integers(0, 24)))
def test_deaths_at_any_step_change_neither_summaries_nor_events(steps: list[Step], deaths: set[int]) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        calm, mortal = OnePlace(Path(one)), OnePlace(Path(other))
        play(calm, steps, frozenset())
        play(mortal, steps, frozenset(deaths))
        assert stored_readings(mortal.store) == stored_readings(calm.store)
        assert merged(mortal.store) == merged(calm.store)
        assert inferred(mortal.store) == inferred(calm.store)
        assert events(mortal.store) == events(calm.store)
        assert set(stored_readings(calm.store).values()) <= {1}
        stored = mortal.store.ledger()
        assert stored.journaled == stored.counters.get("readings_summarised", 0) == sum(stored_readings(calm.store).values())
        calm.store.close()
        mortal.store.close()


class Dying:
    """A store that fails at its n-th write, before or after it is done: then the process dies."""

    def __init__(self, store: Store, at: int, *, after: bool) -> None:
        self._store, self._left, self._after = store, at, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, entries: Sequence[Entry], dedup_keys: bytes = b"") -> range:
        return self._write(lambda: self._store.append(entries, dedup_keys))

    def cut(self, batches: Sequence[EncodedBatch], now: Any, **kinds: Any) -> Any:
        return self._write(lambda: self._store.cut(batches, now, **kinds))

    def _write(self, write: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise InterruptedError
        result = write()
        if self._left == 0:
            raise InterruptedError
        return result


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
def test_death_at_any_write_loses_and_doubles_nothing(tmp_path: Path, at: int, after: bool) -> None:
    place = OnePlace(tmp_path)
    place.gateway = Gateway(place.config, Dying(place.store, at, after=after), START)  # type: ignore[arg-type]
    messages = [message("d1", reading(seq, seq / 10, 0.1 if seq % 50 > 25 else 0.3)) for seq in range(1, 601)]
    messages.append(MqttMessage("sensors/d1/readings", b"{broken"))
    now = START + 60 * SECOND
    try:
        place.gateway.accept(messages, now)
        place.gateway.flush(now + 60 * SECOND)
    except InterruptedError:
        place.reopen()
        place.gateway.accept([MqttMessage(one.topic, one.payload, dup=True) for one in messages], now)
    place.gateway.flush(now + 120 * SECOND)
    assert stored_readings(place.store) == Counter({("d1", seq): 1 for seq in range(1, 601)})
    assert [row["payloadBytes"] for row in rows(place.store, "rejects")] == [b"{broken"]
    assert Counter(row["state"] for row in rows(place.store, "events") if row["cause"] == "threshold") == {"low": 12, "normal": 12}
    place.store.close()


@pytest.fixture
def place(tmp_path: Path) -> Any:
    place = OnePlace(tmp_path)
    yield place
    place.store.close()


def test_good_items_of_an_array_arrive_and_the_bad_one_is_rejected_with_its_bytes(place: OnePlace) -> None:
    place.gateway.accept(
        [MqttMessage("sensors/d1/readings", b'[{"seq":1,"values":{"moisture":0.3}},{"seq":"x"},{"seq":2,"values":{"moisture":0.4}}]')],
        START,
    )
    (reject,) = rows(place.store, "rejects")
    assert (reject["payloadBytes"], reject["reason"], reject["device_id"], reject["topic"]) == (
        b'{"seq":"x"}',
        "wrong_type",
        "d1",
        "sensors/d1/readings",
    )
    assert stored_readings(place.store) == {("d1", 1): 1, ("d1", 2): 1}


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("sensors/stranger/readings", "no_sensor_class"),
        ("sensors/x 1/readings", "no_sensor_class"),
        ("sensors//readings", "no_sensor_class"),
    ],
)
def test_a_message_of_nobody_known_is_rejected(place: OnePlace, topic: str, reason: str) -> None:
    place.gateway.accept([MqttMessage(topic, b'{"values":{"moisture":1}}')], START)
    (reject,) = rows(place.store, "rejects")
    assert (reject["reason"], reject["topic"]) == (reason, topic)


def test_an_oversized_message_keeps_its_beginning_and_says_so(place: OnePlace) -> None:
    place.gateway.accept([MqttMessage("sensors/stranger/readings", b"x" * 70_000)], START)
    (reject,) = rows(place.store, "rejects")
    assert (reject["reason"], len(reject["payloadBytes"])) == ("oversized", 65536)
    assert "70000 bytes" in reject["errorMessage"]


def test_a_repeated_reading_is_counted_and_not_stored(place: OnePlace) -> None:
    place.gateway.accept([message("d1", reading(1, 0))] * 3, START)
    assert stored_readings(place.store) == {("d1", 1): 1}
    assert place.gateway.heartbeat(START).readings_repeated == 2


def test_readings_without_seq_and_time_are_all_kept_however_equal(place: OnePlace) -> None:
    place.gateway.accept([message("d1", {"values": {"moisture": 0.3}})] * 3, START)
    assert place.store.ledger().journaled == 3


def test_equal_broken_messages_are_kept_unless_delivered_again(place: OnePlace) -> None:
    broken = MqttMessage("sensors/d1/readings", b"{")
    place.gateway.accept([broken, broken, MqttMessage(broken.topic, broken.payload, dup=True)], START)
    assert len(rows(place.store, "rejects")) == 2


def test_a_late_reading_becomes_a_partial_summary_marked_late(place: OnePlace) -> None:
    place.gateway.accept([message("d1", reading(1, 1))], START + SECOND)
    place.gateway.tick(START + 30 * SECOND)
    place.gateway.accept([message("d1", reading(2, 2))], START + 31 * SECOND)
    place.gateway.flush(START + 32 * SECOND)
    assert [(row["seq_ranges"], row["late"]) for row in rows(place.store, "summaries")] == [([1, 1], False), ([2, 2], True)]


def test_windows_of_another_length_in_the_journal_keep_it(tmp_path: Path) -> None:
    place = OnePlace(tmp_path)
    place.gateway.accept([message("d1", reading(1, 15))], START + 15 * SECOND)
    place.config = config(tmp_path, windows={"seconds": 60})
    place.reopen()
    place.gateway.accept([message("d1", reading(2, 16))], START + 16 * SECOND)
    place.gateway.flush(START + 600 * SECOND)
    assert [(micros(row["window_start"]) - micros(START), row["window_seconds"]) for row in rows(place.store, "summaries")] == [
        (10_000_000, 10),
        (0, 60),
    ]
    place.store.close()


class Full:
    """A store without room for `failures` writes of a kind."""

    def __init__(self, store: Store, kind: str, failures: int) -> None:
        self._store, self._kind, self._failures = store, kind, failures

    def __getattr__(self, name: str) -> Any:
        if name == self._kind and self._failures:
            self._failures -= 1
            raise StoreFull("no room")
        return getattr(self._store, name)


@pytest.mark.parametrize("kind", ["append", "cut"])
def test_a_full_store_stores_each_message_once_when_there_is_room_again(tmp_path: Path, kind: str) -> None:
    place = OnePlace(tmp_path)
    gateway = Gateway(place.config, Full(place.store, kind, 2), START)  # type: ignore[arg-type]
    messages: list[MqttMessage] = [message("d1", {"values": {"moisture": 0.1}}), MqttMessage("sensors/d1/readings", b"{")]
    for _ in range(2):
        with pytest.raises(StoreFull):
            gateway.accept(messages, START)
        messages = []
    gateway.accept([], START)
    assert (place.store.ledger().journaled, len(rows(place.store, "rejects")), len(rows(place.store, "events"))) == (1, 1, 1)
    place.store.close()


def test_a_clock_that_jumps_back_puts_no_batch_off(place: OnePlace) -> None:
    place.gateway.tick(START + 60 * SECOND)
    back = START - timedelta(days=3650)
    place.gateway.accept([MqttMessage("sensors/d1/readings", json.dumps({"values": {"moisture": 0.3}}).encode())], back)
    place.gateway.tick(back + 30 * SECOND)
    assert len(rows(place.store, "summaries")) == 1


def test_heartbeats_say_since_when_the_gateway_listens(place: OnePlace) -> None:
    place.gateway.links = Links(broker=LinkState.ONLINE)
    for seconds in (5, 30, 55, 80):
        place.gateway.tick(START + seconds * SECOND)
    assert rows(place.store, "heartbeats")[-1]["listening_since_time"] == START + 5 * SECOND
    place.reopen(START + 90 * SECOND)
    assert place.gateway.heartbeat(START + 90 * SECOND).listening_since_time is None


def test_heartbeats_carry_the_ledger(place: OnePlace) -> None:
    place.gateway.accept([message("d1", reading(1, 0)), MqttMessage("sensors/d1/readings", b"{")], START)
    place.gateway.flush(START + 60 * SECOND)
    beat = rows(place.store, "heartbeats")[-1]
    assert (beat["readings_stored"], beat["readings_rejected"], beat["readings_summarised"], beat["devices_seen"]) == (1, 1, 1, 1)


def test_a_label_that_changes_is_an_event_and_the_normal_label_is_none_at_first(place: OnePlace) -> None:
    for seq, moisture in enumerate([0.3, 0.3, 0.1, 0.1, 0.3], 1):
        place.gateway.accept([message("d1", reading(seq, seq * 60, moisture))], START + seq * 60 * SECOND)
        place.gateway.tick(START + (seq * 60 + 30) * SECOND)
    changes = [(row["previous_state"], row["state"], row["severity"]) for row in rows(place.store, "events") if row["cause"] == "label"]
    assert changes == [(None, "now", "warning"), ("now", "fine", "info")]
    place.gateway.flush(START + 600 * SECOND)
    assert [row["label"] for row in rows(place.store, "inferences")] == ["fine", "fine", "now", "now", "fine"]


class Counting(Thirst):
    """Counts the rows of each call."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        self.rows.append(len(features))
        return super().score(name, features)


def test_windows_that_close_together_are_one_call_of_the_model_whatever_their_ends(place: OnePlace) -> None:
    scorer = Counting()
    place.gateway = Gateway(place.config, place.store, START, slots=slots_of({"soil": bundle()}, scorer))
    for device in ("d1", "d2"):
        place.gateway.accept([message(device, *[reading(seq, seq * 10) for seq in range(4)])], START)
    place.gateway.flush(START + 60 * SECOND)
    assert scorer.rows == [8]
    assert [each[:2] for each in inferred(place.store)] == [
        (device, START + at * SECOND) for device in ("d1", "d2") for at in (0, 10, 20, 30)
    ]


class Broken:
    """A scorer that always fails."""

    runtime = "none"

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        raise ScorerFailed(name)


def test_a_model_that_fails_costs_inferences_and_nothing_else(place: OnePlace, caplog: pytest.LogCaptureFixture) -> None:
    place.gateway = Gateway(place.config, place.store, START, slots=slots_of({"soil": bundle()}, Broken()))
    place.gateway.accept([message("d1", reading(1, 0))], START)
    place.gateway.flush(START + 60 * SECOND)
    assert (len(rows(place.store, "summaries")), rows(place.store, "inferences")) == (1, [])
    assert "no inference for 1 windows" in caplog.text
    assert place.store.ledger().counters["inferences_failed"] == 1


def test_readings_evaluated_before_a_death_are_not_evaluated_again(place: OnePlace) -> None:
    place.gateway.accept([message("d1", reading(1, 0, 0.1)), message("d1", reading(2, 0, 0.3))], START)
    place.reopen()
    place.gateway.flush(START + 60 * SECOND)
    assert [row["state"] for row in rows(place.store, "events") if row["cause"] == "threshold"] == ["low", "normal"]


def test_labels_told_before_a_death_are_not_told_again(tmp_path: Path) -> None:
    models = [{"name": "soil", "bundle": str(SOIL)}]
    place = OnePlace(tmp_path, config(tmp_path, sensors=modelled(), models=models, batches={"seconds": 3600}))
    for seq, moisture in enumerate([0.1, 0.3], 1):
        place.gateway.accept([message("d1", reading(seq, seq * 60, moisture))], START + seq * 60 * SECOND)
        place.gateway.tick(START + (seq * 60 + 30) * SECOND)
    assert rows(place.store, "inferences") == []
    place.reopen(START + 180 * SECOND)
    place.gateway.flush(START + 240 * SECOND)
    assert [row["state"] for row in rows(place.store, "events") if row["cause"] == "label"] == ["now", "fine"]
    assert [row["label"] for row in rows(place.store, "inferences")] == ["now", "fine"]
    place.store.close()


def test_a_window_at_which_it_fails_itself_is_set_aside_and_the_others_go_on(tmp_path: Path) -> None:
    """A reading that no summary can be made of, as a journal of another time might hold, was in the way at each start for ever."""
    place = OnePlace(tmp_path)
    end = micros(START + 10 * SECOND)
    nonsense = Reading("d1", micros(START), micros(START), "synced", "b", 7, True, {"moisture": math.nan})
    place.store.append([Entry(end, pack(WindowedReadings(10, False, [nonsense])))])
    place.reopen()
    place.gateway.accept([message("d2", reading(1, 0.0))], START + SECOND)
    place.gateway.flush(START + 30 * SECOND)
    [reject] = rows(place.store, "rejects")
    assert (reject["reason"], reject["device_id"], reject["seq"]) == ("fault", "d1", 7)
    assert [row["device_id"] for row in rows(place.store, "summaries")] == ["d2"]
    assert list(place.store.replay()) == []
    assert place.gateway.heartbeat(START).readings_summarised == 2
