"""Keys of signatures: each gateway signs by a key that the registry has for it, and each key there is of a gateway that there is."""

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
        yield from _without_gateway(registry, fleet)
        for gateway in fleet.gateways:
            yield from _without_key(gateway, registry)


def _without_gateway(registry: Member[RegistryFile], fleet: Fleet) -> Iterator[Finding]:
    names = {gateway.config.gateway.id for gateway in fleet.gateways}
    for number, key in enumerate(registry.config.gateways, 1):
        if key.revoked_time is None and key.gateway_id not in names:
            yield Finding(registry.file, f"gateways[{number}].gateway_id: {key.gateway_id!r} is the gateway.id of no gateway")


def _without_key(gateway: Member[Config], registry: Member[RegistryFile]) -> Iterator[Finding]:
    from schemas.key_agreement import UnusableKey, as_registered, private_keys

    name, signing = gateway.config.gateway.id, gateway.config.signing_keys
    known = [key.public_key for key in registry.config.gateways if key.gateway_id == name and key.revoked_time is None]
    if signing is None:
        if known:
            yield Finding(gateway.file, f"signatures: {registry.file} has a key of {name!r}, which signs nothing: set pipeline_key_file")
        return
    try:
        own = as_registered(private_keys(signing.key_file.read_bytes())[0].public_key())
    except (UnusableKey, OSError) as error:
        yield Finding(gateway.file, f"signatures.key_file: {signing.key_file}: {error}")
        return
    if own not in known:
        entry = f'[[gateways]] with gateway_id = "{name}" and public_key = "{own}"'
        yield Finding(gateway.file, f"signatures.key_file: {registry.file} does not have this key: what it signs is refused; add {entry}")
