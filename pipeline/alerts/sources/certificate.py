"""Observes in heartbeats how long the certificates of gateways are still good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.alerts.condition import Condition, InStates
from pipeline.alerts.observation import Observation
from pipeline.alerts.source import Input
from pipeline.elements import RowGroup
from program.names import gateway_called
from schemas.envelope import micros
from schemas.records import Kind
from schemas.registry import Registry
from schemas.rules.certificate import CertificateRule


class Validity(StrEnum):
    GOOD = "good"
    ENDS = "ends"
    EXPIRED = "expired"


_COLUMNS = ("gateway_id", "heartbeat_time", "certificate_end_time")


class CertificateSource:
    """Observes a gateway at the time of its heartbeat: one that waited behind an outage is history."""

    RULE: ClassVar[type] = CertificateRule
    INPUT: ClassVar[Input] = "row_groups"

    def __init__(self, rules: Iterable[CertificateRule], registry: Registry) -> None:
        self._rules = tuple(rules)

    @staticmethod
    def condition(rule: CertificateRule) -> Condition:
        return InStates(frozenset((Validity.ENDS, Validity.EXPIRED)))

    @staticmethod
    def is_watched(rule: CertificateRule, observation: Observation) -> bool:
        return rule.watches(observation.subject)

    def observe(self, row_group: RowGroup, now: int) -> Iterator[Observation]:
        if row_group.kind != Kind.HEARTBEATS:
            return
        for row in _with_certificate(row_group.rows).select(_COLUMNS).to_pylist():
            for rule in self._rules:
                if rule.watches(row["gateway_id"]):
                    yield _observation(rule, row["gateway_id"], row["heartbeat_time"], row["certificate_end_time"])


def _with_certificate(rows: pa.RecordBatch) -> pa.RecordBatch:
    return rows.filter(pc.is_valid(rows.column("certificate_end_time")))


def _observation(rule: CertificateRule, gateway_id: str, time: datetime, end: datetime) -> Observation:
    left, at = (end - time) / timedelta(days=1), micros(time)
    validity = Validity.EXPIRED if left <= 0 else Validity.ENDS if left < rule.days else Validity.GOOD
    says = "expired on" if validity == Validity.EXPIRED else "ends on" if validity == Validity.ENDS else "is good until"
    return Observation(
        rule=rule.name,
        subject=gateway_id,
        at=at,
        known_at=at,
        state=validity,
        value=left,
        threshold=rule.days,
        unit="d",
        text=f"{gateway_called(gateway_id)}: its certificate {says} {end:%Y-%m-%d %H:%M} UTC",
    )
