"""A model and its recipe change in a gateway that runs, at a real broker, under load: no reading is lost, each window has one verdict."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.releases.folder import ReleaseFolder
from edge.store.store import Store
from lab.services.broker import Broker
from lab.services.child import free_port
from program.child import environment
from tests.edge.gateway_process import NEEDS_MOSQUITTO, gateway, log_of, write_settings
from tests.edge.gateways import rows, stored_readings
from tests.edge.mqtt_publisher import Publisher
from tests.edge.releases.test_child import files
from tests.releases import publisher as releasing
from tests.waiting import eventually

SOIL = Path(__file__).parents[3] / "models" / "soil"
MODELS = """
model = "soil"
[[models]]
name = "soil"
bundle = "first"
[releases]
root = "root.json"
[health]
port = {port}
"""
pytestmark = NEEDS_MOSQUITTO


def bundle(version: str, hours: float) -> dict[str, bytes]:
    """The soil model's files, with a recipe that speaks at once; `hours` makes another one."""
    manifest = json.loads((SOIL / "manifest.json").read_text())
    recipe = manifest["recipe"] | {"young_hours": 0.00001}
    recipe["steps"][0] |= {"hours": hours}
    return dict(files(version=version, recipe=recipe))


def release(folder: Path) -> Path:
    """Publishes the second bundle for all gateways; returns where."""
    publisher = releasing.Publisher(folder / "publisher", datetime.now(UTC))
    publisher.roll_out(publisher.release(files=bundle("2", hours=2)), 100)
    publisher.publish()
    (folder / "root.json").write_bytes(publisher.root.read_bytes())
    return publisher.site


def prepared(folder: Path, port: int, health_port: int) -> Path:
    """Writes what a gateway needs to begin with the first bundle; returns where the second one is published."""
    write_settings(folder, port)
    settings = folder / "gateway.toml"
    text = settings.read_text().replace('moisture = "m3/m3"', 'moisture = "m3/m3", temperature = "degC"')
    settings.write_text(text.replace("grace_seconds = 0", "grace_seconds = 3") + MODELS.format(port=health_port))
    (folder / "first").mkdir()
    for name, content in bundle("1", hours=3).items():
        (folder / "first" / name).write_bytes(content)
    return release(folder)


def speak_until(sensor: Publisher, holds: Callable[[], bool]) -> None:
    """Sends 250 readings a second until something holds."""
    for _ in range(1_000):
        if holds():
            return
        sensor.send(25)
        time.sleep(0.1)
    pytest.fail("it never came")


def stored(port: int) -> int:
    """How many readings a running gateway has on disk."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        return int(json.load(answer)["readings_stored"])


def imported(folder: Path, site: Path) -> subprocess.Popen[bytes]:
    """Brings the release on a stick: by the command, which has a child verify and try it."""
    command = [sys.executable, "-P", "-m", "edge", "models", "import", str(site), "--config", str(folder / "gateway.toml")]
    return subprocess.Popen(command, cwd=folder, env=environment())


@pytest.mark.timeout(300)
def test_a_swap_under_load_loses_no_reading_and_no_verdict(tmp_path: Path) -> None:
    port = free_port()
    with Broker(tmp_path / "broker") as broker:
        site = prepared(tmp_path, broker.port, port)
        with gateway(tmp_path) as child:
            assert eventually(lambda: "is online" in log_of(tmp_path)), log_of(tmp_path)
            sensor = Publisher(broker.port, values={"moisture": 0.3, "temperature": 18.0})
            speak_until(sensor, lambda: sensor.sent >= 500)
            importing = imported(tmp_path, site)
            speak_until(sensor, lambda: "runs from the next window on" in log_of(tmp_path))
            swapped = sensor.sent
            # Six seconds: a window begins within one, lasts one, and closes three after its end.
            speak_until(sensor, lambda: sensor.sent >= swapped + 1_500)
            assert importing.wait() == 0
            sensor.stop()
            assert eventually(lambda: stored(port) == sensor.sent), log_of(tmp_path)
            assert child.stop() == 0, log_of(tmp_path)
    assert ReleaseFolder(tmp_path / "state" / "releases", "soil").state.running == 1
    with closing(Store(tmp_path / "state" / "store.db", "gw-1", 512 << 20)) as store:
        assert stored_readings(store) == {("d1", seq): 1 for seq in range(1, sensor.sent + 1)}
        verdicts, windows = rows(store, "inferences"), rows(store, "summaries")
    judged = Counter(row["window_start"] for row in verdicts)
    assert judged == dict.fromkeys({row["window_start"] for row in windows if not row["late"]}, 1)
    assert {(row["model_version"], row.get("model_release")) for row in verdicts} == {("1", None), ("2", 1)}
    first, second = ([row["window_start"] for row in verdicts if row["model_version"] == version] for version in "12")
    assert max(first) < min(second)
