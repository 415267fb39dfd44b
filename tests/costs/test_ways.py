"""A bill is what its lines say, by prices that are dated; another list gives another bill."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from costs import command, ways
from costs.command import cli
from costs.fleet import Fleet, Month
from costs.prices import SHIPPED, load
from costs.ways import BATCH_SECONDS, HOURS, RESULT_SECONDS, ROW_SECONDS, Asked, Way, cores, dataflow, files, own, raw, stored_bytes
from pipeline.io.loads.waiting import SHORTEST_INTERVAL
from pipeline.options import LONGEST_LOAD_INTERVAL
from schemas.records import KINDS
from sql.cost import PRICE_PER_TIB

ROOT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)
FLEET = Fleet(gateways=500, devices=20, channels=2, every=MINUTE, window=MINUTE, batch=15 * MINUTE)
SENT = Month(raw=48e9, readings=438e6, requests=1.5e6, message_bytes=35e9, summaries=876e6, heartbeats=1.5e6, batches=3e6)
ASKED = Asked(kept_days=1095, queries=12, query_days=2)


def usd(way: Way, what: str) -> float:
    return next(line.usd for line in way.lines if line.what == what)


def test_a_line_is_its_amount_beyond_what_is_free_times_the_price() -> None:
    prices = load()
    assert prices.pubsub.of(2**40) == pytest.approx(40 * (1 - 10 / 1024))
    assert prices.append.of(2**41) == 0
    way = dataflow(FLEET, SENT, prices, ASKED)
    counted = 2 * (SENT.message_bytes + 40 * SENT.batches)
    assert usd(way, "Pub/Sub") == pytest.approx(40 * (counted / 2**40 - 10 / 1024))
    assert usd(way, "Dataflow workers") == pytest.approx(HOURS * (2 * 0.069 + 8 * 0.003557 + 30 * 0.000054))
    day = stored_bytes(FLEET, SENT) * 12 / 365
    assert usd(way, "storage") == pytest.approx(0.02 * (90 * day / 2**30 - 10))
    assert usd(way, "storage, older than 90 days") == pytest.approx(0.01 * 1005 * day / 2**30)
    assert way.usd == pytest.approx(sum(line.usd for line in way.lines))


def test_a_small_request_counts_a_thousand_bytes() -> None:
    small = replace(SENT, requests=1e9, message_bytes=10e9, batches=1e9)
    line = next(line for line in own(FLEET, small, load(), ASKED).lines if line.what == "Pub/Sub")
    assert line.usd == pytest.approx(40 * ((1e12 + 50e9) / 2**40 - 10 / 1024))


def test_workers_follow_the_work() -> None:
    much = replace(SENT, batches=SENT.batches * 10_000, summaries=SENT.summaries * 10_000)
    lines = [line for line in dataflow(FLEET, much, load(), ASKED).lines if line.what == "Dataflow workers"]
    assert lines[0].amount.startswith(f"{int(-(-cores(FLEET, much) // 1))} of 2 cores")


def test_the_work_of_a_row_is_what_was_measured() -> None:
    """The page's figures, of one run on a shared machine, with a third to spare."""
    figures = json.loads((ROOT / "bench/results/rollups.json").read_text())
    speeds = {int(re.findall(r"(\d+) rows", figure["name"])[0]): figure["value"] for figure in figures if "from JSON" in figure["name"]}
    assert speeds.keys() >= {10, 20, 50, 500}
    for batch_rows, speed in speeds.items():
        said = batch_rows / (BATCH_SECONDS + batch_rows * ROW_SECONDS)
        assert 0.5 * speed < said < 1.35 * speed, batch_rows


def test_hours_of_sites_are_work_of_their_own() -> None:
    """A site for each gateway, a batch a quarter of an hour: five results an hour for each of two channels."""
    many = replace(FLEET, gateways=FLEET.gateways * 100)
    assert cores(many, SENT) - cores(FLEET, SENT) == pytest.approx(99 * 500 * 2 * 5 * RESULT_SECONDS / 3600)


def test_everything_raw_costs_what_its_bytes_cost() -> None:
    way = raw(FLEET, SENT, load(), ASKED)
    assert usd(way, "subscription into BigQuery") == pytest.approx(50 * (48e9 + 438e6 * 40) / 2**40)


