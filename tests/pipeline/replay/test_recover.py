"""Rows of devices that the registry came to know are found once: those that have a place now, and are no facts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pipeline.assign_sites import assign_sites
from pipeline.elements import DecodedBatch, DecodedBatches
from pipeline.enrich import Sites
from pipeline.facts import facts
from pipeline.replay.elements import Identity, Left, Replayed, Selection, SetAside
from pipeline.replay.recover import recovered, without
from schemas.records import Device, Kind
from schemas.registry import Registry
from tests.pipeline.bodies import NOW, REGISTRY, numbered_batch, one_of, summary

MEANT = Selection(first=NOW - timedelta(days=30), reasons=("unknown_device",))
NEW = Device("stranger", "soil", "north", NOW, None)
GROWN = replace(REGISTRY, devices=(*REGISTRY.devices, NEW))


class Store:
    """Keeps rejects and the identities of facts."""

    def __init__(self, *rejects: SetAside, known: Collection[Identity] = ()) -> None:
        self.rejects, self.known, self.received, self.asked = rejects, set(known), set[str](), 0

    def set_aside(self, selection: Selection) -> Iterator[SetAside]:
        assert selection == MEANT
        yield from self.rejects

    def facts(self, kind: Kind, batch_ids: Collection[str], first: datetime, last: datetime) -> set[Identity]:
        self.asked += 1
        assert first <= last
        return {(batch_id, row) for batch_id, row in self.known if batch_id in batch_ids}

    def batches(self, batch_ids: Collection[str], first: datetime, last: datetime) -> set[str]:
        assert first <= last
        return {batch_id for batch_id in batch_ids if batch_id in self.received}


def set_aside(number: int, rows: list[object], registry: Registry = REGISTRY) -> list[SetAside]:
    """What the flow sets aside of a batch."""
    return [of_row(row) for row in assign_rejects(rows, number, registry)]


def assign_rejects(rows: list[object], number: int = 0, registry: Registry = REGISTRY) -> list[dict[str, Any]]:
    """The rows of rejects_v1 of devices that are unknown."""
    _, rejected = assign_sites([numbered_batch(number, rows)], Sites(registry), NOW)
    return [row for reject in rejected for row in reject.rows.to_pylist() if row["reason"] == "unknown_device"]


def of_row(row: dict[str, Any]) -> SetAside:
    """A reject as the store has it."""
    return SetAside(
        reject_id=row["reject_id"],
        stage=row["stage"],
        reason=row["reason"],
        attributes={pair["key"]: pair["value"] for pair in row["attributes"]},
        body=row["payloadBytes"],
        received_time=NOW,
    )


def look(store: Store, registry: Registry = GROWN, fix: Any = None) -> list[Replayed | Left]:
    return list(recovered(store, MEANT, Sites(registry), NOW, fix))


def new(store: Store, registry: Registry = GROWN) -> list[DecodedBatch]:
    return [each.new for each in look(store, registry) if isinstance(each, Replayed) and each.new]


def found(store: Store, registry: Registry = GROWN) -> list[tuple[str, list[int]]]:
    return [(batch.envelope.batch_id, batch.rows.column("row").to_pylist()) for batch in new(store, registry)]


MIXED = [summary("d1"), summary("stranger"), summary("other"), summary("stranger", NOW - timedelta(days=1)), summary("stranger")]


def test_rows_of_a_device_that_is_known_by_now_are_found_with_their_identity() -> None:
    store = Store(*set_aside(0, MIXED), *set_aside(1, [replace(one_of("events"), device_id="stranger")]))
    assert found(store, REGISTRY) == []
    assert found(store) == [("gw0:7:1", [1, 4]), ("gw1:7:2", [0])], "not the one from before it stood there, nor the other device's"


def test_rows_that_are_facts_are_not_found_again() -> None:
    rejects = set_aside(0, MIXED)
    assert found(Store(*rejects, known=[("gw0:7:1", 1)])) == [("gw0:7:1", [4])]
    assert found(Store(*rejects, known=[("gw0:7:1", 1), ("gw0:7:1", 4)])) == []


def test_what_is_found_becomes_the_facts_that_it_would_have_been() -> None:
    batch = numbered_batch(0, MIXED)
    at_once, _ = assign_sites([batch], Sites(GROWN), NOW)
    first, _ = assign_sites([batch], Sites(REGISTRY), NOW)
    later, rejected = assign_sites([DecodedBatches.of(batch) for batch in new(Store(*set_aside(0, MIXED)))], Sites(GROWN), NOW)
    rows = [*facts(first).rows.to_pylist(), *facts(later).rows.to_pylist()]
    strip = [{**row, "received_time": None} for row in sorted(rows, key=lambda row: row["row"])]
    assert strip == [{**row, "received_time": None} for row in facts(at_once).rows.to_pylist()]
    assert rejected == []


def test_what_is_no_row_of_a_batch_is_left_for_a_person() -> None:
    [good] = set_aside(0, MIXED)
    broken = [replace(good, body=b"broken"), replace(good, attributes={}), replace(good, body=good.body[:-20])]
    assert [name for name, _ in found(Store(*broken, good))] == ["gw0:7:1"]


def test_facts_are_asked_for_many_batches_at_once() -> None:
    store = Store(*(reject for number in range(450) for reject in set_aside(number, [summary("stranger")])))
    assert len(found(store)) == 450
    assert store.asked == 3


def test_rows_are_taken_out_of_a_batch() -> None:
    [batch] = numbered_batch(0, MIXED)
    name = batch.envelope.batch_id
    left = without(batch, {(name, 0), (name, 2), ("other", 1)})
    assert left is not None
    assert left.rows.column("row").to_pylist() == [1, 3, 4]
    assert without(batch, {(name, row) for row in range(5)}) is None
