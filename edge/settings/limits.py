"""Declares [limits]: what one sender, or one class of them, may cost everybody else."""

from __future__ import annotations

from typing import Annotated

from program.settings import Settings, setting


class LimitSettings(Settings, frozen=True, kw_only=True):
    """Bounds what senders may cost: what is beyond a limit is set aside as a reject that names it, and its neighbours never notice."""

    undeclared_channels: Annotated[
        int,
        setting(
            "Channels that the class of a device does not declare: so many of one device are taken in an hour, more are set aside",
            ge=0,
            le=10_000,
            since="0.3.0",
        ),
    ] = 256
    readings: Annotated[
        int, setting("Readings of one device that are taken in an hour; more are set aside", ge=1, le=1_000_000_000, since="0.3.0")
    ] = 1_000_000
    devices: Annotated[
        int, setting("Devices of one class that are known at a time; readings of more are set aside", ge=1, le=1_000_000, since="0.3.0")
    ] = 100_000
    forget_days: Annotated[
        int,
        setting(
            "A device is forgotten that has been silent for as long as it was known: for a day at least, and for so many days at most",
            ge=1,
            le=3650,
            since="0.3.0",
        ),
    ] = 30
    open_bytes: Annotated[
        int,
        setting(
            "Memory for the readings of open windows, about. While it is full nothing is acknowledged, and the broker keeps what comes",
            ge=1 << 20,
            le=1 << 40,
            since="0.3.0",
        ),
    ] = 20 << 20
