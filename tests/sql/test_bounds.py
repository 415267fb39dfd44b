"""Every read of a partitioned table is bounded where it stands, and one that is not is found."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sql.bounds import PARTITIONS, unbounded
from sql.scripts import Script, scripts

FILES = list(scripts("functions", "views", "queries", "checks"))
_READ = re.compile(r"\b(?:from|join)\s+tinybeam\.(\w+)")
_TABLES_READ = {"completeness_between": 4, "irrigation_between": 2, "missing_readings_between": 3, "batches_have_rows": 6}
"""How many tables a file reads that are partitioned, of some."""


def script(text: str, folder: str = "functions") -> Script:
    return Script(folder, "it", f"-- What?\ncreate or replace table function tinybeam.it(from_time timestamp)\nas\n{text};\n")


def reads(file: Script) -> list[re.Match[str]]:
    return [read for read in _READ.finditer(file.code) if read[1] in PARTITIONS]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path)
def test_nothing_reads_all_time(file: Script) -> None:
    assert list(unbounded(file)) == []


def test_reads_are_seen_wherever_they_stand() -> None:
    assert {file.name: len(reads(file)) for file in FILES if file.name in _TABLES_READ} == _TABLES_READ


@pytest.mark.parametrize("file", [file for file in FILES if reads(file) and not file.is_materialized], ids=lambda file: file.path)
def test_each_read_is_found_once_its_bound_is_gone(file: Script) -> None:
    columns = "|".join(sorted({PARTITIONS[read[1]] for read in reads(file)}))
    without = re.sub(rf"\b({columns})(`?) >=? ", r"\1\2 < ", file.text)
    assert len(list(unbounded(replace(file, text=without)))) >= len(reads(file))


@pytest.mark.parametrize(
    "select",
    [
        "select * from tinybeam.events_v1",
        "select * from tinybeam.events_v1 where event_time < from_time",
        "select * from tinybeam.events_v1 where event_time >= from_time or rule = 'dry'",
        "select * from tinybeam.events_v1 where received_time >= from_time",
        "select * from (select *, count(*) over (partition by rule) as n from tinybeam.events_v1) where event_time >= from_time",
        "select * from tinybeam.events_v1 where true qualify row_number() over (order by rule) = 1 and event_time >= from_time",
        "select * from tinybeam.events_v1 where event_time >= from_time union all select * from tinybeam.events_v1",
        "select e.* from tinybeam.sites_v1 as s join tinybeam.events_v1 as e on true where e.event_time >= s.planted",
        "select * from tinybeam.events_v1 where rule in (select rule from tinybeam.alerts_v1 where opened_time >= from_time)",
        "select * from tinybeam.events_between((select max(valid_from) from tinybeam.sites_v1), from_time)",
    ],
)
def test_what_bounds_nothing_is_found(select: str) -> None:
    assert len(list(unbounded(script(select)))) == 1


@pytest.mark.parametrize(
    "select",
    [
        "select * from tinybeam.events_v1 where event_time >= from_time",
        "select * from tinybeam.events_v1 as e where rule = 'dry' and e.event_time > timestamp_sub(from_time, interval 2 day)",
        "select * from tinybeam.events_v1 where event_time >= from_time and (rule = 'dry' or rule = 'wet')",
        "select * from tinybeam.events_v1 where event_time > @a union all select * from tinybeam.events_v1 where event_time > @b",
        "select * from tinybeam.events_between(timestamp_sub(current_timestamp(), interval 2 day), timestamp '9000-01-01')",
    ],
)
def test_what_bounds_is_known(select: str) -> None:
    assert list(unbounded(script(select))) == []
