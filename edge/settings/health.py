"""Declares [health]: where the gateway says how it is."""

from __future__ import annotations

from typing import Annotated

from program.settings import Settings, setting


class HealthSettings(Settings, frozen=True, kw_only=True):
    """Sets where /healthz and /metrics are served."""

    host: Annotated[str, setting("Address that it listens at; keep it on this machine", min_length=1)] = "127.0.0.1"
    port: Annotated[int, setting("Port that it listens at, such as 9464. 0: no health server", ge=0, le=65_535)] = 0
