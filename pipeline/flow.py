"""Shows the whole flow on one page: messages in, rows out. It is the same for streaming and batch; no I/O in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from pipeline import rejects
from pipeline.alerts.transform import AlertInputs, RaiseAlerts, notifications
from pipeline.authenticate import Authenticator
from pipeline.elements import Clock, DecodedBatches, Delivery, NotificationMessage, ReceivedMessage, RowGroup, TableRows, UnwrittenRows
from pipeline.enrich import Sites
from pipeline.facts import facts
from pipeline.irrigation.transform import Irrigate
from pipeline.irrigation.transform import row as irrigation_row
from pipeline.replay.elements import Replayed
from pipeline.replay.marks import mark
from pipeline.replay.transform import again_rows, first_batches, new_rows
from pipeline.rollup.transform import RollUp, Schedule
from pipeline.transforms import coders
from pipeline.transforms.assign_sites import Assigned, AssignSites
from pipeline.transforms.batch_rows import BatchRows
from pipeline.transforms.collect import Collect
from pipeline.transforms.decode import Decoded, DecodeNew
from pipeline.transforms.gather import Gather
from schemas.records import Alert, Irrigation
from schemas.registry import OfRegistry, RegistrySource

OF_MESSAGES = frozenset(("Facts", "Batches", "Undecodable", "Unplaced"))
"""What rows are of that messages are made of; all others follow from them."""


class Sink(Protocol):
    """Takes rows, by what they are of: `{"Facts": rows} | sink.write()`."""

    def write(self) -> beam.PTransform[Mapping[str, PCollection[TableRows]], PCollection[UnwrittenRows]]:
        """Writes rows of any table; gives those that the warehouse refused for their content."""

    def write_or_fail(self) -> beam.PTransform[Mapping[str, PCollection[TableRows]], PCollection[UnwrittenRows]]:
        """Writes rows that may not be refused again: fails instead."""


Publish = beam.PTransform[PCollection[NotificationMessage], Any]
"""Where notifications go."""

Archive = beam.PTransform[tuple[PCollection[DecodedBatches], PCollection[TableRows]], Any]
"""Where messages go as they were sent: those of fresh batches, and those that became rejects because they are no batch. With `acknowledge`
it takes what they became, no batches and batches, with their entries, and gives that when they are kept."""


Acknowledge = beam.PTransform[tuple[PCollection[Delivery], PCollection[Delivery], PCollection[tuple[int, bytes]]], Any]
"""Writes what messages became, undecodable ones and batches, and acknowledges them then; repeats come as `pipeline.repeats` packs them. The
messages must have ids."""


Replay = beam.PTransform[PBegin, PCollection[Replayed]]
"""Gives rows that were set aside, to be sent through once more."""


def build(  # noqa: PLR0913 - what the flow is put together from
    messages: PCollection[ReceivedMessage],
    registry: RegistrySource,
    sink: Sink,
    schedule: Schedule,
    clock: Clock,
    publish: Publish | None = None,
    archive: Archive | None = None,
    open_alerts: Sequence[Alert] = (),
    replay: Replay | None = None,
    acknowledge: Acknowledge | None = None,
    authenticator: OfRegistry[Authenticator] | None = None,
) -> None:
    """Builds the flow: every row of every message ends in its fact table or, with its original bytes, in rejects: at least once, repeats
    dropped.

    Alerts that people are notified of go to `publish` too, if it is given, and what came, as it was sent, to `archive`. `open_alerts` are
    those that the warehouse has as open. What `replay` gives goes on as if its device had been known when it came. With `acknowledge` the
    rows of messages go there, and all others to `sink`. Without an `authenticator` every message is believed to be of the gateway that it
    names.
    """
    coders.register()
    is_acknowledged = acknowledge is not None
    parcels = messages | "Gather" >> Gather()
    decode = DecodeNew(clock, authenticator, keep_messages=archive is not None, acknowledge=is_acknowledged)
    decoded = parcels | "Decode new" >> decode
    assigned = decoded.batches | "Assign sites" >> AssignSites(OfRegistry(registry, Sites), clock, acknowledge=is_acknowledged)
    row_groups = assigned.row_groups
    replay_rows: dict[str, PCollection[TableRows]] = {}
    if replay:
        replayed = messages.pipeline | "Replay" >> replay
        new = replayed | "New rows" >> beam.FlatMap(new_rows)
        anew = new | "Assign sites anew" >> AssignSites(OfRegistry(registry, Sites), clock)
        row_groups = (row_groups, anew.row_groups) | "With what is replayed" >> beam.Flatten()
        replay_rows["Replays"] = replayed | "Replay rows" >> beam.Map(mark, clock)
        if is_acknowledged:
            replay_rows["Facts of replays"] = anew.row_groups | "Facts of replays" >> beam.Map(facts).with_output_types(TableRows)
    rollups = row_groups | "Roll up" >> RollUp(schedule, clock)
    irrigation = rollups.hours | "Irrigate" >> Irrigate(registry, schedule, clock)
    of_gateways = row_groups | "Rejects of gateways" >> beam.FlatMap(rejects.of_gateway)
    set_aside = (decoded.undecodable, assigned.unplaced, of_gateways) | "All rejects" >> beam.Flatten()
    watched = AlertInputs(row_groups, rollups.windows, rollups.hours, irrigation, set_aside)
    alerts = watched | "Alerts" >> RaiseAlerts(registry, schedule, clock, open_alerts)

    derived = {
        **rollups.rows,
        "Irrigation": irrigation | "Irrigation rows" >> beam.ParDo(Collect(Irrigation, irrigation_row)),
        "Alerts": alerts | "Alert rows" >> beam.ParDo(Collect(Alert)),
        **replay_rows,
    }
    if acknowledge:
        _acknowledge(decoded, assigned, archive, acknowledge)
        _write(derived, sink, clock)
    else:
        if archive:
            (decoded.batches, decoded.undecodable) | "Archive" >> archive
        _write({**_of_messages(decoded, row_groups, assigned.unplaced, clock), **derived}, sink, clock)
    if publish:
        alerts | "Notifications" >> beam.FlatMap(notifications) | "Publish" >> publish


def _acknowledge(decoded: Decoded, assigned: Assigned, archive: Archive | None, acknowledge: Acknowledge) -> None:
    """Keeps what messages became, if it is to be kept, and then has its rows written and the messages acknowledged."""
    deliveries = decoded.deliveries, assigned.deliveries
    kept = deliveries | "Archive" >> archive if archive else deliveries
    (*kept, decoded.repeats) | "Acknowledge" >> acknowledge


def _of_messages(
    decoded: Decoded, row_groups: PCollection[RowGroup], unplaced: PCollection[TableRows], clock: Clock
) -> dict[str, PCollection[TableRows]]:
    """Gives the rows that messages are, by what they are of."""
    return {
        "Facts": row_groups | "Facts" >> beam.Map(facts).with_output_types(TableRows),
        "Batches": decoded.batches | "Batch rows" >> beam.ParDo(BatchRows(clock)),
        "Undecodable": decoded.undecodable,
        "Unplaced": unplaced,
    }


def build_replay(replayed: PCollection[Replayed], registry: RegistrySource, sink: Sink, schedule: Schedule, clock: Clock) -> None:
    """Builds a batch run over rejects: facts and rows of batches, what they add to rollups with the marks for `tinybeam sql recompute`, and
    alerts of their events. What is derived is made of rows that are facts already, too: a replay may have been killed before it was.

    Irrigation and alerts of site windows rest on whole hours, and follow when these are computed anew.
    """
    coders.register()
    assigned = replayed | "New rows" >> beam.FlatMap(new_rows) | "Assign sites" >> AssignSites(OfRegistry(registry, Sites), clock)
    new, unplaced = assigned.row_groups, assigned.unplaced
    again = _again(replayed, registry, clock)
    row_groups = (new, again) | "All rows" >> beam.Flatten()
    rollups = row_groups | "Roll up" >> RollUp(schedule, clock)
    nothing = [replayed.pipeline | f"No {name}" >> beam.Create([]) for name in ("windows", "hours", "days", "rejects")]
    alerts = AlertInputs(row_groups, *nothing) | "Alerts" >> RaiseAlerts(registry, schedule, clock)
    rows = {
        "Facts": new | "Facts" >> beam.Map(facts).with_output_types(TableRows),
        **rollups.rows,
        "Alerts": alerts | "Alert rows" >> beam.ParDo(Collect(Alert)),
        "Batches": replayed | "Batches" >> beam.FlatMap(first_batches) | "Batch rows" >> beam.ParDo(BatchRows(clock)),
        "Unplaced": unplaced,
    }
    _write(rows, sink, clock)


def _again(replayed: PCollection[Replayed], registry: RegistrySource, clock: Clock) -> PCollection[RowGroup]:
    """Gives the rows that are facts already."""
    rows = replayed | "Rows again" >> beam.FlatMap(again_rows)
    return (rows | "Assign again" >> AssignSites(OfRegistry(registry, Sites), clock)).row_groups


def _write(rows: Mapping[str, PCollection[TableRows]], sink: Sink, clock: Clock) -> None:
    unwritten = rows | "Write" >> sink.write()
    {"Unwritten": unwritten | "Reject unwritten" >> beam.FlatMap(rejects.of_unwritten, clock)} | "Write rejects" >> sink.write_or_fail()
