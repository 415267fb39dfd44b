"""A farm for the live page: what each query answers of two fields, two machines and two gateways, as of a moment. No warehouse."""

# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dash.data.kept import Answer
from dash.data.viewer import Viewer
from dash.data.warehouse import Questions, Unreachable, queries
from sql.scripts import Script

ZONE = "Europe/Madrid"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Rows = list[dict[str, Any]]


@dataclass
class FarmWarehouse:
    """Answers as the warehouse does: `silent` is how long ago gateway-north was heard, `started` how long ago the gateways started; `away`: nothing answers; `bare`: nothing is there.

    `begun` and `asked` are the queries that were begun ahead, and those that were asked, each with its values.
    """

    now: datetime
    silent: timedelta = timedelta(minutes=4)
    started: timedelta = timedelta(days=9)
    away: bool = False
    bare: bool = False
    said: Rows = field(default_factory=list)
    begun: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def asked_by(self, viewer: Viewer, oldest: timedelta | None = None) -> Questions:
        return Questions(self, viewer, oldest or timedelta(0))  # type: ignore[arg-type]

    def whole(self, time: datetime) -> datetime:
        return time

    def forget(self) -> None:
        """Keeps nothing."""

    def begin(self, script: Script, values: Mapping[str, Any], oldest: timedelta) -> Future[tuple[Answer, bool]]:
        """Begins nothing: all is asked when it is wanted."""
        self.begun.append((script.name, values))
        return Future()

    def answer(self, script: Script, values: Mapping[str, Any], oldest: timedelta) -> tuple[Answer, bool]:
        if self.away:
            raise Unreachable("The warehouse does not answer")
        self.asked.append((script.name, values))
        rows = [] if self.bare else _QUERIES[script.name](self, values)
        seen = [row for row in rows if values["all_sites"] or row["site_id"] in values["sites"]]
        return Answer(tuple(seen), self.now, None), True


_NAMES = {"machine-pump": "Pump", "machine-fan": "Fan", "soil-1": "Probe at the oak"}


