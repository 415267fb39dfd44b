"""From findings and story to what each section of the report shows: sentences, rows and pictures. Pure, apart from drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from edge.models.bundle import Bundle
from lab.acts.run_record import RunRecord
from lab.report import charts
from lab.report.findings import Findings, Rows
from lab.witness.latency import Arrival, percentile
from pipeline.irrigation.water import HORIZON_DAYS

MOST_ALERTS = 8
_DOTS_A_SECOND = 2


def all_of(story: RunRecord, findings: Findings, bundle: Bundle) -> dict[str, Any]:
    """Everything that the page is filled with. `bundle` is the model of the machines."""
    return {
        "alerts": alerts(story, findings),
        "fields": fields(findings),
        "irrigation": irrigation(findings),
        "machines": machines(story, findings, bundle),
        "journeys": journeys(story, findings),
        "latency": latency(story),
        "completeness": completeness(findings),
        "models": findings.models,
        "transport": transport(story, findings),
        "sites": findings.sites,
    }


def alerts(story: RunRecord, findings: Findings) -> dict[str, Any]:
    """What was delivered, newest first, and how many alerts were old news."""
    names = {row["site_id"]: row["name"] for row in findings.sites}
    told = [
        {**asdict(one), "about": names.get(one.subject, one.subject), "seconds": (one.received - one.event_time).total_seconds()}
        for one in reversed(story.told)
    ]
    historical = sum(row["historical"] for row in findings.alerts)
    return {"told": told[:MOST_ALERTS], "more": max(0, len(told) - MOST_ALERTS), "historical": historical}


def fields(findings: Findings) -> list[dict[str, Any]]:
    """A small picture for each field that has moisture."""
    moisture, needs = _by(findings.moisture, "site_id"), _by(findings.irrigation, "site_id")
    verdicts = {row["site_id"]: row for row in findings.verdicts}
    top = max([0.5, *(row["mean"] for row in findings.moisture)])
    top_need = max((row["need_mm"] for row in findings.irrigation), default=0.0)
    made = []
    for site in findings.sites:
        if days := moisture.get(site["site_id"]):
            wanted = _picked(needs.get(site["site_id"], ()), "day", "need_mm")
            chart = charts.season(_picked(days, "day", "mean"), wanted, top, top_need)
            drawn = charts.svg(chart, _season_in_words(site["name"], days))
            made.append({**site, "verdict": verdicts.get(site["site_id"]), "needs": wanted, "chart": drawn})
    return made


def irrigation(findings: Findings) -> dict[str, Any]:
    """The newest day of each field, the thirstiest first."""
    rows = sorted(findings.irrigation_this_week, key=lambda row: (-row["need_mm"], row["days_until_stress"] or 0.0))
    top = max((row["need_mm"] for row in rows), default=0.0)
    soon = [row for row in rows if row["need_mm"] > 0 or (row["days_until_stress"] or 0.0) < HORIZON_DAYS]
    shown = [{**row, "share": row["need_mm"] / top if top else 0.0} for row in soon]
    later = [row["field"] for row in rows if row not in soon]
    assumed = sorted({row["assumed"] for row in rows if row["assumed"]})
    return {
        "rows": shown,
        "later": later,
        "fields": len(rows),
        "total_m3": sum(row["need_m3"] or 0.0 for row in rows),
        "thirsty": sum(row["need_mm"] > 0 for row in rows),
        "assumed": assumed,
    }


def machines(story: RunRecord, findings: Findings, bundle: Bundle) -> list[dict[str, Any]]:
    """A picture for each machine that the model has judged. It is flagged from the first event that says the worst label."""
    worst = bundle.labels[-1]
    flags = {row["device_id"]: row["time"] for row in reversed(findings.relabelled) if row["state"] == worst}
    levels = [
        {"score": above, "text": label, "worst": label == worst} for label, above in zip(bundle.labels[1:], bundle.thresholds, strict=True)
    ]
    span = bundle.thresholds[0] / 40, 1.3 * max([bundle.thresholds[-1], *(row["score"] for row in findings.scores)])
    made = []
    for device, rows in _by(findings.scores, "device_id").items():
        flagged, last = flags.get(device), rows[-1]
        chart = charts.life(*_course(story, rows), levels, _flag(story, flagged), span)
        says = f"Anomaly score of {device}: {rows[0]['score']:.2f} on {rows[0]['time']:%-d %B}, {last['score']:.2f} at the end"
        made.append({"name": device.partition("-")[2] or device, "flagged": flagged, "last": last, "chart": charts.svg(chart, says)})
    return made


def _course(story: RunRecord, rows: Rows) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Scores of the season, and those of the minute by their second."""
    season = [row for row in rows if row["time"] < story.began]
    minute = [{"second": _second(story, row["time"]), "score": round(row["score"], 4)} for row in rows[len(season) :]]
    return _picked(season, "time", "score"), minute


def _flag(story: RunRecord, flagged: datetime | None) -> list[dict[str, Any]]:
    if flagged is None:
        return []
    return [{"time": flagged}] if flagged < story.began else [{"second": _second(story, flagged)}]


