"""Everything that the template is filled with, from findings and run record. Pure, apart from drawing."""

from __future__ import annotations

from typing import Any

from edge.models.bundle import Bundle
from lab.acts.run_record import RunRecord
from lab.report import sentences
from lab.report.findings import Findings
from lab.report.sections import alerts, batch_paths, completeness, fields, irrigation, latency, machines, transport


def build(record: RunRecord, findings: Findings, bundle: Bundle) -> dict[str, Any]:
    """Builds the content of every section and the sentences of the page. `bundle` is the model of the machines."""
    content: dict[str, Any] = {
        "alerts": alerts.content(record, findings),
        "fields": fields.content(findings),
        "irrigation": irrigation.content(findings),
        "machines": machines.content(record, findings, bundle),
        "batch_paths": batch_paths.content(record, findings),
        "latency": latency.content(record),
        "completeness": completeness.content(findings),
        "models": findings.models,
        "transport": transport.content(record, findings),
        "sites": findings.sites,
    }
    return content | {"ledes": _ledes(record, content)} | sentences.build(record, findings)


def _ledes(record: RunRecord, content: dict[str, Any]) -> dict[str, str]:
    return {
        "alerts": alerts.lede(content["alerts"]),
        "fields": fields.lede(content["fields"]),
        "irrigation": irrigation.lede(content["irrigation"]),
        "machines": machines.lede(content["machines"]),
        "batch_paths": batch_paths.lede(record, content["batch_paths"]),
        "latency": latency.lede(),
        "completeness": completeness.lede(content["completeness"]),
        "transport": transport.lede(record),
    }
