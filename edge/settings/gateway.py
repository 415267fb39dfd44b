"""Declares [gateway]: who it is and where its data lies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from program.names import Name
from program.settings import Settings, setting

DAY = 86_400


class GatewaySettings(Settings, frozen=True, kw_only=True):
    """Says who this gateway is and where it keeps its data."""

    id: Annotated[Name, setting("Name of the gateway, unique in the fleet; never changed while the store holds data", example="gateway-1")]
    state_dir: Annotated[Path, setting("Folder of the store, on a disk that survives a power cut", example="/var/lib/tinybeam")]
    heartbeat_seconds: Annotated[
        int, setting("Time between two heartbeats, up to a quarter more to go with a batch. News goes within a minute", ge=1, le=DAY)
    ] = 900

    @property
    def longest_heartbeat_seconds(self) -> int:
        """Returns the longest time between two heartbeats, of which the later waits for a batch."""
        return self.heartbeat_seconds + self.heartbeat_seconds // 4
