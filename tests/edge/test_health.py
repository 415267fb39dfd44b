"""What the gateway tells of itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.gateway import Gateway
from edge.health import Health, HealthStatus, HttpTraffic, exposition, healthz
from edge.store.store import Store
from edge.uplink.allowance import DayBytes
from tests.edge.gateways import START, config


@pytest.fixture
def condition(tmp_path: Path) -> HealthStatus:
    store = Store(tmp_path / "store.db", "gw-1", 16 << 20)
    beat = Gateway(config(tmp_path), store, START).heartbeat(START)
    store.close()
    return HealthStatus(beat)


@pytest.fixture
def health() -> Iterator[Health]:
    health = Health("127.0.0.1", 0, plain=False)
    with health.running():
        yield health


def get(health: Health, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{health.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_healthz_tells_the_heartbeat_as_json(health: Health, condition: HealthStatus) -> None:
    assert get(health, "/healthz")[0] == 503
    health.report(condition)
    status, body = get(health, "/healthz")
    answer = json.loads(body)
    assert (status, answer["status"], answer["uplink_state"], answer["heartbeat_time"]) == (200, "ok", "offline", START.isoformat())


def test_being_offline_is_healthy_being_full_or_stuck_is_not(condition: HealthStatus) -> None:
    assert healthz(condition, 1.0)[0] == 200
    assert healthz(replace(condition, full=True), 1.0)[0] == 503
    status, answer = healthz(condition, 31.0)
    assert (status, answer["status"]) == (503, "stuck")


def test_metrics_are_prometheus_text(health: Health, condition: HealthStatus) -> None:
    health.report(condition)
    status, body = get(health, "/metrics")
    lines = body.splitlines()
    assert status == 200
    assert body.endswith("\n")
    assert "tinybeam_readings_stored_total 0" in lines
    assert "# TYPE tinybeam_readings_stored_total counter" in lines
    assert "tinybeam_uplink_online 0" in lines
    assert "tinybeam_store_full 0" in lines
    names = [line.split()[0] for line in lines if not line.startswith("#")]
    assert len(names) == len(set(names))
    for line in lines:
        if not line.startswith("#"):
            float(line.split(" ", 1)[1])


def test_a_full_store_shows_in_the_metrics(condition: HealthStatus) -> None:
    assert "tinybeam_store_full 1" in exposition(replace(condition, full=True)).splitlines()


def test_another_path_is_told_what_there_is(health: Health) -> None:
    assert get(health, "/") == (404, "there are /healthz and /metrics\n")


def test_what_has_gone_of_the_day_shows_in_the_metrics(condition: HealthStatus) -> None:
    lines = exposition(replace(condition, uplink_day=DayBytes(95, 100, are_spent=True))).splitlines()
    assert {"tinybeam_uplink_day_bytes 95", "tinybeam_uplink_day_bytes_max 100", "tinybeam_uplink_day_spent 1"} <= set(lines)


def test_what_was_posted_shows_in_the_metrics_by_status(condition: HealthStatus) -> None:
    lines = exposition(replace(condition, http=HttpTraffic(3, {200: 7, 401: 2}))).splitlines()
    assert 'tinybeam_http_answers_total{status="401"} 2' in lines
    assert "tinybeam_http_connections 3" in lines
