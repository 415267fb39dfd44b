"""Makes Google Pub/Sub an uplink: its settings, its client, and the doctor's look at it.

Google's libraries are imported when the client is made, so that a command that sends nothing starts without them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Annotated, ClassVar

from edge import clock
from edge.finding import Finding, Status
from edge.uplink.limits import Limits, Wire
from edge.uplink.pubsub_wire import wire
from edge.uplink.uplink import Publisher, UplinkError
from program.backoff import Backoff
from program.names import Name, Topic
from program.on_demand import load_on_demand
from program.settings import Settings, setting

_HOST = "pubsub.googleapis.com"
_SECONDS = 3.0
_ELSEWHERE = "it stands in [uplink.retry]"


class PubsubUplinkSettings(Settings, frozen=True, kw_only=True, tag_field="kind", tag="pubsub"):
    """Batches go to Google Pub/Sub, or to the emulator that PUBSUB_EMULATOR_HOST names."""

    RENAMED: ClassVar = {"initial_interval": _ELSEWHERE, "max_interval": _ELSEWHERE, "multiplier": _ELSEWHERE}

    topic: Annotated[Topic, setting("Topic of the batches", example="projects/my-project/topics/telemetry")]
    credentials_file: Annotated[
        Path | None,
        setting("Workload identity federation or a service account; not needed with PUBSUB_EMULATOR_HOST", example="credentials.json"),
    ] = None
    shard: Annotated[
        Name | None,
        setting(
            "Attribute of every message, for subscriptions that take a part of the gateways. Not to be changed while batches wait anywhere",
            example="1",
            since="0.3.0",
        ),
    ] = None
    limits: Annotated[Limits, setting("How many bytes may go up", since="0.3.0")] = Limits()
    retry: Annotated[Backoff, setting("Between two attempts while the uplink is down; it is never given up")] = Backoff()

    @property
    def wire(self) -> Wire:
        return wire(self.topic, self.shard)

    @property
    def destination(self) -> str:
        return self.topic

    def open(self) -> Publisher:
        # Google's client imports it, and with it cryptography (10 MB), for credentials that it would find: ours are in edge.uplink.access.
        load_on_demand("google.oauth2.service_account")
        from edge.uplink.google_publisher import GooglePublisher

        return GooglePublisher(self.topic, self.credentials_file, self.shard)

    def findings(self) -> Iterator[Finding]:
        if self.credentials_file:
            from edge.uplink.credentials_findings import of_credentials  # and with it cryptography

            yield from of_credentials(self.credentials_file, clock.now())
        emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
        if not (emulator or self.credentials_file or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")):
            advice = "set uplink.credentials_file, or PUBSUB_EMULATOR_HOST for an emulator"
            yield Finding("uplink", Status.FAIL, "no credentials", advice)
        reached = _reached(emulator or f"{_HOST}:443")
        yield reached
        if reached.status == Status.OK and self.credentials_file and not emulator:
            yield self._right(self.credentials_file)

    def _right(self, credentials: Path) -> Finding:
        from edge.uplink.access import Access
        from edge.uplink.rights import of_publishing

        try:
            access = Access(credentials)
        except UplinkError as error:
            return Finding("uplink", Status.FAIL, str(error), "put the credentials there that the topic's project made for this gateway")
        return of_publishing(self.topic, access, HTTPSConnection(_HOST, timeout=_SECONDS))


def _reached(address: str) -> Finding:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _SECONDS).close()
    except (OSError, ValueError) as error:
        # Not a failure: to be offline for days is what the store is for.
        advice = "nothing is lost: batches wait in the store until the uplink is back"
        return Finding("uplink", Status.WARN, f"{address}: {error}", advice)
    return Finding("uplink", Status.OK, f"{address} answers")
