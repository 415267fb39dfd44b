"""Reads the dated list of list prices. What is bought is counted in bytes, hours and objects; the list says by what it is sold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from program import settings
from program.settings import Settings, setting

SHIPPED = Path(__file__).with_name("prices.toml")
UNITS = {"TiB": 2.0**40, "GiB": 2.0**30, "GiB h": 2.0**30, "h": 1.0, "1000": 1000.0}
"""Unit of a price -> how many bytes, hours, bytes for an hour, or objects it is."""


class Price(Settings, frozen=True, kw_only=True):
    """Says what a unit costs."""

    usd: Annotated[float, setting("Price of one unit, in USD", ge=0)]
    per: Annotated[str, setting(f"The unit: {', '.join(UNITS)}", pattern=f"^({'|'.join(UNITS)})$")]
    free: Annotated[float, setting("Units that are free each month", ge=0)]
    source: Annotated[str, setting("Page that says so", min_length=1)]
    read: Annotated[str, setting("Day, or year, of which the price is", min_length=4)]

    def of(self, amount: float) -> float:
        """Returns USD for an amount in a month, in bytes, hours or objects."""
        return max(0.0, amount / UNITS[self.per] - self.free) * self.usd


class Prices(Settings, frozen=True, kw_only=True):
    """Is a whole list."""

    pubsub: Annotated[Price, setting("Publishing to and delivery from Pub/Sub")]
    pubsub_to_bigquery: Annotated[Price, setting("A subscription that writes to BigQuery by itself")]
    append: Annotated[Price, setting("The Storage Write API")]
    active_storage: Annotated[Price, setting("Storage of the last 90 days, for a month")]
    long_term_storage: Annotated[Price, setting("Storage of what is older, for a month")]
    query: Annotated[Price, setting("Queries on demand")]
    dataflow_vcpu: Annotated[Price, setting("A core of a streaming worker")]
    dataflow_memory: Annotated[Price, setting("Memory of a worker")]
    dataflow_disk: Annotated[Price, setting("Disk of a worker")]
    streaming_engine: Annotated[Price, setting("What Streaming Engine moves")]
    machine: Annotated[Price, setting("One's own machine of two cores")]
    bucket_storage: Annotated[Price, setting("A bucket's storage, for a month")]
    bucket_writes: Annotated[Price, setting("Objects written to a bucket")]


def load(file: Path = SHIPPED) -> Prices:
    """Reads a list. Raises program.settings.ConfigError."""
    return settings.parse(Prices, settings.read(file), file)
