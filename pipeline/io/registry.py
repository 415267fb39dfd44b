"""Reads the registry from a file on any of Beam's file systems, or from the warehouse, and looks at it anew while the pipeline runs.

One cache and one looking thread for each process: the same on a laptop and on any engine's workers, without a step of the graph.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from google.api_core.exceptions import GoogleAPICallError

from pipeline.io.append import brief
from pipeline.io.warehouse import Warehouse
from pipeline.registry_cache import RegistryCache
from program.settings import ConfigError
from schemas.registry import Registry
from schemas.registry_tables import entries_of_rows, query, registry_of

WAREHOUSE = "bigquery"
"""The place that is no file: the tables sites_v1, devices_v1, gateways_v1 and rules_v1."""

ANSWER_SECONDS = 60.0

_CACHES: dict[RefreshedRegistry, RegistryCache] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class RefreshedRegistry:
    """Is the registry of a place: `RefreshedRegistry("gs://bucket/registry.toml", warehouse, 60.0).current()`.

    Without `refresh_seconds` a process reads it once: a batch run has one registry.
    """

    place: str
    warehouse: Warehouse
    refresh_seconds: float | None

    def current(self) -> Registry:
        return self._cache().current()

    def load(self) -> Registry:
        """Reads it for a start that must not succeed without. Raises ConfigError, naming file or table."""
        return self._cache().load()

    def _cache(self) -> RegistryCache:
        with _LOCK:
            if self not in _CACHES:
                _CACHES[self] = cache = RegistryCache(self._read, time.sleep, Random())
                if self.refresh_seconds is not None:
                    threading.Thread(target=_keep_fresh, args=(cache, self.refresh_seconds), name="registry", daemon=True).start()
            return _CACHES[self]

    def _read(self) -> Registry:
        return of_warehouse(self.warehouse) if self.place == WAREHOUSE else of_file(self.place)


def of_file(place: str) -> Registry:
    """Reads a TOML file. Raises ConfigError, naming it."""
    try:
        with FileSystems.open(place) as file:
            content = file.read()
    except (OSError, BeamIOError, ValueError) as error:
        raise ConfigError(f"{place}: cannot be read: {brief(error)}") from error
    if not content.strip():
        # As an editor leaves it for a moment: it would unregister every device.
        raise ConfigError(f"{place}: is empty")
    return Registry.of_toml(content, place)


def of_warehouse(warehouse: Warehouse) -> Registry:
    """Reads the tables, as they are at one moment. Raises ConfigError, naming table and row, and what Google's client raises.

    BigQuery answers the same query from its cache, free of charge, for as long as the tables do not change.
    """
    try:
        with warehouse.client() as client:
            rows = client.query_and_wait(query(warehouse.datasets), wait_timeout=ANSWER_SECONDS)
            entries = entries_of_rows((row.section, row.entry) for row in rows)
        return registry_of(entries)
    except (ConfigError, GoogleAPICallError) as error:
        raise ConfigError(f"registry of {warehouse.name}: {error if isinstance(error, ConfigError) else brief(error)}") from error


def _keep_fresh(cache: RegistryCache, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    while True:
        sleep(seconds)
        cache.refresh()
