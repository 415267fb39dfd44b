"""Connects to BigQuery, the real one or a local server. Waits for a service that does not answer, loudly and for so long.

BIGQUERY_EMULATOR_HOST (with scheme) names a local server: then no credentials are looked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import requests
from google.api_core.exceptions import GoogleAPICallError, ServerError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import bigquery

from program import google_credentials
from program.backoff import Backoff
from program.settings import ConfigError
from schemas.datasets import Datasets
from sql.client import WarehouseClient

_LOCAL = "BIGQUERY_EMULATOR_HOST"
_TOO_DEAR = "bytesBilledLimitExceeded"
_BACKOFF = Backoff(max_interval=5.0)
_UNREACHABLE = (requests.exceptions.ConnectionError, requests.exceptions.Timeout, TransportError, ServerError)


class ServiceError(RuntimeError):
    """The warehouse cannot be used; the text says why and what to do."""


def local_host() -> str | None:
    """Returns the address of the local server, None for the real service."""
    return os.environ.get(_LOCAL) or None


@dataclass(frozen=True, slots=True)
class Target:
    """Says which project's warehouse is meant, its datasets, where its jobs run, and what a statement may bill at most."""

    project: str | None
    location: str | None = None
    datasets: Datasets = field(default_factory=Datasets)
    maximum_bytes_billed: int | None = None


def connect(target: Target, wait_seconds: float, echo: Callable[[str], None], rng: Random) -> WarehouseClient:
    """Returns a client whose service has answered once: `connect(Target("my-project"), 60.0, print, Random())`. Raises ServiceError."""
    host = local_host()
    client = open_client(target, host)
    echo(f"local warehouse at {host}, project {client.project}" if host else f"BigQuery, project {client.project}")
    _wait(client, wait_seconds, echo, rng)
    return client


def reason(error: Exception) -> str:
    """Returns the service's own words, without the request around them."""
    text = error.message if isinstance(error, GoogleAPICallError) and error.message else str(error)
    line = next((line for line in text.splitlines() if line.strip()), type(error).__name__)
    return line.split("?prettyPrint=false: ")[-1]


def explained(error: GoogleAPICallError) -> str:
    """Returns the service's words with what to do about it."""
    if any(detail.get("reason") == _TOO_DEAR for detail in error.errors):
        return (
            f"{reason(error)} That is more than --maximum_bytes_billed: raise it, or ask for fewer days; --dry_run says what it would read"
        )
    return f"{reason(error)} (was `tinybeam sql apply` run on this project?)"


def open_client(target: Target, host: str | None) -> WarehouseClient:
    """Returns a client of the local server at `host`, or of the real service; nothing is asked yet. Raises ServiceError."""
    if host and not host.startswith(("http://", "https://")):
        raise ServiceError(f"{_LOCAL} must begin with http://, it is {host!r}")
    if host and not target.project:
        raise ServiceError("name the project: --project or GOOGLE_CLOUD_PROJECT")
    try:
        if not host:
            google_credentials.check()
        return WarehouseClient(
            target.datasets,
            project=target.project,
            location=target.location,
            credentials=AnonymousCredentials() if host else None,
            client_options={"api_endpoint": host} if host else None,
            default_query_job_config=_defaults(target),
        )
    except ConfigError as error:
        raise ServiceError(str(error)) from error
    except GoogleAuthError as error:
        raise ServiceError(google_credentials.refusal(error)) from error
    except OSError as error:
        raise ServiceError(f"no project for BigQuery: {reason(error)}; name --project") from error


def _defaults(target: Target) -> bigquery.QueryJobConfig | None:
    """Returns what holds for every query. Google's configuration has no None for a limit: it would become a text."""
    return bigquery.QueryJobConfig(maximum_bytes_billed=target.maximum_bytes_billed) if target.maximum_bytes_billed else None


def _wait(client: bigquery.Client, wait_seconds: float, echo: Callable[[str], None], rng: Random) -> None:
    deadline = time.monotonic() + wait_seconds
    for pause in _BACKOFF.delays(rng):
        try:
            list(client.list_datasets(max_results=1, retry=None, timeout=10))  # type: ignore[arg-type]  # None: no silent retries
        except _UNREACHABLE as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ServiceError(f"the warehouse did not answer within {wait_seconds:g} s: {reason(error)}") from error
            echo(f"the warehouse does not answer ({type(error).__name__}); waiting, {left:.0f} s left")
            time.sleep(min(pause, left))
        except GoogleAuthError as error:
            raise ServiceError(google_credentials.refusal(error)) from error
        except GoogleAPICallError as error:
            raise ServiceError(f"the warehouse refuses: {reason(error)}") from error
        else:
            return