def test_loads_cost_nothing_but_their_files_and_only_what_follows_from_facts_is_appended() -> None:
    fleet, much, prices = replace(FLEET, load_interval=15 * MINUTE), replace(SENT, summaries=SENT.summaries * 50), load()
    on_dataflow, at_home = dataflow(fleet, much, prices, ASKED), own(fleet, much, prices, ASKED)
    of_windows = 500 * HOURS * (2 * (60 + 1 + 4) * 120 + 65)
    for way in (on_dataflow, at_home):
        assert usd(way, "appends") == pytest.approx(prices.append.of(of_windows))
        assert [line.amount for line in way.lines if line.what == "load jobs"] == ["free, at most 96 a day for a table"]
        assert way.freshest == 16 * MINUTE
    assert usd(on_dataflow, "files in a bucket") == pytest.approx(prices.bucket_writes.of(2 * much.batches))
    assert usd(own(FLEET, much, prices, ASKED), "appends") > 0
    assert "files in a bucket" not in [line.what for line in at_home.lines]


def test_the_interval_of_loads_is_what_the_pipeline_takes_and_part_of_the_freshness() -> None:
    assert (SHORTEST_INTERVAL, LONGEST_LOAD_INTERVAL) == (command._SHORTEST_LOAD, command._LONGEST_LOAD)
    assert set(ways.OF_MESSAGES) | {"events", "inferences", "samples"} == {*KINDS, "batches"} - {"rejects"}
    assert "batches every 900 s" in said("--gateways", "3", "--freshness", "30m", "--load_interval", "15m")


def test_files_are_a_day_old() -> None:
    way = files(FLEET, SENT, load(), ASKED)
    assert (way.freshest, usd(way, "load jobs")) == (timedelta(days=1), 0)


def said(*arguments: str) -> str:
    done = CliRunner().invoke(cli, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def test_the_cheapest_way_that_is_fresh_enough_is_told_with_raw_beside_it() -> None:
    fresh, old = said("--gateways", "3", "--freshness", "1m"), said("--gateways", "3", "--freshness", "1d")
    assert [text in fresh for text in ("\nown: ", "files", "batches every 60 s")] == [True, False, True]
    assert [text in old for text in ("\nfiles: ", "batches every 3600 s")] == [True, True]
    assert re.search(r"^raw +[0-9.]+ USD", old, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--freshness", "soon"], "write for example 5s"),
        (["--freshness", "10s"], "--freshness is at least 1m"),
        (["--load_interval", "57s"], "--load_interval is 58s to 30m"),
        (["--load_interval", "14m30s", "--freshness", "15m"], "--load_interval"),
        (["--load_interval", "15m", "--freshness", "15m"], "a minute shorter at least"),
        (["--engine", "files"], "ask for --freshness 1d"),
        (["--window", "7m"], "windows.seconds must divide an hour"),
        (["--every", "0s"], "--every"),
        (["--prices", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_priced_is_told_in_a_sentence(arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(cli, arguments)
    assert (done.exit_code, sentence in done.output) == (2, True), done.output


def test_your_own_list_counts(tmp_path: Path) -> None:
    own_list = tmp_path / "prices.toml"
    own_list.write_text(re.sub(r"(?m)^usd = .*", "usd = 0.0", SHIPPED.read_text()))
    assert json.loads(said("--prices", str(own_list), "--json"))["ways"][0]["usd"] == 0
    own_list.write_text(SHIPPED.read_text().replace('per = "h"', 'per = "day"'))
    done = CliRunner().invoke(cli, ["--prices", str(own_list)])
    assert (done.exit_code, f"{own_list}: dataflow_vcpu.per" in done.output) == (2, True)


def test_a_query_costs_what_a_dry_run_says() -> None:
    query = load().query
    assert (query.usd, query.per) == (PRICE_PER_TIB, "TiB")


def test_every_price_has_its_page_and_its_date() -> None:
    for name, price in msgspec.structs.asdict(load()).items():
        assert price.source.startswith("https://cloud.google.com/"), name
        assert re.fullmatch(r"20\d\d(-\d\d-\d\d)?", price.read), name


def test_the_readme_says_what_the_command_says() -> None:
    table = re.findall(r"^\| [^|]+ \| `tinybeam cost (.*?)` \| (\w+) \|(.*)\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(table) == 3
    for arguments, cheapest, figures in table:
        ways = json.loads(said(*arguments.split(), "--json"))["ways"]
        by_name = {way["name"]: f"{way['usd']:,.0f}" for way in ways}
        assert cheapest == ways[0]["name"]
        assert [cell.strip() for cell in figures.split("|")] == [by_name[cheapest], by_name["dataflow"], by_name["raw"]]
