"""Writes the sentences of the page outside its sections, each derived from the data: none claims what is not so."""

from __future__ import annotations

from lab.acts.run_record import RunRecord
from lab.report.query_results import QueryResults
from presentation.wording import capital, count, listed

COMMANDS = """\
.venv/bin/tinybeam lab keep       # serves this warehouse again, until Ctrl-C, and says at which address
export BIGQUERY_EMULATOR_HOST=ADDRESS
.venv/bin/tinybeam sql query      # which questions there are
.venv/bin/tinybeam sql query driest_fields --project demo-project
.venv/bin/tinybeam lab up         # everything live, until Ctrl-C"""


def build(record: RunRecord, results: QueryResults) -> dict[str, str]:
    """Builds the sentences by their names in the template."""
    return {"headline": headline(record), "lead": lead(record, results), "making": making(record), "commands": COMMANDS}


def headline(record: RunRecord) -> str:
    """Claims no more than the oracle's verdict allows."""
    faults = [action.fault for action in record.actions if action.fault]
    if record.total.sound:
        return f"{capital(listed(faults))}. Nothing was lost." if faults else "Nothing was lost."
    failures = {"lost": record.total.lost, "shown twice": record.total.repeated, "never sent but shown": record.total.unexpected}
    return f"{capital(listed([f'{count(number)} {what}' for what, number in failures.items() if number]))}."


def lead(record: RunRecord, results: QueryResults) -> str:
    """Sums up what was sent and what arrived."""
    kinds: dict[str, int] = {}
    for site in results.sites:
        kinds[site["kind"]] = kinds.get(site["kind"], 0) + site["total_devices"]
    devices = listed([f"{number} {kind} sensors" for kind, number in sorted(kinds.items())])
    days, seconds = (record.started - record.season_begin).days, (record.ended - record.started).total_seconds()
    delivered = record.total.acknowledged - record.total.lost
    return (
        f"{capital(devices)}, {days} days of history and {seconds:.0f} seconds of real time: "
        f"of {count(record.total.acknowledged)} messages that gateways acknowledged, {count(delivered)} are in the warehouse, "
        f"and {count(record.total.repeated) if record.total.repeated else 'none'} is there twice."
    )


def making(record: RunRecord) -> str:
    """Says how the page came about."""
    where = "Numbers were asked of the warehouse or seen on the wire."
    chosen = "Fields and machines are simulated, and chosen so that some dry out and some wear out."
    return f"On one machine, in {record.seconds:.0f} seconds, with real servers and clients. {chosen} {where}"
