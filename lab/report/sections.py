"""The content of each section of the report, from findings and run record: rows and charts. Pure, apart from drawing."""

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


def build(record: RunRecord, findings: Findings, bundle: Bundle) -> dict[str, Any]:
    """Builds the content of every section. `bundle` is the model of the machines."""
    return {
        "alerts": alerts(record, findings),
        "fields": fields(findings),
        "irrigation": irrigation(findings),
        "machines": machines(record, findings, bundle),
        "journeys": journeys(record, findings),
        "latency": latency(record),
        "completeness": completeness(findings),
        "models": findings.models,
        "transport": transport(record, findings),
        "sites": findings.sites,
    }


def alerts(record: RunRecord, findings: Findings) -> dict[str, Any]:
    """Lists what was delivered, newest first, and counts the alerts that history alone raised."""
    names = {row["site_id"]: row["name"] for row in findings.sites}
    delivered = [
        {
            **asdict(alert),
            "about": names.get(alert.subject, alert.subject),
            "seconds": (alert.received - alert.event_time).total_seconds(),
        }
        for alert in reversed(record.alerts)
    ]
    historical = sum(row["historical"] for row in findings.alerts)
    return {"delivered": delivered[:MOST_ALERTS], "more": max(0, len(delivered) - MOST_ALERTS), "historical": historical}


def fields(findings: Findings) -> list[dict[str, Any]]:
    """Draws a small chart for each field that has moisture."""
    moisture, needs = _by(findings.moisture, "site_id"), _by(findings.irrigation, "site_id")
    verdicts = {row["site_id"]: row for row in findings.verdicts}
    top = max([0.5, *(row["mean"] for row in findings.moisture)])
    top_need = max((row["need_mm"] for row in findings.irrigation), default=0.0)
    figures = []
    for site in findings.sites:
        if days := moisture.get(site["site_id"]):
            wanted = _picked(needs.get(site["site_id"], ()), "day", "need_mm")
            chart = charts.moisture_season(_picked(days, "day", "mean"), wanted, top, top_need)
            drawn = charts.svg(chart, _season_in_words(site["name"], days))
            figures.append({**site, "verdict": verdicts.get(site["site_id"]), "needs": wanted, "chart": drawn})
    return figures


def irrigation(findings: Findings) -> dict[str, Any]:
    """Lists the newest day of each field, the one with the greatest need first."""
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


def machines(record: RunRecord, findings: Findings, bundle: Bundle) -> list[dict[str, Any]]:
    """Draws a chart for each machine that the model has scored. It is flagged from the first event with the worst label."""
    worst = bundle.labels[-1]
    flags = {row["device_id"]: row["time"] for row in reversed(findings.label_changes) if row["state"] == worst}
    thresholds = [
        {"score": above, "text": label, "worst": label == worst} for label, above in zip(bundle.labels[1:], bundle.thresholds, strict=True)
    ]
    span = bundle.thresholds[0] / 40, 1.3 * max([bundle.thresholds[-1], *(row["score"] for row in findings.scores)])
    figures = []
    for device, rows in _by(findings.scores, "device_id").items():
        flagged, last = flags.get(device), rows[-1]
        chart = charts.score_history(*_scores(record, rows), thresholds, _flag(record, flagged), span)
        description = f"Anomaly score of {device}: {rows[0]['score']:.2f} on {rows[0]['time']:%-d %B}, {last['score']:.2f} at the end"
        figures.append(
            {"name": device.partition("-")[2] or device, "flagged": flagged, "last": last, "chart": charts.svg(chart, description)}
        )
    return figures


