"""Declares the rules of source `silence`: a device is not in what its gateway delivers, or nothing arrives of a gateway."""

from __future__ import annotations

from typing import Annotated, Literal

from program.settings import YEAR, require, setting
from schemas.rules.rule import ALL, BaseRule, Patterns, matches

_OF_DEVICE = "Look at the device's power, its antenna and whether it still stands there; the view device_health says when it was last heard"
_OF_GATEWAY = "Look at the gateway's power and its network; the view gateways says what it reported last"


class SilenceRule(BaseRule, frozen=True, kw_only=True, tag="silence"):
    """Opens an alert when the subject is silent for `silent_seconds`; it is resolved when it is heard again."""

    silent_seconds: Annotated[
        int,
        setting(
            "How long: several times windows.seconds plus batches.seconds, or gateway.heartbeat_seconds, of the gateway",
            ge=1,
            le=YEAR,
            example=600,
        ),
    ]
    never_heard_seconds: Annotated[
        int,
        setting(
            "How long a device that was never heard is waited for, of subject device: after valid_from, or after the rule first sees it",
            ge=1,
            le=YEAR,
            since="0.3.0",
        ),
    ] = 86_400
    subject: Annotated[Literal["device", "gateway"], setting("Who is silent")] = "device"
    devices: Annotated[Patterns, setting("Patterns of device ids, of subject device")] = ALL
    sites: Annotated[Patterns, setting("Patterns of site ids, of subject device")] = ALL
    gateways: Annotated[Patterns, setting("Patterns of gateway ids, of subject gateway", example=["gateway-*"])] = ALL

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.subject == "gateway":
            of_devices = self.devices != ALL or self.sites != ALL
            require(not of_devices, "subject is gateway, which stands on no site: name gateways instead of devices or sites")
        else:
            require(self.gateways == ALL, "gateways are watched where subject is gateway: name devices or sites instead")

    @property
    def what_to_do(self) -> str:
        return self.to_do or (_OF_GATEWAY if self.subject == "gateway" else _OF_DEVICE)

    def watches_device(self, device_id: str, site_id: str | None) -> bool:
        return self.subject == "device" and matches(device_id, self.devices) and matches(site_id, self.sites)

    def watches_gateway(self, gateway_id: str) -> bool:
        return self.subject == "gateway" and matches(gateway_id, self.gateways)
