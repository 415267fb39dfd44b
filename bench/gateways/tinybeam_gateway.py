"""Makes TinyBeam a gateway to be measured, as `tinybeam edge run` starts it."""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

from bench.gateways.recorder import PUBSUB
from bench.gateways.subject import WINDOW_SECONDS, Launch, Place, Span
from pipeline.body import rows_of
from program.child import python_module
from schemas.message import unfolded
from schemas.records import Kind

_SETTINGS = """
[gateway]
id = "gw-bench"
state_dir = "state"
[mqtt]
port = {broker}
[windows]
seconds = {seconds}
[batches]
seconds = {seconds}
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[uplink.retry]
max_interval = 5.0
[[sensors]]
name = "soil"
devices = ["soil-*"]
channels = {{ temperature = "degC" }}
"""
_MODEL = """
[[sensors]]
name = "modelled"
devices = ["modelled-*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
model = "soil"
[[models]]
name = "soil"
bundle = "{bundle}"
"""


@dataclass(frozen=True, slots=True)
class TinyBeam:
    """Is the same by default and at its most durable. `model` is that of a class that no device here is of: its child runs, and rests.

    `python` runs the gateway.
    """

    name: str = "TinyBeam"
    model: Path | None = None
    python: str = sys.executable

    def launch(self, place: Place) -> Launch:
        file = place.folder / "gateway.toml"
        settings = _SETTINGS.format(broker=place.broker, seconds=WINDOW_SECONDS)
        file.write_text(settings + (_MODEL.format(bundle=self.model) if self.model else ""))
        _, *arguments = python_module("tinybeam", "edge", "run", "--config", str(file))
        return Launch([self.python, *arguments], {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{place.pubsub}"})

    def spans(self, place: Place) -> list[Span]:
        """A batch that came twice counts once, by its name, as the warehouse does."""
        bodies: dict[tuple[str, str], bytes] = {}
        for line in (place.folder / PUBSUB).read_text().splitlines():
            attributes, body = unfolded(*_decoded(line))
            if attributes["kind"] == Kind.SUMMARIES:
                bodies[attributes["epoch"], attributes["seq"]] = body
        return [span for body in bodies.values() for row in rows_of(body).to_pylist() for span in _spans(row)]


def _decoded(line: str) -> tuple[dict[str, str], bytes]:
    attributes, data = json.loads(line)
    return attributes, b64decode(data)


def _spans(row: dict[str, object]) -> list[Span]:
    ranges: list[int] = row["seq_ranges"]  # type: ignore[assignment]
    return [Span(str(row["device_id"]), first, last, last - first + 1) for first, last in zip(ranges[::2], ranges[1::2], strict=True)]
