"""Lists the tables and views that are compared, by which columns a row is known, and what is not compared, with the reason.

A column that is not listed is compared: a new one is compared from the day it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.records import (
    TABLES,
    Alert,
    Batch,
    Device,
    DirtyWindow,
    Event,
    GatewayKey,
    Heartbeat,
    Inference,
    Irrigation,
    IrrigationV1,
    Label,
    ModelReference,
    Recomputation,
    Reject,
    ReleaseDecision,
    Replay,
    RuleDefinition,
    Sample,
    Site,
    SiteWindow,
    Summary,
)

_RECEIVED = "when the run received it: from Pub/Sub, or in batch mode when it was cut"
_AS_OF = "when the run computed it"
_REVISION = "how often the run computed it before"
_SET_ASIDE = "when the run set it aside"
_VERSIONS = "the software of the run"
_TOLD = "whether people were notified: by a run that was live when it happened"
_DERIVED_ALERTS = "source not in ('silence', 'rejects')"
_LIVE = "silence and surges of rejects are judged by the clock of a live run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Describes a table or view that is compared."""

    name: str
    key: tuple[str, ...]
    """The columns that identify a row; a table may hold the row more than once, and then its first arrival is compared."""
    day: str | None
    """The timestamp by whose days rows are compared; without one they are spread by their key."""
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Columns that are not compared, with the reason."""
    first_by: str | None = None
    """The column by which the first arrival of a row is known."""
    exact: bool = True
    """Whether floats must be equal to the last bit; sums that were added in another order need not be."""
    of_any_time: bool = False
    """Whether it is a view of the last days over a function NAME_between, which is asked for all time."""
    where: str = "true"
    """Which rows are compared."""
    where_reason: str | None = None


def _fact(record: type) -> Relation:
    table = TABLES[record]
    return Relation(
        name=table.name, key=("batch_id", "row"), day=table.partition, ignored={"received_time": _RECEIVED}, first_by="received_time"
    )


RELATIONS = (
    *map(_fact, (Summary, Inference, Event, Heartbeat, Sample)),
    Relation(name=TABLES[Batch].name, key=("batch_id",), day="cut_time", ignored={"received_time": _RECEIVED}, first_by="received_time"),
    Relation(
        name=TABLES[Reject].name,
        key=("reject_id",),
        day=None,
        ignored={"timestamp": _SET_ASIDE, "stacktrace": _VERSIONS, "versions": _VERSIONS},
        first_by="timestamp",
    ),
    Relation(name=TABLES[Device].name, key=("device_id", "valid_from"), day=None),
    Relation(name=TABLES[Site].name, key=("site_id", "valid_from"), day=None),
    Relation(name=TABLES[RuleDefinition].name, key=("name",), day=None),
    Relation(name=TABLES[GatewayKey].name, key=("gateway_id", "public_key"), day=None),
    Relation(
        name="summaries",
        key=("device_id", "channel", "unit", "window_start", "window_seconds"),
        day="day",
        ignored={"received_time": _RECEIVED},
        exact=False,
        of_any_time=True,
    ),
    Relation(
        name="site_windows",
        key=("site_id", "channel", "unit", "window_start", "window_seconds"),
        day="window_start",
        ignored={"revision": _REVISION, "as_of": _AS_OF, "timing": "whether the run was early, on time, late, a batch or a recomputation"},
        exact=False,
        of_any_time=True,
    ),
    Relation(
        name="irrigation",
        key=("site_id", "day"),
        day="day",
        ignored={"revision": _REVISION, "as_of": _AS_OF},
        exact=False,
        of_any_time=True,
    ),
    Relation(
        name="alerts",
        key=("alert_id",),
        day="opened_time",
        ignored={"revision": _REVISION, "as_of": _AS_OF, "told": _TOLD},
        exact=False,
        of_any_time=True,
        where=_DERIVED_ALERTS,
        where_reason=_LIVE,
    ),
    Relation(
        name="alerts_open",
        key=("rule", "subject"),
        day=None,
        ignored={"revision": _REVISION, "age_seconds": "by the clock of whoever looks", "told": _TOLD},
        exact=False,
        where=_DERIVED_ALERTS,
        where_reason=_LIVE,
    ),
    Relation(name="completeness", key=("gateway_id", "hour"), day="hour", exact=False, of_any_time=True),
)
"""What is compared, in this order."""

NOT_COMPARED = {
    TABLES[SiteWindow].name: "holds every revision; the view site_windows is compared",
    TABLES[Irrigation].name: "holds every revision; the view irrigation is compared",
    TABLES[IrrigationV1].name: "was written by pipelines up to 0.2; the view irrigation is compared",
    TABLES[Alert].name: "holds every revision; the view alerts is compared",
    TABLES[Label].name: "says what people said",
    TABLES[ModelReference].name: "says what bundles say",
    TABLES[ReleaseDecision].name: "says what was decided",
    TABLES[Replay].name: "says what a person or a changed registry replayed",
    TABLES[DirtyWindow].name: "says which hours a run touched",
    TABLES[Recomputation].name: "says when rollups were computed anew",
}
"""Tables that are not compared themselves, with the reason."""