def journeys(story: RunRecord, findings: Findings) -> dict[str, Any]:
    """Every batch of summaries of act two, from its readings to its row."""
    first = {row["batch_id"]: row["first_time"] for row in findings.spans}
    met = _met(story)
    lanes = sorted({_gateway(arrival) for arrival in story.arrivals})
    batches: list[dict[str, Any]] = [
        {
            "lane": _gateway(arrival),
            "first": max(0.0, _second(story, min(first.get(arrival.batch_id, arrival.newest), arrival.newest))),
            "newest": max(0.0, _second(story, arrival.newest)),
            "seen": _second(story, arrival.seen),
            "met": arrival in met,
        }
        for arrival in story.arrivals
    ]
    if not batches:
        return {"chart": "", "batches": 0}
    seconds = max(batch["seen"] for batch in batches) + 1
    spells = list(_faults(story, lanes))
    says = f"The way of {len(batches)} batches from reading to warehouse; {len(met)} of them met a fault and arrived later"
    chart = charts.two_widths(lambda width: charts.journeys(batches, spells, seconds, lanes, width), says)
    return {
        "chart": chart,
        "batches": len(batches),
        "met": len(met),
        "longest": max(arrival.milliseconds for arrival in story.arrivals) / 1000,
    }


def latency(story: RunRecord) -> dict[str, Any]:
    """A dot for each batch."""
    calm = [arrival.milliseconds / 1000 for arrival in story.calm]
    if not calm:
        return {"chart": "", "p50": None, "p99": None}
    met, levels, dots = _met(story), Counter[float](), []
    for arrival in sorted(story.arrivals, key=lambda arrival: (arrival in met, arrival.milliseconds)):
        place = round(arrival.milliseconds / 1000 * _DOTS_A_SECOND) / _DOTS_A_SECOND
        dots.append({"seconds": place, "level": levels[place], "met": arrival in met})
        levels[place] += 1
    p50, p99 = percentile(calm, 0.5), percentile(calm, 0.99)
    high = max(levels.values())
    marks = [
        {"seconds": p50, "text": f"median {p50:.1f} s", "height": high + 1.8},
        {"seconds": p99, "text": f"99 % within {p99:.1f} s", "height": high + 0.6},
    ]
    longest = max(dot["seconds"] for dot in dots) + 1
    says = f"Latency of {len(dots)} batches: median {p50:.1f} s, 99 percent within {p99:.1f} s where no fault was met"
    return {"chart": charts.two_widths(lambda width: charts.latencies(dots, marks, longest, width), says), "p50": p50, "p99": p99}


def completeness(findings: Findings) -> dict[str, Any]:
    """Per gateway, and an hour at a time."""
    rows = findings.completeness
    if not rows:
        return {"chart": "", "gateways": []}
    gateways = [
        {
            "gateway_id": gateway,
            "hours": len(hours),
            **{name: sum(hour[name] for hour in hours) for name in ("received", "missing", "declared")},
        }
        for gateway, hours in _by(rows, "gateway_id").items()
    ]
    worst = min(row["completeness"] for row in rows)
    lanes = [gateway["gateway_id"] for gateway in gateways]
    says = f"Completeness of {len(rows)} hours of {len(lanes)} gateways; the lowest is {worst:.1%}"
    cells = [{"gateway_id": row["gateway_id"], "hour": row["hour"], "whole": row["completeness"] == 1} for row in rows]
    return {"chart": charts.two_widths(lambda width: charts.complete(cells, lanes, width), says), "gateways": gateways, "worst": worst}


def transport(story: RunRecord, findings: Findings) -> dict[str, Any]:
    """Bytes: what the sensors said, what went up."""
    largest = max(story.bytes_raw_mqtt, story.bytes_uplink, 1)
    return {"kinds": findings.transport, "raw": story.bytes_raw_mqtt / largest, "up": story.bytes_uplink / largest}


def _faults(story: RunRecord, lanes: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Each fault as a shade on the lanes that it touched; the first of them names it."""
    begins = [happening for happening in story.happenings if happening.fault]
    ends = [happening for happening in story.happenings if not happening.fault]
    for begin, end in zip(begins, ends, strict=False):
        touched = [lane for lane in lanes if lane in begin.text] or list(lanes)
        text = begin.fault.removeprefix("a gateway was ").removeprefix("the ").replace(" was ", " ")
        for lane in touched:
            named = text if lane == touched[0] else ""
            yield {"lane": lane, "begin": _second(story, begin.time), "end": _second(story, end.time), "text": named}


def _met(story: RunRecord) -> set[Arrival]:
    return set(story.arrivals) - set(story.calm)


def _gateway(arrival: Arrival) -> str:
    return arrival.batch_id.split(":", 1)[0]


def _second(story: RunRecord, time: datetime) -> float:
    return round((time - story.began) / timedelta(seconds=1), 3)


def _by(rows: Iterable[Mapping[str, Any]], name: str) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Rows of each value of a column, which they are sorted by."""
    return {key: tuple(group) for key, group in groupby(rows, key=lambda row: row[name])}


def _picked(rows: Iterable[Mapping[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: round(row[name], 4) if isinstance(row[name], float) else row[name] for name in names} for row in rows]


def _season_in_words(name: str, days: Rows) -> str:
    means = [row["mean"] for row in days]
    return f"Soil moisture of {name} over {len(days)} days, between {min(means):.2f} and {max(means):.2f} m3/m3, last {means[-1]:.2f}"
