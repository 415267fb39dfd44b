"""Makes Telegraf a gateway to be measured: that of the path, or one built from its Go module with the plugins that are used here.

A build with all plugins takes most of an hour and a larger memory; it does nothing else with a message.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Log
from bench.gateways.recorder import WEB
from bench.gateways.subject import TOPIC, WINDOW_SECONDS, Launch, NotInstalled, Place, Span

VERSION = "1.37.2"
_PLUGINS = "custom,inputs.mqtt_consumer,aggregators.basicstats,outputs.http,parsers.json,serializers.json"
_SETTINGS = """
[agent]
  omit_hostname = true
{agent}
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{broker}"]
  topics = ["{topic}"]
  topic_tag = ""
  qos = 1
{session}
  data_format = "json"
  json_time_key = "time"
  json_time_format = "2006-01-02T15:04:05Z07:00"
  fieldinclude = ["values_*"]
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "{topic}"
    tags = "_/device/_"
[[aggregators.basicstats]]
  period = "{seconds}s"
  grace = "60s"
  drop_original = true
  stats = ["count", "min", "max"]
[[outputs.http]]
  url = "http://127.0.0.1:{web}/"
  data_format = "json"
  use_batch_format = true
"""
_DURABLE_AGENT = '  flush_interval = "1s"\n  buffer_strategy = "disk"\n  buffer_directory = "{folder}/buffer"'
_DURABLE_SESSION = '  persistent_session = true\n  client_id = "telegraf"'


@dataclass(frozen=True, slots=True)
class Telegraf:
    """Aggregates by its basicstats. Durable: with a session that the broker keeps, and its output's buffer on disk."""

    program: Path
    durable: bool = False

    @property
    def name(self) -> str:
        return f"Telegraf, {'its durable settings' if self.durable else 'its defaults'}"

    def launch(self, place: Place) -> Launch:
        file = place.folder / "telegraf.conf"
        agent, session = (_DURABLE_AGENT.format(folder=place.folder), _DURABLE_SESSION) if self.durable else ("", "")
        settings = {"topic": TOPIC, "seconds": WINDOW_SECONDS, "broker": place.broker, "web": place.web}
        file.write_text(_SETTINGS.format(agent=agent, session=session, **settings))
        return Launch([str(self.program), "--config", str(file)])

    def spans(self, place: Place) -> list[Span]:
        bodies = [json.loads(line) for line in (place.folder / WEB).read_text().splitlines()]
        return [_span(metric) for body in bodies for metric in json.loads(body)["metrics"]]


def _span(metric: dict[str, dict[str, float]]) -> Span:
    fields, channel = metric["fields"], "values_temperature"
    first, last, count = (int(fields[f"{channel}_{name}"]) for name in ("min", "max", "count"))
    return Span(str(metric["tags"]["device"]), first, last, count)


def program(folder: Path, log: Log) -> Path:
    """Returns the program, building it into the folder if need be. Raises NotInstalled."""
    built = folder.absolute() / "telegraf"
    if found := shutil.which("telegraf"):
        return Path(found)
    if not built.exists():
        go = shutil.which("go", path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/go/bin")
        if not go:
            raise NotInstalled("neither telegraf nor go is installed")
        log("building Telegraf from its Go module: ten minutes")
        module = f"github.com/influxdata/telegraf/cmd/telegraf@v{VERSION}"
        command = [go, "install", "-p=1", "-tags", _PLUGINS, "-trimpath", module]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "GOBIN": str(folder.absolute())})
        if done.returncode:
            raise NotInstalled(f"go install {module}: {done.stderr.strip().splitlines()[-1:]}")
    return built
