"""Says what a statement would read and cost, by the service's own dry run, which is free and reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.cloud import bigquery

from sql.questions import bind
from sql.scripts import Script

PRICE_PER_TIB = 6.25
"""USD: BigQuery's list price of queries on demand in the locations US and EU since 2023-07-05 (cloud.google.com/bigquery/pricing). Other
locations, editions and contracts have others.
"""

_TIB = 2**40
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Cost:
    """Is what a statement would read; `bytes` is None where the service has no figure, as a local warehouse has none before it ran."""

    name: str
    bytes: int | None
    price_per_tib: float

    @property
    def usd(self) -> float | None:
        return None if self.bytes is None else _usd(self.bytes, self.price_per_tib)

    def __str__(self) -> str:
        if self.bytes is None:
            return f"{self.name}: this local warehouse has no figure of bytes before it ran, and bills nothing; BigQuery has one"
        return f"{self.name} would read {priced(self.bytes, self.price_per_tib)}"

    def row(self) -> dict[str, Any]:
        return {"name": self.name, "bytes": self.bytes, "usd": self.usd, "price_per_tib": self.price_per_tib}


def estimate(client: bigquery.Client, script: Script, values: Mapping[str, str], now: datetime) -> int:
    """Returns the bytes that a script would read. Raises ParameterError, and GoogleAPICallError from the service."""
    config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False, query_parameters=bind(script, values, now))
    return int(client.query(script.text, job_config=config).total_bytes_processed or 0)


def cost(script: Script, read: int, price_per_tib: float, *, local: bool) -> Cost:
    """Returns the cost of a script that reads so much. Local servers answer 0 for what they did not run: that is no figure."""
    return Cost(script.name, None if local and not read else read, price_per_tib)


def priced(read: int, price_per_tib: float) -> str:
    """Says how much that is and what it costs."""
    return f"{_size(read)}: {_usd(read, price_per_tib):.4f} USD at {price_per_tib:g} USD per TiB"


def _usd(read: int, price_per_tib: float) -> float:
    return read / _TIB * price_per_tib


def _size(amount: float) -> str:
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
