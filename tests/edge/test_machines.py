"""What the vibration model says of a machine over weeks, through the gateway: a fault stays one, and what does not run is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from edge.__main__ import cli
from edge.frame import Header, encode
from edge.gateway import Gateway, MqttMessage
from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.model import Model
from edge.models.running import slots_of
from edge.models.scorer import Score
from edge.store.store import Store
from tests.edge.gateways import START, config, rows
from training.vibration.machine import RATE_HZ, SAMPLES, Frame, Machine, random_machine

VIBRATION = Path(__file__).parents[2] / "models" / "vibration"
BUNDLE = Bundle.load(VIBRATION)
SENSORS = [{"name": "machines", "devices": ["m*"], "frames": {"acceleration": "m/s2"}, "model": "vibration"}]
FARM = """
[gateway]
id = "gw-1"
state_dir = "state"
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[mqtt]
max_payload_bytes = 20000
[[models]]
name = "vibration"
bundle = "{bundle}"
[[sensors]]
name = "machines"
devices = ["m*"]
frames = {{ acceleration = "m/s2" }}
model = "vibration"
"""
EVERY = 6
"""A window of four frames comes every so many hours."""
FRAMES = 4
WEEKS = 24 * 24 // EVERY
RNG = np.random.default_rng(44)

Draw = Callable[[Machine, int], Frame]


class InThisProcess:
    """A scorer that needs no child."""

    runtime = "here"

    def __init__(self) -> None:
        self._model = Model(BUNDLE.runnable(), tflite.load())

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        answers = self._model.run(np.array(features)).tolist() if features else []
        return [Score(BUNDLE.label(score), score, high - low) for low, score, high in answers]


class Mill:
    """A gateway with machines, whose clock the frames move."""

    def __init__(self, folder: Path, bundle: Bundle = BUNDLE) -> None:
        models = [{"name": "vibration", "bundle": str(VIBRATION)}]
        place = config(folder, sensors=SENSORS, models=models, windows={"seconds": 3600}, mqtt={"max_payload_bytes": 20_000})
        self._place, self._bundle = place, bundle
        self.reopen()
        self._machines = {f"m{seed}": random_machine(seed, "outer") for seed in (1, 2, 3)}
        self._window = 0

    def reopen(self) -> None:
        self.store = Store(self._place.store_file, "gw-1", 64 << 20)
        self._gateway = Gateway(self._place, self.store, START, slots=slots_of({"vibration": self._bundle}, InThisProcess()))

    def observe(self, windows: int, *draws: Draw) -> None:
        """Lets each machine be heard in so many windows; the first draw is of the first machine."""
        for _ in range(windows):
            hours = EVERY * self._window
            now = START + timedelta(hours=hours, minutes=30)
            for (device, machine), draw in zip(self._machines.items(), draws, strict=False):
                sent = [
                    encode(Header(channel="acceleration", rate_hz=RATE_HZ, time=now.timestamp()), draw(machine, hours))
                    for _ in range(FRAMES)
                ]
                self._gateway.accept([MqttMessage(f"sensors/{device}/readings", payload, dup=False) for payload in sent], now)
            self._gateway.tick(now + timedelta(hours=1))
            self._window += 1

    def labels(self, device: str) -> list[str]:
        self._gateway.flush(START + timedelta(hours=EVERY * self._window))
        return [row["label"] for row in rows(self.store, "inferences") if row["device_id"] == device]

    def states(self, device: str) -> list[str]:
        return [row["state"] for row in rows(self.store, "events") if row["device_id"] == device]


def at(severity: float) -> Draw:
    return lambda machine, hours: machine.frame(severity, RNG, machine.operating_point(hours))


def another(machine: Machine, hours: int) -> Frame:
    return at(0)(random_machine(9, None), hours)


def share_of_faults(labels: Sequence[str]) -> float:
    return sum(label != "normal" for label in labels) / len(labels)


def test_44_a_fault_that_lasts_is_called_one_until_it_is_repaired(folder: Path) -> None:
    mill = Mill(folder)
    mill.observe(6 * 24 // EVERY, at(0), at(0))
    mill.observe(WEEKS, at(1), at(0.4))
    for device, label in (("m1", "failing"), ("m2", "worn")):
        labels = mill.labels(device)[-WEEKS:]
        last_week = labels[-7 * 24 // EVERY :]
        assert max(set(last_week), key=last_week.count) == label, device
        assert share_of_faults(last_week) >= share_of_faults(labels[: 7 * 24 // EVERY]) - 0.1, device
        assert mill.states(device)[-1] != "normal", device
    mill.observe(3 * 24 // EVERY, at(0), at(0))
    assert all(share_of_faults(mill.labels(device)[-6:]) < 0.2 for device in ("m1", "m2"))


def test_44_somebody_may_say_that_it_is_sound(folder: Path) -> None:
    """As another machine, louder in other bands, that took the place of the first."""
    mill = Mill(folder)
    mill.observe(5 * 24 // EVERY, at(0))
    mill.observe(12, another)
    assert mill.states("m1")[-1] != "normal"
    mill.store.close()
    config_file = folder / "gateway.toml"
    config_file.write_text(FARM.format(bundle=VIBRATION))
    result = CliRunner().invoke(cli, ["relearn", "m1", "--config", str(config_file)])
    assert (result.exit_code, result.output) == (0, "m1: vibration learn anew\n")
    assert CliRunner().invoke(cli, ["relearn", "m1", "--config", str(config_file)]).output == "m1: no model has learned anything of it\n"
    mill.reopen()
    mill.observe(12, another)
    assert mill.states("m1")[-1] == "normal"


def test_44_a_model_that_learns_whatever_comes_would_forgive_it(folder: Path) -> None:
    mill = Mill(folder, replace(BUNDLE, recipe=replace(BUNDLE.recipe, sustained_hours=None)))
    mill.observe(6 * 24 // EVERY, at(0))
    mill.observe(WEEKS, at(1))
    assert "failing" in mill.labels("m1")
    assert "failing" not in mill.labels("m1")[-7 * 24 // EVERY :]


def switched_off(machine: Machine, hours: int) -> Frame:
    return (machine.sensor_noise * RNG.standard_normal(SAMPLES)).astype(np.float32)


def hum_only(machine: Machine, hours: int) -> Frame:
    seconds = np.arange(SAMPLES) / RATE_HZ
    hum = sum(size * np.sin(2 * np.pi * hertz * seconds) for hertz, size in ((50, 0.5), (100, 0.2), (150, 0.2)))
    return (hum + machine.sensor_noise * RNG.standard_normal(SAMPLES)).astype(np.float32)


def constant(machine: Machine, hours: int) -> Frame:
    return np.full(SAMPLES, 9.81, np.float32)


def test_45_what_does_not_run_is_said_as_what_it_is_once_and_is_neither_failing_nor_silence(folder: Path) -> None:
    mill = Mill(folder)
    mill.observe(4 * 24 // EVERY, at(0), at(0), at(0))
    before = [len(mill.labels(f"m{number}")) for number in (1, 2, 3)]
    mill.observe(12, switched_off, hum_only, constant)
    assert [len(mill.labels(f"m{number}")) for number in (1, 2, 3)] == before, "nobody judges what does not run"
    found = [row for row in rows(mill.store, "events") if row["state"] in ("standing_still", "sensor_disturbed")]
    assert [(row["device_id"], row["state"], row["severity"]) for row in found] == [
        ("m1", "standing_still", "info"),
        ("m2", "sensor_disturbed", "warning"),
        ("m3", "sensor_disturbed", "warning"),
    ]
    heard = {row["device_id"] for row in rows(mill.store, "summaries") if row["window_start"] >= START + timedelta(days=5)}
    assert heard == {"m1", "m2", "m3"}, "a device that is heard is not silent"
    mill.observe(6, at(0), at(0), at(0))
    for number in (1, 2, 3):
        assert mill.states(f"m{number}")[-1] == "normal"
        assert share_of_faults(mill.labels(f"m{number}")[-5:]) < 0.5


def test_45_a_fault_of_a_machine_that_was_switched_off_in_between_is_known_again(folder: Path) -> None:
    mill = Mill(folder)
    mill.observe(4 * 24 // EVERY, at(0))
    mill.observe(6, at(1.5))
    mill.observe(12, switched_off)
    mill.observe(3, at(1.5))
    assert [state for state in mill.states("m1") if state != "worn"] == ["failing", "standing_still", "failing"]
