"""The report's sentences, each made from the data: what is not so is not said."""

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


def all_of(story: RunRecord, findings: Findings, shown: dict[str, Any]) -> dict[str, str]:
    """By the names that the page knows them by. `shown` is what sections.all_of made."""
    return {
        "headline": headline(story),
        "lead": lead(story, findings),
        "alerts_lede": _alerts(shown["alerts"]),
        "fields_lede": _fields(shown["fields"]),
        "irrigation_lede": _irrigation(shown["irrigation"]),
        "machines_lede": _machines(shown["machines"]),
        "journeys_lede": _journeys(story, shown["journeys"]),
        "latency_lede": f"{LATENCY} Waiting for the window of {LIVE.window_seconds} seconds to close is in it.",
        "completeness_lede": _completeness(shown["completeness"]),
        "bytes_lede": _bytes(story),
        "making_lede": _making(story),
        "commands": COMMANDS,
    }


def headline(story: RunRecord) -> str:
    """A claim that the oracle's verdict allows."""
    faults = [happening.fault for happening in story.happenings if happening.fault]
    if story.both.sound:
        return f"{capital(listed(faults))}. Nothing was lost." if faults else "Nothing was lost."
    wrong = {"lost": story.both.lost, "shown twice": story.both.repeated, "never sent but shown": story.both.unexpected}
    return f"{capital(listed([f'{count(number)} {what}' for what, number in wrong.items() if number]))}."


def lead(story: RunRecord, findings: Findings) -> str:
    kinds: dict[str, int] = {}
    for site in findings.sites:
        kinds[site["kind"]] = kinds.get(site["kind"], 0) + site["total_devices"]
    devices = listed([f"{number} {kind} sensors" for kind, number in sorted(kinds.items())])
    days, seconds = (story.began - story.season_begin).days, (story.ended - story.began).total_seconds()
    delivered = story.both.acknowledged - story.both.lost
    return (
        f"{capital(devices)}, {days} days of history and {seconds:.0f} seconds of real time: "
        f"of {count(story.both.acknowledged)} messages that gateways acknowledged, {count(delivered)} are in the warehouse, "
        f"and {count(story.both.repeated) if story.both.repeated else 'none'} is there twice."
    )


def _alerts(shown: dict[str, Any]) -> str:
    old = (
        f" {count(shown['historical'])} alerts of the season's history are in the warehouse, and nobody was woken for them."
        if shown["historical"]
        else ""
    )
    return f"A message when something needs doing, and one when it is over.{old}"


def _fields(shown: list[dict[str, Any]]) -> str:
    dry = [field["name"] for field in shown if field["verdict"] and field["verdict"]["label"] == "now"]
    said = f"{listed(dry)} {'needs' if len(dry) == 1 else 'need'} water now" if dry else "No field needs water now"
    needs = " Bars: irrigation need, mm." if any(field["needs"] for field in shown) else ""
    return f"{said}, says the model on the gateway. Lines: moisture of the root zone day by day, m³ of water in a m³ of soil.{needs}"


def _irrigation(shown: dict[str, Any]) -> str:
    what = "The need is what the root zone lacks once stress is near, net of what gets lost on the way, computed after FAO-56."
    if not shown["fields"]:
        return what
    verb = "needs" if shown["thirsty"] == 1 else "need"
    thirsty = f"{shown['thirsty']} of {shown['fields']} fields {verb} water today, {count(shown['total_m3'])} m³ in all."
    return f"{thirsty if shown['thirsty'] else 'No field needs water today.'} {what}"


def _machines(shown: list[dict[str, Any]]) -> str:
    flagged = [machine["name"] for machine in shown if machine["flagged"]]
    said = f"{len(flagged)} of {len(shown)} machines are flagged: {listed(flagged)}. " if flagged else ""
    return f"{said}A model on the gateway knows what each machine sounds like when healthy; the score is how far from that it sounds now."


def _journeys(story: RunRecord, shown: dict[str, Any]) -> str:
    done = "; ".join(f"{(happening.time - story.began).total_seconds():.0f} s: {happening.text}" for happening in story.happenings)
    if not shown["chart"]:
        return f"{done}." if done else "Nothing was done to the running system."
    slowest = f"the slowest was in the warehouse after {shown['longest']:.0f} s"
    return f"{done}. {shown['met']} of {shown['batches']} batches met a fault; {slowest}."


def _completeness(shown: dict[str, Any]) -> str:
    missing, declared = (sum(gateway[name] for gateway in shown["gateways"]) for name in ("missing", "declared"))
    told = f"{count(missing) if missing else 'none'} missing, {count(declared) if declared else 'none'} declared as dropped"
    return f"Gateways number their batches, so a gap is known: {told}. Each tick is an hour in which batches were cut."


def _bytes(story: RunRecord) -> str:
    if not story.bytes_raw_mqtt or not story.bytes_uplink:
        return "Nothing was sent."
    times = story.bytes_raw_mqtt / story.bytes_uplink
    return (
        f"In real time, with windows of {LIVE.window_seconds} seconds, gateways sent up {times:.1f} times fewer bytes than they were given."
    )


def _making(story: RunRecord) -> str:
    where = "Numbers were asked of the warehouse or seen on the wire."
    chosen = "Fields and machines are simulated, and chosen so that some dry out and some wear out."
    return f"On one machine, in {story.seconds:.0f} seconds, with real servers and clients. {chosen} {where}"
