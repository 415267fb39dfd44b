"""A gateway with deadbands sends the same facts as one without, in fewer rows, whatever dies when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from math import fsum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.config import Config
from edge.gateway import Gateway
from edge.store.store import Store
from schemas import sketch
from tests.edge.gateways import START, config, message, rows, stored_readings
from tests.edge.test_gateway import _STEPS, SECOND, SOIL, Dying, OnePlace, Step, events, inferred, modelled, play, reading


def deadband_config(directory: Path, deadband: float | None, score: float = 0.0, **sensors: Any) -> Config:
    """The settings of the other tests with this deadband of moisture, and of the model's score."""
    change = {"deadband": {"moisture": deadband}} if deadband else {}
    models = [{"name": "soil", "bundle": str(SOIL), "deadband": score}]
    return config(directory, sensors=[{**modelled()[0], **change, **sensors}], batches={"seconds": 30}, models=models)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[OnePlace]:
    place = OnePlace(tmp_path, deadband_config(tmp_path, 0.05))
    yield place
    place.store.close()


def feed(place: OnePlace, values: list[float], begin: int = 0) -> None:
    """A reading in each window of 10 seconds, and ticks."""
    for seq, value in enumerate(values, begin):
        place.gateway.accept([message("d1", reading(seq, seq * 10, value))], START + seq * 10 * SECOND)
        place.gateway.tick(START + (seq * 10 + 12) * SECOND)


def spans(store: Store) -> list[tuple[float, int, int]]:
    """Start, length and count of each summary sent."""
    return [((row["window_start"] - START) / SECOND, row["window_seconds"], row["count"]) for row in rows(store, "summaries")]


def totals(store: Store) -> dict[str, Any]:
    """What all summaries of a device say together."""
    summaries = rows(store, "summaries")
    return {device: _total([row for row in summaries if row["device_id"] == device]) for device in {row["device_id"] for row in summaries}}


def _total(summaries: list[dict[str, Any]]) -> Any:
    newest = max(summaries, key=lambda row: (row["last_time"], row["last"]))
    return (
        sum(row["count"] for row in summaries),
        pytest.approx(fsum(row["sum"] for row in summaries), rel=1e-12),
        (min(row["min"] for row in summaries), max(row["max"] for row in summaries), newest["last"]),
        sketch.merged(row["sketch"] for row in summaries),
    )


@hypothesis_settings(max_examples=80, deadline=None)
@given(_STEPS, st.sets(st.integers(0, 24)), st.sampled_from([0.05, 0.1, 1.0]), st.sampled_from([10, 40, 3600]))
def test_with_deadbands_and_deaths_the_cloud_gets_the_same(steps: list[Step], deaths: set[int], deadband: float, seconds: int) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        plain = OnePlace(Path(one), deadband_config(Path(one), None))
        holding = OnePlace(Path(other), deadband_config(Path(other), deadband, hold_seconds=seconds))
        play(plain, steps, frozenset())
        play(holding, steps, frozenset(deaths))
        assert stored_readings(holding.store) == stored_readings(plain.store)
        assert totals(holding.store) == totals(plain.store)
        assert (events(holding.store), inferred(holding.store)) == (events(plain.store), inferred(plain.store))
        assert len(rows(holding.store, "summaries")) <= len(rows(plain.store, "summaries"))
        stored, readings = holding.store.ledger(), sum(stored_readings(plain.store).values())
        assert stored.journaled == stored.counters.get("readings_summarised", 0) == readings == lost_if_dropped(holding.store)
        plain.store.close()
        holding.store.close()


def lost_if_dropped(store: Store) -> int:
    """Readings that the ledger would count if every waiting batch were dropped."""
    return sum(count for (count,) in store._database.read("select readings from outbox"))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 9))
def test_death_at_any_write_loses_and_doubles_nothing_that_is_pending(tmp_path: Path, at: int, after: bool) -> None:
    place = OnePlace(tmp_path, deadband_config(tmp_path, 0.05))
    place.gateway = Gateway(place.config, Dying(place.store, at, after=after), START)  # type: ignore[arg-type]
    values = [0.3] * 9 + [0.22] * 9
    done = 0
    try:
        for seq in range(18):
            feed(place, values[seq : seq + 1], seq)
            done = seq + 1
    except InterruptedError:
        place.reopen(START + done * 10 * SECOND)
    feed(place, values[done:], done)
    place.gateway.flush(START + 200 * SECOND)
    assert stored_readings(place.store) == Counter({("d1", seq): 1 for seq in range(18)})
    assert len(rows(place.store, "summaries")) < 9
    assert place.store.ledger().counters["readings_summarised"] == lost_if_dropped(place.store) == 18
    place.store.close()


def test_an_unchanged_channel_sends_nothing_and_frees_the_journal(place: OnePlace) -> None:
    feed(place, [0.3] * 40)
    assert spans(place.store) == [(0, 10, 1)]
    assert len(list(place.store.replay())) <= 4
    assert place.store.ledger().counters["readings_summarised"] == 1
    feed(place, [0.3, 0.36], 40)
    place.gateway.tick(START + 450 * SECOND)
    assert spans(place.store) == [(0, 10, 1), (10, 400, 40), (410, 10, 1)]


def test_a_clean_stop_sends_what_is_pending(place: OnePlace) -> None:
    feed(place, [0.3] * 10)
    place.gateway.flush(START + 102 * SECOND)
    assert spans(place.store) == [(0, 10, 1), (10, 90, 9)]
    place.reopen(START + 110 * SECOND)
    place.gateway.flush(START + 400 * SECOND)
    assert len(spans(place.store)) == 2


def test_the_run_of_a_device_that_falls_silent_is_sent_two_windows_later(place: OnePlace) -> None:
    feed(place, [0.3] * 10)
    for second in range(103, 160, 3):
        place.gateway.tick(START + second * SECOND)
    assert spans(place.store)[-1] == (10, 90, 9)


def test_late_readings_are_never_pending_and_disturb_no_run(place: OnePlace) -> None:
    feed(place, [0.3] * 6)
    place.gateway.accept([message("d1", reading(100, 31, 0.3))], START + 63 * SECOND)
    feed(place, [0.3] * 4, 6)
    late = [row for row in rows(place.store, "summaries") if row["late"]]
    assert [(row["window_seconds"], row["seq_ranges"]) for row in late] == [(10, [100, 100])]
    place.gateway.flush(START + 102 * SECOND)
    assert spans(place.store) == [(0, 10, 1), (30, 10, 1), (10, 90, 9)]


def test_a_deadband_that_is_taken_away_releases_what_was_pending(place: OnePlace, tmp_path: Path) -> None:
    feed(place, [0.3] * 10)
    place.config = deadband_config(tmp_path, None)
    place.reopen(START + 100 * SECOND)
    feed(place, [0.3] * 2, 10)
    place.gateway.flush(START + 200 * SECOND)
    assert sorted(spans(place.store)) == [(0, 10, 1), (10, 80, 8), (90, 10, 1), (100, 10, 1), (110, 10, 1)]


def test_inferences_that_are_no_news_are_not_sent_and_events_are(tmp_path: Path) -> None:
    place = OnePlace(tmp_path, deadband_config(tmp_path, 0.05, 0.2))
    feed(place, [0.3] * 10 + [0.1] * 10)
    place.gateway.flush(START + timedelta(minutes=10))
    assert [row["label"] for row in rows(place.store, "inferences")] == ["fine", "now"]
    assert [row["state"] for row in rows(place.store, "events") if row["cause"] == "label"] == ["now"]
    place.store.close()
