"""Finds what rejects give now: rows that are sound and have a place by now, and whether they are facts already.

It may be asked as often as one likes: what came in is a fact, and does not come in again. Knows no engine and no warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.assign_sites import group_rows
from pipeline.elements import DecodedBatch, DecodedBatches
from pipeline.enrich import Sites, enrich
from pipeline.refused import STAGES
from pipeline.replay.contents import NotReplayable, batch_of, with_rows
from pipeline.replay.elements import Identity, Left, RejectStore, Replayed, Selection, SetAside
from pipeline.validate import validate
from schemas.envelope import Envelope
from schemas.records import Kind

UNKNOWN_DEVICE = "unknown_device"
"""The reason of rows whose device the registry did not know."""

TOGETHER = 200
"""Of so many batches at once it is asked which rows are facts."""

BEFORE = "came in before"
"""Why nothing comes of a reject that an earlier replay finished."""

Fix = Callable[[SetAside], Iterable[SetAside | Left]]
"""Changes a reject before it is looked at: none, one or more come of it, or why none may."""


class _Found(NamedTuple):
    """Holds the rows of a reject that may come in, and how many may not."""

    reject: SetAside
    batch: DecodedBatch
    rows_left: int


def recovered(store: RejectStore, selection: Selection, sites: Sites, now: datetime, fix: Fix | None = None) -> Iterator[Replayed | Left]:
    """Yields what each reject gives, and which ones give nothing, with the reason."""
    seen: set[Identity] = set()
    fixed = (each for reject in store.set_aside(selection) for each in _fixed(reject, fix))
    looked_at = (each if isinstance(each, Left) else _look(each, sites, now) for each in fixed)
    for together in iter(lambda: list(islice(looked_at, TOGETHER)), []):
        yield from (each for each in together if isinstance(each, Left))
        found = [each for each in together if isinstance(each, _Found)]
        facts, batches = _facts(store, found), _batches(store, found)
        for each in found:
            yield _replayed(each, facts, batches, seen) or Left(each.reject.reject_id, BEFORE)


def without(batch: DecodedBatch, identities: Collection[Identity]) -> DecodedBatch | None:
    """Returns the batch without these rows; None if no row is left."""
    return with_rows(batch, pa.array([identity not in identities for identity in identities_of(batch)], pa.bool_()))


def identities_of(batch: DecodedBatch) -> list[Identity]:
    return [(batch.envelope.batch_id, number) for number in batch.rows.column("row").to_pylist()]


def _fixed(reject: SetAside, fix: Fix | None) -> Iterable[SetAside | Left]:
    if fix is None:
        return (reject,)
    return tuple(fix(reject)) or (Left(reject.reject_id, "left out by the fix"),)


def _look(reject: SetAside, sites: Sites, now: datetime) -> _Found | Left:
    try:
        batch = batch_of(reject)
    except NotReplayable as error:
        return Left(reject.reject_id, str(error))
    valid, invalid = validate(group_rows([DecodedBatches.of(batch)]), now)
    placed, unplaced = enrich(valid, sites)
    numbers = set(placed.rows.column("row").to_pylist())
    if not numbers:
        return Left(reject.reject_id, f"still {', '.join(each.reason for each in (*invalid, *unplaced))}")
    chosen = pa.array([number in numbers for number in batch.rows.column("row").to_pylist()], pa.bool_())
    return _Found(reject, replace(batch, rows=batch.rows.filter(chosen)), batch.rows.num_rows - len(numbers))


def _replayed(found: _Found, facts: Collection[Identity], batches: set[str], seen: set[Identity]) -> Replayed | None:
    """Returns what comes of the rows that this run has not seen yet; None if all of them came in by a replay that was finished."""
    mine = identities_of(found.batch)
    known = pa.array([identity in facts and identity not in seen for identity in mine], pa.bool_())
    new = pa.array([identity not in facts and identity not in seen for identity in mine], pa.bool_())
    seen.update(mine)
    if not new.true_count and found.reject.rows_in >= len(mine):
        return None
    first = found.reject.stage in STAGES and found.batch.envelope.batch_id not in batches
    batches.add(found.batch.envelope.batch_id)
    return Replayed(
        reject_id=found.reject.reject_id,
        rows_in=len(mine),
        rows_left=found.rows_left,
        new=with_rows(found.batch, new),
        again=with_rows(found.batch, known),
        first_of_batch=first,
    )


def _facts(store: RejectStore, found: Iterable[_Found]) -> set[Identity]:
    """Asks once for each kind."""
    by_kind: dict[Kind, list[Envelope]] = {}
    for each in found:
        by_kind.setdefault(Kind(each.batch.envelope.kind), []).append(each.batch.envelope)
    identities: set[Identity] = set()
    for kind, of_kind in by_kind.items():
        bounds = min(envelope.time_min for envelope in of_kind), max(envelope.time_max for envelope in of_kind)
        identities |= store.facts(kind, _names(of_kind), *bounds)
    return identities


def _batches(store: RejectStore, found: Iterable[_Found]) -> set[str]:
    """Asks which batches of messages are there."""
    envelopes = [each.batch.envelope for each in found if each.reject.stage in STAGES]
    if not envelopes:
        return set()
    return store.batches(_names(envelopes), min(each.cut_time for each in envelopes), max(each.cut_time for each in envelopes))


def _names(envelopes: Iterable[Envelope]) -> list[str]:
    return np.unique([envelope.batch_id for envelope in envelopes]).tolist()