def _sites(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    names = {"river": ("River Field", 2), "hill": ("Hill Field", 1), "mill": ("Grain Mill", 2)}
    return [
        {"site_id": site, "name": name, "crop": None, "soil": None, "area_m2": 52_000.0, "time_zone": ZONE, "devices": devices}
        for site, (name, devices) in names.items()
    ]


def _advice(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    heard = farm.now - max(farm.silent, timedelta(minutes=20))
    both = {
        "soil": "SandyLoam", "why": "the water balance knows the soil, the crop and its season; the soil model knows none of them",
        "assumed": None, "model_uncertainty": 4.0, "irrigated_mm": None, "heard_time": heard, "time_zone": ZONE, "area_m2": 52_000.0,
    }  # fmt: skip
    probes = [
        {"device_id": "soil-1", "channel": "moisture", "value": 0.16, "unit": "m3/m3", "time": heard, "fault": None},
        {"device_id": "soil-2", "channel": "moisture", "value": 0.93, "unit": "m3/m3", "time": heard, "fault": "no soil holds so much"},
    ]
    return [
        both | {"site_id": "river", "name": "River Field", "crop": "Maize", "action": "water", "need_mm": 51.4, "need_m3": 2673.0, "water_by": farm.now,
                "rests_on": "balance", "balance_days": 0.8, "model_days": 9.4, "moisture": 0.16, "probes": probes},
        both | {"site_id": "hill", "name": "Hill Field", "crop": "SugarBeet", "action": "wait", "need_mm": 0.0, "need_m3": 0.0, "water_by": None,
                "rests_on": "model", "balance_days": None, "model_days": 6.2, "moisture": 0.27, "probes": None},
    ]  # fmt: skip


def _devices(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    north, mill = farm.now - farm.silent, farm.now - timedelta(minutes=3)
    placed = [("soil-1", "soil", "river", "gateway-north", north), ("soil-2", "soil", "river", "gateway-north", north),
              ("soil-3", "soil", "hill", "gateway-north", north), ("machine-pump", "vibration", "mill", "gateway-mill", mill),
              ("machine-fan", "vibration", "mill", "gateway-mill", mill)]  # fmt: skip
    names = ("device_id", "kind", "site_id", "gateway_id", "last_heard")
    return [dict(zip(names, row, strict=True)) | {"name": _NAMES.get(row[0], row[0])} for row in placed]


def _gateways(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    rows = []
    for gateway, site, heard in (("north", "river", farm.silent), ("north", "hill", farm.silent), ("mill", "mill", timedelta(minutes=3))):
        time = farm.now - heard
        states = {"uplink_state": "online", "broker_state": "online", "batches_pending": 0}
        times = {"newest": time, "heartbeat_time": time, "received_time": time}
        times["started_time"] = farm.now - farm.started
        rows.append({"gateway_id": f"gateway-{gateway}", "name": f"gateway-{gateway}", "site_id": site, **times, **states})
    return rows


def _machines(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    same = {"site_id": "mill", "model": "vibration", "judged_time": farm.now - timedelta(minutes=5), "model_sha256": "another"}
    return [
        same | {"device_id": "machine-pump", "label": "failing", "score": 64.0, "last_day": 31.0, "week_before": 0.3},
        same | {"device_id": "machine-fan", "label": "normal", "score": 0.2, "last_day": 0.2, "week_before": 0.2},
    ]


def _labelled_since(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    since = {"model": "vibration", "site_id": "mill", "since": farm.now - 5 * HOUR}
    return [since | {"device_id": "machine-pump", "label": "failing"}]


def _alerts(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    opened = (farm.now - 5 * HOUR).replace(microsecond=0)
    same = {"site_id": "mill", "site_name": "Grain Mill", "unit": None, "value": 64.0, "threshold": None, "told": True, "time_zone": ZONE,
            "source": "event", "rule": "bearing-fails", "severity": "critical", "said": farm.said}  # fmt: skip
    rows = []
    for device, is_open, at in (("machine-pump", True, opened), ("machine-fan", False, opened - 3 * DAY)):
        message = f"Grain Mill, {_NAMES[device]}: the bearing is failing"
        rows.append(same | {
            "alert_id": f"bearing-fails:{device}:{round(at.timestamp() * 1e6)}", "subject": device, "device_id": device, "device_name": _NAMES[device], "open": is_open,
            "opened_time": at, "resolved_time": None if is_open else at + HOUR, "message": message, "to_do": "Look at the device; the view events has what led to it",
        })  # fmt: skip
    in_time = [row for row in rows if values["from_time"] <= row["opened_time"] < values["to_time"]]
    of_site = [row for row in in_time if values["site_id"] in {"", row["site_id"]}]
    return [row for row in of_site if row["open"] or not values["open_alone"]]


def _moisture(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    hours = round((values["to_time"] - values["from_time"]) / HOUR)
    step = max(1, hours // 400)
    means = [(values["from_time"] + hour * HOUR, 0.24 - 0.08 * hour / hours + 0.004 * math.sin(hour / 4)) for hour in range(0, hours, step)]
    return [{"site_id": values["site_id"], "time": time, "mean": mean, "low": mean - 0.01, "high": mean + 0.01} for time, mean in means]


def _field_days(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    days = max(1, round((values["to_time"] - values["from_time"]) / DAY))
    return [
        {"site_id": values["site_id"], "day": values["from_time"] + day * DAY, "need_mm": max(0.0, 50.0 - 8 * (days - day)), "rain_mm": 12.0 if day == 2 else 0.0,
         "full_moisture": 0.24, "stress_moisture": 0.17, "balance_days": max(0.0, 0.3 * (days - day)), "model_days": max(9.4, 13 - 0.2 * day)}
        for day in range(days)
    ]  # fmt: skip


def _waterings(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    time = values["to_time"] - (values["to_time"] - values["from_time"]) / 2
    return [{"site_id": values["site_id"], "time": time, "amount_mm": 20.0, "labelled_by": "anna@farm.example"}]


def _scores(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    span = values["to_time"] - values["from_time"]
    rows = [(values["from_time"] + span * number / 200, 0.2 * (1 if number < 180 else 1.36 ** (number - 180))) for number in range(200)]
    return [{"site_id": "mill", "time": time, "mean": mean, "low": mean / 2, "high": mean * 2} for time, mean in rows]


def _label_changes(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    at = {"site_id": "mill", "device_id": values["device_id"], "model": "vibration"}
    return [at | {"time": farm.now - 5 * HOUR, "label_before": "worn", "label": "failing", "score": 64.0}]


def _inputs(farm: FarmWarehouse, values: Mapping[str, Any]) -> Rows:
    return [
        {
            "site_id": "mill",
            "model_sha256": "another",
            "position": band,
            "name": f"band {band + 1}",
            "mean_now": 3.0 + band % 5,
            "mean_before": 0.2,
        }
        for band in range(12)
    ]


_QUERIES: Mapping[str, Callable[[FarmWarehouse, Mapping[str, Any]], Rows]] = {
    "sites": _sites, "advice": _advice, "devices": _devices, "gateways": _gateways, "machines": _machines, "labelled_since": _labelled_since,
    "alerts": _alerts, "moisture": _moisture, "field_days": _field_days, "waterings": _waterings, "scores": _scores,
    "label_changes": _label_changes, "inputs": _inputs,
}  # fmt: skip
assert _QUERIES.keys() <= queries().keys()
