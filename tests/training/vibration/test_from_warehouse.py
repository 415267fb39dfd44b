"""A fleet's windows and people's answers lie in the warehouse; the command makes a model of them that follows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.cloud import bigquery

from edge.models.bundle import Bundle
from lab.acts.analyst import empty
from lab.services.stack import Warehouse
from program.child import python_module
from tests.sql.test_cases import filled
from tests.warehouses import APPLIED
from training import warehouse as training_warehouse
from training.build.succession import CURRENT, SUCCESSOR
from training.vibration.bearing import FAULTS
from training.vibration.machine import random_machine
from training.vibration.rivals import RMS, said
from training.vibration.run_to_failure import Life, Observations, observe

ROOT = Path(__file__).parents[3]
VIBRATION = Bundle.load(ROOT / "models" / "vibration")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS, EVERY_HOURS, SEED = 110, 8.0, 900_000
UNTIL = BEGIN + timedelta(days=DAYS)
REPLACED_ON = {0: 60, 2: 70, 4: 45, 6: 50, 8: 66}
"""Of nine machines the bearings of five fail; they wear for two weeks before. Machines are of the world of the demo."""
MACHINES = 9


def lives(number: int) -> Iterator[Observations]:
    """What a gateway makes of the life of each bearing: a window of one frame every few hours."""
    end = REPLACED_ON.get(number, DAYS) * 24.0
    course = Life(end - 14 * 24, end)
    machine = random_machine(SEED + number, FAULTS[number % len(FAULTS)])
    rng = np.random.default_rng([SEED, number])
    for begin, until in ((0.0, end), (end, DAYS * 24.0)):
        windows = []
        for hours in np.arange(begin, until, EVERY_HOURS).tolist():
            severity = course.severity(hours) if number in REPLACED_ON and until == end else 0.0
            windows.append((hours, severity, [machine.frame(severity, rng, machine.operating_point(hours))]))
        if windows:
            yield observe(number, windows)


def answer(number: int) -> dict[str, Any]:
    """What people say: when they replaced the bearing, or at last that all alarms of the machine were false."""
    replaced = REPLACED_ON.get(number)
    said_on, answer = (replaced, "replaced") if replaced else (DAYS - 1, "false_alarm")
    return {
        "label_id": str(number),
        "answer": answer,
        "amount": None,
        "device_id": f"machine-{number}",
        "event_time": (BEGIN + timedelta(days=replaced or 0)).isoformat(),
        "labelled_time": (BEGIN + timedelta(days=said_on)).isoformat(),
    }


def tables() -> dict[str, list[dict[str, Any]]]:
    inferences, summaries = list[dict[str, Any]](), list[dict[str, Any]]()
    for number in range(MACHINES):
        for life in lives(number):
            labels = map(VIBRATION.label, said(VIBRATION, life.features).tolist())
            for hours, features, rms, label in zip(life.hours.tolist(), life.features.tolist(), life.rms.tolist(), labels, strict=True):
                time = (BEGIN + timedelta(hours=hours)).isoformat()
                row = {"row": len(inferences), "device_id": f"machine-{number}", "window_start": time, "received_time": time}
                inferences.append({**row, "model": "vibration", "model_sha256": VIBRATION.sha256, "features": features, "label": label})
                summaries.append({**row, "channel": "acceleration_rms", "unit": "m/s2", "sum": rms})
    answers = [answer(number) for number in range(MACHINES)]
    return {"inferences_v1": inferences, "summaries_v1": summaries, "labels_v1": answers}


@pytest.fixture(scope="module")
def fleet(applied: bigquery.Client) -> Iterator[None]:
    with filled(applied, tables(), datetime.now(UTC)):
        yield
    empty(applied)


def train(warehouse: Warehouse, output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = [
        "train",
        "vibration",
        "--from=warehouse",
        f"--until={UNTIL:%Y-%m-%d}",
        f"--project={APPLIED}",
        f"--output={output}",
    ]
    command = python_module("tinybeam", *words, *more)
    return subprocess.run(command, cwd=ROOT, env=dict(warehouse.environment), capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("fleet")
def test_sound_machines_make_a_model_that_follows_and_says_of_what_it_was_made(
    warehouse: Warehouse, applied: bigquery.Client, tmp_path: Path
) -> None:
    figures = tmp_path / "figures.json"
    done = train(warehouse, tmp_path / "vibration", f"--figures={figures}")
    assert done.returncode == 0, done.stdout + done.stderr
    compared = json.loads(figures.read_text())
    ours, theirs = (compared["metrics"][name] for name in (SUCCESSOR, CURRENT))
    assert not compared["refusals"]
    assert compared["failures"] == 1
    assert ours["found"] > compared["metrics"][RMS]["found"]
    assert ours["false_alarms"] < 0.02 < theirs["false_alarms"]
    told = json.loads((tmp_path / "vibration" / "manifest.json").read_text())["training"]
    assert told["models"] == [VIBRATION.sha256]
    assert len(told["machines"] + told["validation_machines"] + told["held_out_machines"]) == MACHINES
    again, snapshot = training_warehouse.vibration(applied, UNTIL - timedelta(days=400), UNTIL, [VIBRATION.sha256])
    assert told | snapshot.teaching(again.sha256) == told
