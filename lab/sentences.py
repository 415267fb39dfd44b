"""The report's sentences, each made from the data: what is not so is not said."""

from __future__ import annotations

from typing import Any

from lab.findings import Findings
from lab.story import Story


def all_of(story: Story, findings: Findings, shown: dict[str, Any]) -> dict[str, str]:
    """By the names that the page knows them by. `shown` is what sections.all_of made."""
    return {
        "headline": headline(story),
        "lead": lead(story, findings),
        "fields_lede": _fields(shown["fields"]),
        "irrigation_lede": _irrigation(shown["irrigation"]),
        "machines_lede": _machines(shown["machines"]),
        "journeys_lede": _journeys(story, shown["journeys"]),
        "latency_lede": _latency(shown["latency"]),
        "completeness_lede": _completeness(shown["completeness"]),
        "bytes_lede": _bytes(story),
        "making_lede": _making(story),
        "commands": COMMANDS,
    }


COMMANDS = """\
make demo                                        # all of this again
make up                                          # keep it running, and look around
tinybeam sql query                               # which questions there are
tinybeam sql query driest_fields --project demo-project"""


def headline(story: Story) -> str:
    if story.both.sound:
        faults = _listed([happening.text for happening in story.happenings if happening.begins])
        return f"{faults[0].upper()}{faults[1:]}. Nothing was lost." if faults else "Nothing was lost."
    wrong = {"lost": story.both.lost, "shown twice": story.both.repeated, "never sent": story.both.unexpected}
    return f"{_listed([f'{number} {what}' for what, number in wrong.items() if number])}."


def lead(story: Story, findings: Findings) -> str:
    kinds = {kind: [site for site in findings.sites if site["kind"] == kind] for kind in sorted({site["kind"] for site in findings.sites})}
    devices = _listed([f"{sum(site['total_devices'] for site in sites)} {kind} sensors" for kind, sites in kinds.items()])
    days = (story.began - story.season_begin).days
    seconds = (story.ended - story.began).total_seconds()
    return (
        f"{devices}, {days} days of history and {seconds:.0f} seconds of real time. "
        f"Of {story.both.acknowledged:,} messages that gateways acknowledged, {story.both.acknowledged - story.both.lost:,} are in the warehouse, "
        f"and {story.both.repeated or 'none'} twice."
    )


def _fields(shown: list[dict[str, Any]]) -> str:
    if not shown:
        return ""
    dry = [field["name"] for field in shown if field["verdict"] and field["verdict"]["verdict"] == "now"]
    said = f"Of {len(shown)} fields, {_listed(dry)} {'needs' if len(dry) == 1 else 'need'} water now." if dry else f"None of {len(shown)} fields needs water now."
    return f"{said} Upper line: moisture in the root zone, m³ of water in a m³ of soil, day by day. Lower bars: irrigation need, mm."


def _irrigation(shown: dict[str, Any]) -> str:
    if not shown["rows"]:
        return "The water that brings the root zone back to what it can hold."
    if not shown["thirsty"]:
        return f"None of {len(shown['rows'])} fields needs water today."
    return f"{shown['thirsty']} of {len(shown['rows'])} fields need water, {shown['total_m3']:,.0f} m³ in all: what brings the root zone back to what it can hold."


def _machines(shown: list[dict[str, Any]]) -> str:
    if not shown:
        return "An accelerometer on each machine, and a model on the gateway that knows what healthy sounds like."
    flagged = [machine["device_id"] for machine in shown if machine["flagged"]]
    return f"{len(shown)} machines, {len(flagged) or 'none'} flagged. The score is how far the sound is from what the model knows as healthy."


def _journeys(story: Story, shown: dict[str, Any]) -> str:
    if not shown["batches"]:
        return "What happened to data on its way while things broke."
    done = _listed([f"{(happening.time - story.began).total_seconds():.0f} s: {happening.text}" for happening in story.happenings])
    return f"{done}. {shown['met']} of {shown['batches']} batches met a fault; the slowest was in the warehouse after {shown['longest']:.0f} s."


def _latency(shown: dict[str, Any]) -> str:
    if shown["p50"] is None:
        return "From the newest reading of a batch to its row in the warehouse."
    return (
        f"From the newest reading of a batch to its row in the warehouse: median {shown['p50']:.1f} s, 99 % within {shown['p99']:.1f} s, "
        "where no fault was met. Waiting for the five-second window to close is in it."
    )


def _completeness(shown: dict[str, Any]) -> str:
    if not shown["gateways"]:
        return "Gateways number their batches, so a gap is known."
    missing, declared = (sum(gateway[name] for gateway in shown["gateways"]) for name in ("missing", "declared"))
    return f"Gateways number their batches, so a gap is known: {missing or 'none'} missing, {declared or 'none'} declared as dropped. Each tick is an hour in which batches were cut."


def _bytes(story: Story) -> str:
    if not story.bytes_raw_mqtt:
        return "Nothing was sent."
    times = story.bytes_raw_mqtt / story.bytes_uplink
    return f"In the minute of real time the gateways sent up {times:.1f} times fewer bytes than they were given, with windows of five seconds; longer windows send less."


def _making(story: Story) -> str:
    return f"One machine, {story.seconds:.0f} seconds, real servers and clients. Every number on this page was asked of the warehouse or seen on the wire."


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1] if words else ""
