"""Builds everything that the template is filled with, from query results and run record. Pure, apart from drawing."""

from __future__ import annotations

from typing import Any

from edge.models.bundle import Bundle
from lab.acts.run_record import RunRecord
from lab.report import sentences
from lab.report.query_results import QueryResults
from lab.report.sections import alerts, batch_paths, completeness, fields, irrigation, latency, machines, transport


def build(record: RunRecord, results: QueryResults, bundle: Bundle) -> dict[str, Any]:
    """Builds the content of every section and the sentences of the page. `bundle` is the model of the machines."""
    content: dict[str, Any] = {
        "alerts": alerts.content(record, results),
        "fields": fields.content(results),
        "irrigation": irrigation.content(results),
        "machines": machines.content(record, results, bundle),
        "batch_paths": batch_paths.content(record, results),
        "latency": latency.content(record),
        "completeness": completeness.content(results),
        "models": results.models,
        "transport": transport.content(record, results),
        "sites": results.sites,
    }
    return content | {"ledes": _ledes(record, content)} | sentences.build(record, results)


def _ledes(record: RunRecord, content: dict[str, Any]) -> dict[str, str]:
    return {
        "alerts": alerts.lede(content["alerts"]),
        "fields": fields.lede(content["fields"]),
        "irrigation": irrigation.lede(content["irrigation"]),
        "machines": machines.lede(content["machines"]),
        "batch_paths": batch_paths.lede(record, content["batch_paths"]),
        "latency": latency.lede(content["latency"]),
        "completeness": completeness.lede(content["completeness"]),
        "transport": transport.lede(record),
    }
