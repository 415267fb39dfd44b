"""Devices of the registry and classes of the gateways: each device has a class, and each class a device, or rows become rejects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from configuration.fleet import Finding, Fleet, Member

if TYPE_CHECKING:
    from edge.config import Config
    from schemas.registry import RegistryFile


def find(fleet: Fleet) -> Iterator[Finding]:
    if not fleet.gateways:
        return
    for registry in fleet.registries:
        yield from _without_class(registry, fleet)
        for gateway in fleet.gateways:
            yield from _without_device(gateway, registry)


def present(registry: RegistryFile) -> dict[str, str]:
    """Devices that stand somewhere with no end in sight, and where."""
    return {device.device_id: device.site_id for device in registry.devices if device.valid_to is None}


def _without_class(registry: Member[RegistryFile], fleet: Fleet) -> Iterator[Finding]:
    files = ", ".join(str(gateway.file) for gateway in fleet.gateways)
    for number, device in enumerate(registry.config.devices, 1):
        if device.valid_to is None and not any(gateway.config.sensors_of(device.device_id) for gateway in fleet.gateways):
            sentence = f"{device.device_id!r} is in no class of {files}: no gateway reads what it sends"
            yield Finding(registry.file, f"devices[{number}].device_id: {sentence}")


def _without_device(gateway: Member[Config], registry: Member[RegistryFile]) -> Iterator[Finding]:
    classes = {sensors.name for device_id in present(registry.config) if (sensors := gateway.config.sensors_of(device_id))}
    for number, sensors in enumerate(gateway.config.sensors, 1):
        if sensors.name not in classes:
            sentence = f"no device of {registry.file} is in the class {sensors.name!r}: what it sends becomes rejects"
            yield Finding(gateway.file, f"sensors[{number}].devices: {sentence}")
