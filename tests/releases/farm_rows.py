"""Rows as gateways of a farm would have sent them, of many releases at once, each a model of its own: one question answers for all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from schemas.arrow import columns
from schemas.records import TABLES, Event, Heartbeat, Inference

WINDOW = timedelta(hours=3)
BEFORE, SINCE = 5, 5
"""Days before a canary begins, and since."""
Rows = dict[str, list[dict[str, Any]]]
_COUNTERS = {column.name: 0 for column in columns(Heartbeat) if column.type == "int64" and not (column.nullable or column.repeated)}


@dataclass(frozen=True, slots=True)
class Trial:
    """Is how a release behaves on its canary: `dry` and `changing` are chances that a window is dry and that a dry spell begins or ends.

    Its gateways have sites of their own if they are `apart`, where it is `drier` by so much, and ran nothing `before` if that is False.
    """

    name: str
    dry: float = 0.2
    changing: float = 0.1
    scoring_ms: float = 4.0
    failed: int = 0
    refused: bool = False
    days: int = SINCE
    apart: bool = False
    drier: float = 0.0
    before: bool = True


GOOD = Trial("good")
TRIALS: Mapping[Trial, str] = {
    GOOD: "advance",
    replace(GOOD, name="noisy", dry=0.5, changing=0.9): "halt",
    replace(GOOD, name="blind", dry=0.0, changing=0.0): "halt",
    replace(GOOD, name="slow", scoring_ms=40.0): "halt",
    replace(GOOD, name="failing", failed=40): "halt",
    replace(GOOD, name="crashing", refused=True): "halt",
    replace(GOOD, name="young", days=1): "wait",
    replace(GOOD, name="drier", apart=True, drier=0.5): "advance",
    replace(GOOD, name="drier-and-blind", apart=True, drier=0.5, dry=-0.5, changing=0.0): "halt",
    replace(GOOD, name="nothing-before", apart=True, drier=0.5, before=False): "wait",
}
"""What is to become of each."""


@dataclass(slots=True)
class Farm:
    """Writes rows: `Farm(now, Random(1)).rows([trial])`, table -> rows."""

    now: datetime
    random: Random
    _rows: Rows = field(default_factory=lambda: {TABLES[record].name: [] for record in (Inference, Event, Heartbeat)})
    _batches: int = 0

    def rows(self, trials: Iterable[Trial]) -> Rows:
        for trial in trials:
            for number in range(6):
                self._gateway(trial, number, canary=number < 3)
        return self._rows

    def _gateway(self, trial: Trial, number: int, *, canary: bool) -> None:
        gateway, site = f"{trial.name}-{number}", f"site-{number % 3}"
        apart = canary and trial.apart
        begins = -trial.days if canary else 1
        for day in range(-trial.days - BEFORE, 0):
            runs = 2 if day >= begins else 1
            if not (runs == 1 and apart and not trial.before):
                self._day(trial, gateway, f"{site}-apart" if apart else site, day, runs, trial.drier if apart else 0.0)
            self._heartbeat(trial, gateway, day, runs)

    def _day(self, trial: Trial, gateway: str, site: str, day: int, release: int, drier: float) -> None:
        usual = GOOD if release == 1 else trial
        for device in (f"{gateway}-a", f"{gateway}-b"):
            dry = False
            for step in range(8):
                start = self._midnight(day) + WINDOW * step
                was, chance = dry, min(max(usual.dry + drier, 0.0), 1.0)
                dry = self.random.random() < chance if step == 0 or self.random.random() < usual.changing else dry
                self._verdict(trial, gateway, site, device, start, release, dry)
                if was != dry:
                    self._event(trial, gateway, site, device, start + WINDOW, dry)

    def _verdict(self, trial: Trial, gateway: str, site: str, device: str, start: datetime, release: int, dry: bool) -> None:
        self._add(
            Inference,
            gateway,
            device_id=device,
            site_id=site,
            window_start=start,
            window_seconds=int(WINDOW.total_seconds()),
            model=trial.name,
            model_version=str(release),
            model_sha256=f"{release:064x}",
            model_release=release,
            runtime="tflite",
            label="now" if dry else "fine",
            score=self.random.gauss(1.0 if dry else 9.0, 0.3),
            uncertainty=1.0,
            features=[0.3],
            time_quality="synced",
        )

    def _event(self, trial: Trial, gateway: str, site: str, device: str, time: datetime, dry: bool) -> None:
        labels = {"previous_state": "fine", "state": "now"} if dry else {"previous_state": "now", "state": "fine"}
        also = {"value": 1.0, "severity": "warning", "time_quality": "synced"}
        self._add(Event, gateway, device_id=device, site_id=site, event_time=time, cause="label", rule=trial.name, **labels, **also)

    def _heartbeat(self, trial: Trial, gateway: str, day: int, release: int) -> None:
        fell_back = release == 2 and trial.refused
        self._add(
            Heartbeat,
            gateway,
            heartbeat_time=self._midnight(day) + timedelta(hours=23),
            started_time=self._midnight(-30),
            version="0.3",
            runtime="tflite",
            models=json.dumps({trial.name: f"{release:064x}"}),
            model_releases=json.dumps({trial.name: 1 if fell_back else release}),
            releases_refused=json.dumps({f"{trial.name}/2": "it crashed"}) if fell_back else None,
            inferences_failed=trial.failed * (day + trial.days + 1) if release == 2 else 0,
            scoring_ms=json.dumps({trial.name: trial.scoring_ms if release == 2 else 4.0}),
            time_quality="synced",
            uplink_state="online",
            broker_state="online",
            **_COUNTERS,
        )

    def _add(self, record: type, gateway: str, **fields: Any) -> None:
        self._batches += 1
        own = {"batch_id": f"{gateway}:1:{self._batches}", "row": 0, "gateway_id": gateway, "received_time": self.now}
        row = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in (own | fields).items()}
        self._rows[TABLES[record].name].append(row)

    def _midnight(self, day: int) -> datetime:
        return self.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=day)
