"""Sets up the notifier of the lab as a user would: it sends every alert to the webhook."""

from __future__ import annotations

from pathlib import Path

from lab.acts.gateways import ALERTS_SUBSCRIPTION
from lab.services.child import Child
from program.child import python_module

_SETTINGS = """\
# Written by the lab. `tinybeam notify validate --config {file}` explains what is wrong with a changed one.
[pubsub]
subscription = "{subscription}"

[notify]
state_file = "{state}"
max_per_hour = 60
gather_seconds = 0

[retry]
initial_interval = 0.5
max_interval = 5.0

[[receivers]]
kind = "webhook"
name = "webhook"
url = "{url}"

[[routes]]
receivers = ["stdout", "webhook"]
"""


def write_settings(directory: Path, url: str) -> Path:
    """Writes the notifier's TOML file into `directory`, where its state will be too. `url` is the webhook's."""
    file = directory / "notify.toml"
    text = _SETTINGS.format(file=file, subscription=ALERTS_SUBSCRIPTION, state=directory / "sent.db", url=url)
    file.write_text(text)
    return file


def start(directory: Path, url: str, pubsub: str) -> Child:
    """Starts the notifier; `pubsub` is the address of Pub/Sub. What it prints is in notify.log."""
    command = python_module("notify", "run", "--config", str(write_settings(directory, url)))
    return Child("notifier", command, directory / "notify.log", {"PUBSUB_EMULATOR_HOST": pubsub})