def _scores(record: RunRecord, rows: Rows) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Separates the scores of the season from those of the minute, which go by their second."""
    season = [row for row in rows if row["time"] < record.started]
    minute = [{"second": _second(record, row["time"]), "score": round(row["score"], 4)} for row in rows[len(season) :]]
    return _picked(season, "time", "score"), minute


def _flag(record: RunRecord, flagged: datetime | None) -> list[dict[str, Any]]:
    if flagged is None:
        return []
    return [{"time": flagged}] if flagged < record.started else [{"second": _second(record, flagged)}]


def journeys(record: RunRecord, findings: Findings) -> dict[str, Any]:
    """Draws every batch of summaries of act two, from its readings to its row."""
    first = {row["batch_id"]: row["first_time"] for row in findings.spans}
    affected = _affected(record)
    lanes = sorted({_gateway(arrival) for arrival in record.arrivals})
    batches: list[dict[str, Any]] = [
        {
            "lane": _gateway(arrival),
            "first": max(0.0, _second(record, min(first.get(arrival.batch_id, arrival.newest_reading), arrival.newest_reading))),
            "newest": max(0.0, _second(record, arrival.newest_reading)),
            "visible": _second(record, arrival.visible),
            "affected": arrival in affected,
        }
        for arrival in record.arrivals
    ]
    if not batches:
        return {"chart": "", "batches": 0}
    seconds = max(batch["visible"] for batch in batches) + 1
    faults = list(_faults(record, lanes))
    description = f"{len(batches)} batches on their way from reading to warehouse; a fault delayed {len(affected)} of them"
    chart = charts.both_widths(lambda width: charts.batch_paths(batches, faults, seconds, lanes, width), description)
    return {
        "chart": chart,
        "batches": len(batches),
        "affected": len(affected),
        "longest": max(arrival.milliseconds for arrival in record.arrivals) / 1000,
    }


def latency(record: RunRecord) -> dict[str, Any]:
    """Draws a dot for each batch."""
    unaffected = [arrival.milliseconds / 1000 for arrival in record.unaffected]
    if not unaffected:
        return {"chart": "", "p50": None, "p99": None}
    affected, stacks, dots = _affected(record), Counter[float](), []
    for arrival in sorted(record.arrivals, key=lambda arrival: (arrival in affected, arrival.milliseconds)):
        place = round(arrival.milliseconds / 1000 * _DOTS_A_SECOND) / _DOTS_A_SECOND
        dots.append({"seconds": place, "height": stacks[place], "affected": arrival in affected})
        stacks[place] += 1
    p50, p99 = percentile(unaffected, 0.5), percentile(unaffected, 0.99)
    high = max(stacks.values())
    marks = [
        {"seconds": p50, "text": f"median {p50:.1f} s", "height": high + 1.8},
        {"seconds": p99, "text": f"99 % within {p99:.1f} s", "height": high + 0.6},
    ]
    longest = max(dot["seconds"] for dot in dots) + 1
    description = f"Latency of {len(dots)} batches: median {p50:.1f} s, 99 percent within {p99:.1f} s of those that no fault affected"
    return {"chart": charts.both_widths(lambda width: charts.latencies(dots, marks, longest, width), description), "p50": p50, "p99": p99}


def completeness(findings: Findings) -> dict[str, Any]:
    """Sums up each gateway, and draws each of its hours."""
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
    description = f"Completeness of {len(rows)} hours of {len(lanes)} gateways; the lowest is {worst:.1%}"
    cells = [{"gateway_id": row["gateway_id"], "hour": row["hour"], "whole": row["completeness"] == 1} for row in rows]
    return {
        "chart": charts.both_widths(lambda width: charts.completeness(cells, lanes, width), description),
        "gateways": gateways,
        "worst": worst,
    }


def transport(record: RunRecord, findings: Findings) -> dict[str, Any]:
    """Compares the bytes that the sensors sent with those that the gateways sent."""
    largest = max(record.bytes_raw_mqtt, record.bytes_uplink, 1)
    return {"kinds": findings.transport, "raw": record.bytes_raw_mqtt / largest, "up": record.bytes_uplink / largest}


def _faults(record: RunRecord, lanes: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Yields each fault as a shade on the lanes that it touched; the first of them names it."""
    begins = [action for action in record.actions if action.fault]
    ends = [action for action in record.actions if not action.fault]
    for begin, end in zip(begins, ends, strict=False):
        touched = [lane for lane in lanes if lane in begin.text] or list(lanes)
        text = begin.fault.removeprefix("a gateway was ").removeprefix("the ").replace(" was ", " ")
        for lane in touched:
            label = text if lane == touched[0] else ""
            yield {"lane": lane, "begin": _second(record, begin.time), "end": _second(record, end.time), "text": label}


def _affected(record: RunRecord) -> set[Arrival]:
    return set(record.arrivals) - set(record.unaffected)


def _gateway(arrival: Arrival) -> str:
    return arrival.batch_id.split(":", 1)[0]


def _second(record: RunRecord, time: datetime) -> float:
    return round((time - record.started) / timedelta(seconds=1), 3)


def _by(rows: Iterable[Mapping[str, Any]], name: str) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Groups rows by a column that they are sorted by."""
    return {key: tuple(group) for key, group in groupby(rows, key=lambda row: row[name])}


def _picked(rows: Iterable[Mapping[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: round(row[name], 4) if isinstance(row[name], float) else row[name] for name in names} for row in rows]


def _season_in_words(name: str, days: Rows) -> str:
    means = [row["mean"] for row in days]
    return f"Soil moisture of {name} over {len(days)} days, between {min(means):.2f} and {max(means):.2f} m3/m3, last {means[-1]:.2f}"
