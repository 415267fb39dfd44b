"""Two sites of the same shape, each with a field, a machine and a gateway: what a test fills the warehouse with."""

from __future__ import annotations

from typing import Any

from google.cloud import bigquery

from dash.data.viewer import Viewer
from dash.data.warehouse import Questions, Warehouse

SITES = ("north", "south")


def rows(site: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of one site by table; times are of 1 May 2026."""
    soil, machine, gateway = f"soil-{site}", f"pump-{site}", f"gw-{site}"
    of_batch = {"gateway_id": gateway, "site_id": site}
    verdict = {**of_batch, "device_id": machine, "model": "vibration", "label": "worn", "score": 1.5}
    opened = {"alert_id": f"dry:{site}:1", "subject": site, "site_id": site}
    return {
        "sites_v1": [{"site_id": site, "name": f"{site.title()} field"}],
        "devices_v1": [{"device_id": soil, "site_id": site}, {"device_id": machine, "site_id": site, "kind": "vibration"}],
        "summaries_v1": [
            {**of_batch, "batch_id": f"{gateway}:7:1", "device_id": soil},
            {**of_batch, "batch_id": f"{gateway}:7:2", "device_id": machine, "channel": "temperature", "unit": "degC"},
        ],
        "heartbeats_v1": [
            {
                "batch_id": f"{gateway}:7:4",
                "gateway_id": gateway,
                "models": '{"soil": "00", "vibration": "00"}',
                "model_releases": '{"vibration": 3}',
                "releases_refused": '{"soil/4": "it failed its trial"}',
            }
        ],
        "batches_v1": [
            {"batch_id": f"{gateway}:7:1", "gateway_id": gateway},
            {"batch_id": f"{gateway}:7:4", "gateway_id": gateway, "seq": 4},
        ],
        "site_windows_v1": [
            {"site_id": site, "window_seconds": 3600, "window_start": f"2026-05-01T{hour:02}:00:00Z"} for hour in range(12)
        ],
        "irrigation_v2": [{"site_id": site, "need_mm": 12.0}],
        "inferences_v1": [
            {**of_batch, "batch_id": f"{gateway}:7:5", "device_id": soil, "score": 3.0, "window_start": "2026-05-01T11:00:00Z"},
            *({**verdict, "batch_id": f"{gateway}:7:6", "row": at, "window_start": f"2026-05-01T{at:02}:00:00Z"} for at in range(12)),
        ],
        "events_v1": [
            {
                **of_batch,
                "batch_id": f"{gateway}:7:7",
                "device_id": machine,
                "cause": "label",
                "rule": "vibration",
                "channel": None,
                "previous_state": "normal",
                "state": "worn",
                "event_time": "2026-05-01T01:00:00Z",
            }
        ],
        "alerts_v1": [opened | {"message": f"{site} is dry"}],
        "labels_v1": [
            {"label_id": f"{site}-1", "site_id": site, "event_time": "2026-05-01T10:00:00Z"},
            {"label_id": f"{site}-2", "site_id": None, "alert_id": opened["alert_id"], "answer": "done", "amount": None},
        ],
        "release_decisions_v1": [
            {
                "model": "vibration",
                "release": 3,
                "decided_time": f"2026-05-01T0{6 + SITES.index(site)}:00:00Z",
                "reasons": [f"two days of {machine}"],
                "share": 10.0,
            }
        ],
        "rejects_v1": [{"reject_id": f"{gateway}:7:8:0", "device_id": soil, "gateway_id": gateway}],
    }


def moved() -> dict[str, list[dict[str, Any]]]:
    """A machine that stood south until noon, and stands north since: what was heard, judged and refused of it at either place."""
    tables: dict[str, list[dict[str, Any]]] = {"devices_v1": [], "summaries_v1": [], "inferences_v1": [], "events_v1": [], "rejects_v1": []}
    for row, (site, time) in enumerate((("south", "2026-05-01T11:00:00Z"), ("north", "2026-05-01T12:30:00Z"))):
        of_batch = {"batch_id": f"gw-{site}:7:9", "row": row, "gateway_id": f"gw-{site}", "site_id": site, "device_id": "rover"}
        stay = {"valid_to": "2026-05-01T12:00:00Z"} if site == "south" else {"valid_from": "2026-05-01T12:00:00Z"}
        tables["devices_v1"].append({"device_id": "rover", "site_id": site, "kind": "vibration", "name": f"rover {site}"} | stay)
        tables["summaries_v1"].append(of_batch | {"window_start": time, "last_time": time, "received_time": time})
        tables["inferences_v1"].append(of_batch | {"window_start": time, "model": "vibration", "label": f"{site} worn", "score": 1.0})
        told = {"cause": "label", "rule": "vibration", "channel": None, "state": f"{site} worn", "event_time": time}
        tables["events_v1"].append(of_batch | told)
        refused = {"gateway_id": f"gw-{site}", "device_id": "rover", "timestamp": time, "reason": f"refused_{site}"}
        tables["rejects_v1"].append({"reject_id": f"gw-{site}:7:10:0", **refused})
    return tables


def both() -> dict[str, list[dict[str, Any]]]:
    north, south, between = *map(rows, SITES), moved()
    return {table: north[table] + south[table] + between.get(table, []) for table in north}


def asked_by(client: bigquery.Client, *sites: str) -> Questions:
    """Questions of a viewer of these sites, of all without any; nothing is kept."""
    return Warehouse(client, 0.0).asked_by(Viewer(sites or None))
