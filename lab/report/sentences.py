"""The report's sentences, each derived from the data: none claims what is not so."""

from __future__ import annotations

from typing import Any

from lab.acts.gateways import LIVE
from lab.acts.run_record import RunRecord
from lab.report.findings import Findings
from lab.report.wording import capital, count, listed

COMMANDS = """\
tinybeam lab keep                                           # serve this warehouse again, until Ctrl-C
tinybeam sql query                                          # which questions there are
tinybeam sql query driest_fields --project demo-project     # one of them
tinybeam lab up                                             # everything live, until Ctrl-C"""


LATENCY = "From the newest reading of a batch to its row in the warehouse."


def build(record: RunRecord, findings: Findings, content: dict[str, Any]) -> dict[str, str]:
    """Builds the texts by their names on the page. `content` is that of sections.build."""
    return {
        "headline": headline(record),
        "lead": lead(record, findings),
        "alerts_lede": _alerts(content["alerts"]),
        "fields_lede": _fields(content["fields"]),
        "irrigation_lede": _irrigation(content["irrigation"]),
        "machines_lede": _machines(content["machines"]),
        "journeys_lede": _journeys(record, content["journeys"]),
        "latency_lede": f"{LATENCY} Waiting for the window of {LIVE.window_seconds} seconds to close is in it.",
        "completeness_lede": _completeness(content["completeness"]),
        "bytes_lede": _bytes(record),
        "making_lede": _making(record),
        "commands": COMMANDS,
    }


def headline(record: RunRecord) -> str:
    """Claims no more than the oracle's verdict allows."""
    faults = [action.fault for action in record.actions if action.fault]
    if record.total.sound:
        return f"{capital(listed(faults))}. Nothing was lost." if faults else "Nothing was lost."
    failures = {"lost": record.total.lost, "shown twice": record.total.repeated, "never sent but shown": record.total.unexpected}
    return f"{capital(listed([f'{count(number)} {what}' for what, number in failures.items() if number]))}."


def lead(record: RunRecord, findings: Findings) -> str:
    kinds: dict[str, int] = {}
    for site in findings.sites:
        kinds[site["kind"]] = kinds.get(site["kind"], 0) + site["total_devices"]
    devices = listed([f"{number} {kind} sensors" for kind, number in sorted(kinds.items())])
    days, seconds = (record.started - record.season_begin).days, (record.ended - record.started).total_seconds()
    delivered = record.total.acknowledged - record.total.lost
    return (
        f"{capital(devices)}, {days} days of history and {seconds:.0f} seconds of real time: "
        f"of {count(record.total.acknowledged)} messages that gateways acknowledged, {count(delivered)} are in the warehouse, "
        f"and {count(record.total.repeated) if record.total.repeated else 'none'} is there twice."
    )


def _alerts(content: dict[str, Any]) -> str:
    old = (
        f" {count(content['historical'])} alerts of the season's history are in the warehouse, and no one was notified of them."
        if content["historical"]
        else ""
    )
    return f"A message when something needs doing, and one when it is over.{old}"


def _fields(content: list[dict[str, Any]]) -> str:
    dry = [field["name"] for field in content if field["verdict"] and field["verdict"]["label"] == "now"]
    verdict = f"{listed(dry)} {'needs' if len(dry) == 1 else 'need'} water now" if dry else "No field needs water now"
    needs = " Bars: irrigation need, mm." if any(field["needs"] for field in content) else ""
    return f"{verdict}, says the model on the gateway. Lines: moisture of the root zone day by day, m³ of water in a m³ of soil.{needs}"


def _irrigation(content: dict[str, Any]) -> str:
    method = "The need is what the root zone lacks once stress is near, net of what gets lost on the way, computed after FAO-56."
    if not content["fields"]:
        return method
    verb = "needs" if content["thirsty"] == 1 else "need"
    thirsty = f"{content['thirsty']} of {content['fields']} fields {verb} water today, {count(content['total_m3'])} m³ in all."
    return f"{thirsty if content['thirsty'] else 'No field needs water today.'} {method}"


def _machines(content: list[dict[str, Any]]) -> str:
    flagged = [machine["name"] for machine in content if machine["flagged"]]
    flags = f"{len(flagged)} of {len(content)} machines are flagged: {listed(flagged)}. " if flagged else ""
    return f"{flags}A model on the gateway knows what each machine sounds like when healthy; the score is how far from that it sounds now."


def _journeys(record: RunRecord, content: dict[str, Any]) -> str:
    actions = "; ".join(f"{(action.time - record.started).total_seconds():.0f} s: {action.text}" for action in record.actions)
    if not content["chart"]:
        return f"{actions}." if actions else "Nothing was done to the running system."
    slowest = f"the slowest was in the warehouse after {content['longest']:.0f} s"
    return f"{actions}. {content['affected']} of {content['batches']} batches were affected by a fault; {slowest}."


def _completeness(content: dict[str, Any]) -> str:
    missing, declared = (sum(gateway[name] for gateway in content["gateways"]) for name in ("missing", "declared"))
    gaps = f"{count(missing) if missing else 'none'} missing, {count(declared) if declared else 'none'} declared as dropped"
    return f"Gateways number their batches, so a gap is known: {gaps}. Each tick is an hour in which batches were cut."


def _bytes(record: RunRecord) -> str:
    if not record.bytes_raw_mqtt or not record.bytes_uplink:
        return "Nothing was sent."
    times = record.bytes_raw_mqtt / record.bytes_uplink
    return f"In real time, with windows of {LIVE.window_seconds} seconds, gateways sent {times:.1f} times fewer bytes than they received."


def _making(record: RunRecord) -> str:
    where = "Numbers were asked of the warehouse or seen on the wire."
    chosen = "Fields and machines are simulated, and chosen so that some dry out and some wear out."
    return f"On one machine, in {record.seconds:.0f} seconds, with real servers and clients. {chosen} {where}"
