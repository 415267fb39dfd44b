"""A gateway whose certificate ends soon raises an alert, once, also when it has expired, and is told renewed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pyarrow as pa

from pipeline.alerts.sources.certificate import CertificateSource
from pipeline.alerts.state_machine import StateMachine
from pipeline.elements import RowGroup
from schemas.envelope import micros
from schemas.records import Alert, Kind
from schemas.rules.certificate import CertificateRule
from tests.pipeline.bodies import NOW, REGISTRY

RULE = CertificateRule(name="certificate-ends", gateways=("gateway-*",), cooldown_seconds=60)
END = NOW + timedelta(days=10)
_TIME = pa.timestamp("us", tz="UTC")


def heartbeats(*rows: tuple[str, datetime, datetime | None], kind: Kind = Kind.HEARTBEATS) -> RowGroup:
    gateways, times, ends = zip(*rows, strict=True)
    columns = {"gateway_id": pa.array(gateways), "heartbeat_time": pa.array(times, _TIME), "certificate_end_time": pa.array(ends, _TIME)}
    return RowGroup(kind, pa.RecordBatch.from_pydict(columns))


def alerts(*groups: RowGroup) -> list[Alert]:
    source = CertificateSource([RULE], REGISTRY)
    observations = [one for group in groups for one in source.observe(group, micros(NOW))]
    return StateMachine(RULE, source.condition(RULE)).run(observations, NOW + timedelta(days=60))


def daily(days: Iterator[int] | range, end: datetime = END) -> RowGroup:
    return heartbeats(*(("gateway-1", NOW + timedelta(days=day), end) for day in days))


def test_an_end_that_comes_near_opens_once_expiry_updates_and_a_renewal_resolves() -> None:
    rows = alerts(daily(range(12)), daily(range(12, 14), END + timedelta(days=60)))
    assert [(row.state, (row.event_time - NOW).days) for row in rows] == [("opened", 5), ("updated", 10), ("resolved", 12)]
    assert "its certificate ends on" in rows[0].message
    assert "its certificate expired on" in rows[1].message
    assert "is good until" in rows[2].message


def test_a_gateway_without_a_certificate_and_one_that_no_rule_watches_raise_nothing() -> None:
    near = NOW + timedelta(days=1)
    assert alerts(heartbeats(("gateway-1", NOW, None)), heartbeats(("other", NOW, near))) == []
    assert alerts(heartbeats(("gateway-1", NOW, near), kind=Kind.SUMMARIES)) == []
