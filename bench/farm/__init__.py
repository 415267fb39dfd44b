"""Fills a warehouse with what the gateways of a farm would have sent: ten million summaries in minutes, and what goes with them.

Every site has a gateway and devices of two channels: on two of three sites soil probes, on the third machines. A window has a quarter of an
hour, a verdict an hour. The warehouse makes the rows by itself, of a day at a time; the same farm has the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from google.cloud import bigquery

from bench.figures import Log
from schemas.records import Device, Site
from schemas.registry import Registry
from schemas.registry_settings import ALWAYS
from sql import application
from sql.registry import load

_FOLDER = Path(__file__).parent
_DEVICES = (_FOLDER / "devices.sql").read_text()
_STATEMENTS = tuple(path.read_text().replace("{{devices}}\n", _DEVICES) for path in sorted(_FOLDER.glob("*_v*.sql")))
_ROWS_A_DAY = 2 * 96
"""Summaries of a device: two channels, four windows an hour."""


@dataclass(frozen=True, slots=True)
class Farm:
    """Says how many sites there are, how many devices each has, and how many days before `end`, a midnight of UTC, have rows."""

    sites: int
    devices: int
    days: int
    end: datetime

    @property
    def summaries(self) -> int:
        return self.sites * self.devices * self.days * _ROWS_A_DAY

    @property
    def registry(self) -> Registry:
        places = ((site, device) for site in range(self.sites) for device in range(self.devices))
        devices = (
            Device(device_of(*place), "vibration" if is_plant(place[0]) else "soil", site_of(place[0]), ALWAYS, None) for place in places
        )
        return Registry(tuple(map(self._site, range(self.sites))), tuple(devices))

    def _site(self, number: int) -> Site:
        if is_plant(number):
            return Site(site_id=site_of(number), name=f"Plant {number}", valid_from=ALWAYS)
        return Site(
            site_id=site_of(number),
            name=f"Field {number}",
            latitude=47.0,
            longitude=8.0,
            area_m2=20_000.0,
            soil="loam",
            crop="maize",
            planted=self.end - timedelta(days=60),
            valid_from=ALWAYS,
        )


def is_plant(site: int) -> bool:
    return site % 3 == 2


def site_of(number: int) -> str:
    return f"site-{number:03}"


def device_of(site: int, number: int) -> str:
    return f"{site_of(site)}-{number:02}"


def fill(client: bigquery.Client, farm: Farm, log: Log) -> None:
    """Makes the tables of an empty project, loads the registry and every day's rows. Raises GoogleAPICallError."""
    application.apply(client, None, log)
    load(client, farm.registry)
    fill_days(client, farm, log)


def fill_days(client: bigquery.Client, farm: Farm, log: Log) -> None:
    """Makes every day's rows in tables that are there. Raises GoogleAPICallError."""
    for number in range(farm.days):
        for statement in _STATEMENTS:
            client.query_and_wait(statement, job_config=_bound(farm, number))
        log(f"day {number + 1} of {farm.days}")


def _bound(farm: Farm, number: int) -> bigquery.QueryJobConfig:
    """Binds what the rows of a day are made of; days are numbered from 0."""
    sizes = {"sites": farm.sites, "devices": farm.devices, "first_number": number * 96}
    day = bigquery.ScalarQueryParameter("day", "TIMESTAMP", farm.end - timedelta(days=farm.days - number))
    return bigquery.QueryJobConfig(
        query_parameters=[day, *(bigquery.ScalarQueryParameter(name, "INT64", value) for name, value in sizes.items())]
    )
