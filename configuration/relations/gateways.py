"""Gateways: each has a name of its own, and its models are there and get what they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from configuration.fleet import Finding, Fleet, Member
from program.settings import ConfigError

if TYPE_CHECKING:
    from edge.config import Config
    from edge.models.bundle import Bundle


def find(fleet: Fleet) -> Iterator[Finding]:
    earlier: dict[str, Member[Config]] = {}
    for gateway in fleet.gateways:
        name = gateway.config.gateway.id
        if name in earlier:
            yield Finding(gateway.file, f"gateway.id: {name!r} is the name of the gateway of {earlier[name].file} too")
        earlier.setdefault(name, gateway)
        yield from _find_files(gateway)
        yield from _find_models(gateway)


def bundles(gateway: Member[Config]) -> Mapping[str, Bundle]:
    """By the name of their [[models]]. Raises ConfigError and BundleError as `tinybeam edge validate` does."""
    from edge.models.bundles import bundles_of

    return bundles_of(gateway.config)


def _find_files(gateway: Member[Config]) -> Iterator[Finding]:
    from edge.config_check import check_files

    try:
        check_files(gateway.config.files)
    except ConfigError as error:
        yield Finding(gateway.file, str(error))


def _find_models(gateway: Member[Config]) -> Iterator[Finding]:
    from edge.models.bundle import BundleError

    try:
        bundles(gateway)
    except (ConfigError, BundleError) as error:
        yield Finding(gateway.file, str(error))
    scoring = {sensors.model for sensors in gateway.config.sensors}
    for number, model in enumerate(gateway.config.models, 1):
        if model.name not in scoring:
            yield Finding(gateway.file, f"models[{number}]: no class of sensors has the model {model.name!r}")
