"""`tinybeam cost`. Exit codes: 0, 2 (usage)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from costs import prices as price_list
from costs.fleet import Fleet, Month, month
from costs.prices import SHIPPED, Prices
from costs.ways import WAYS, Asked, Way, raw
from program.duration import duration
from program.settings import ConfigError

_LONGEST_BATCH, _SHORTEST_BATCH = timedelta(hours=1), timedelta(minutes=1)
_LONGEST_LOAD, _SHORTEST_LOAD = timedelta(minutes=30), timedelta(seconds=58)
"""As the pipeline takes them: a test compares."""


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            span = duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not span:
            self.fail("it is at least 1s", param, ctx)
        return span


_DURATION = _Duration()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--gateways", type=click.IntRange(1, 10_000_000), default=1, show_default=True, help="How many gateways there are.")
@click.option("--devices", type=click.IntRange(1, 2000), default=20, show_default=True, help="Devices of one gateway.")
@click.option("--channels", type=click.IntRange(1, 50), default=2, show_default=True, help="Channels of one device.")
@click.option("--every", type=_DURATION, default="60s", show_default=True, help="Time between two readings of a device.")
@click.option("--window", type=_DURATION, default="60s", show_default=True, help="windows.seconds of the gateways.")
@click.option(
    "--freshness",
    type=_DURATION,
    default="15m",
    show_default=True,
    help="How old the newest rows may be: 1m, 15m, 1d. Batches wait so long.",
)
@click.option(
    "--load_interval", type=_DURATION, help="The streaming ways load rows so often (--write_method=load): 58s to 30m, part of --freshness."
)
@click.option("--engine", type=click.Choice(list(WAYS)), help="Show this way, even if another is cheaper.")
@click.option("--keep", type=_DURATION, default="1095d", show_default=True, help="How long rows are kept: the bill is of the last month.")
@click.option("--queries", type=click.IntRange(0), default=12, show_default=True, help="Queries a day, each over --query_days.")
@click.option("--query_days", type=click.IntRange(1), default=2, show_default=True, help="Days that a query asks about.")
@click.option("--prices", type=click.Path(path_type=Path), default=SHIPPED, help="Your list of prices, in the form of the shipped one.")
@click.option("--json", "as_json", is_flag=True, help="Every way and every line as JSON.")
def cli(
    gateways: int,
    devices: int,
    channels: int,
    every: timedelta,
    window: timedelta,
    freshness: timedelta,
    load_interval: timedelta | None,
    engine: str | None,
    keep: timedelta,
    queries: int,
    query_days: int,
    prices: Path,
    as_json: bool,
) -> None:
    """Estimate what a fleet costs a month, and the cheapest way to rows that are as fresh as asked.

    Bytes are measured: the gateway's own code cuts the batches of an hour or two of such a gateway. Prices are list prices, each with a
    date and a source. Models, events, alerts and water balances are left out; rollups are of one site a gateway. Works without a network.

    \b
    Examples:
      tinybeam cost --gateways 500 --devices 20 --freshness 1m
      tinybeam cost --gateways 3 --devices 5 --freshness 1d
      tinybeam cost --gateways 20000 --freshness 30m --load_interval 15m
      tinybeam cost --gateways 10000 --every 1s --engine dataflow
    """
    batch = _batch(freshness, window, load_interval)
    sizes = {"gateways": gateways, "devices": devices, "channels": channels}
    fleet = Fleet(**sizes, every=every, window=window, batch=batch, load_interval=load_interval)
    asked = Asked(kept_days=keep.days, queries=queries, query_days=query_days)
    try:
        listed, sent = price_list.load(prices), month(fleet)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    ways = _ways(fleet, sent, listed, asked, freshness)
    beside = raw(fleet, sent, listed, asked)
    if as_json:
        click.echo(json.dumps({"month": asdict(sent), "ways": [_row(way) for way in (*ways, beside)]}, indent=2))
        return
    click.echo("\n".join(_text(fleet, sent, _chosen(engine, ways), ways, beside, listed)))


def _batch(freshness: timedelta, window: timedelta, load_interval: timedelta | None) -> timedelta:
    """Returns how long batches wait. Raises UsageError where a load would leave no time for that."""
    if load_interval and not _SHORTEST_LOAD <= load_interval <= _LONGEST_LOAD:
        raise click.UsageError("--load_interval is 58s to 30m: `tinybeam pipeline --help`")
    waits = freshness - (load_interval or timedelta(0))
    if load_interval and waits < _SHORTEST_BATCH:
        raise click.UsageError(f"--load_interval is part of --freshness, and a minute shorter at least: {freshness} is too short for it")
    return min(max(waits, window, _SHORTEST_BATCH), _LONGEST_BATCH)


def _ways(fleet: Fleet, sent: Month, listed: Prices, asked: Asked, freshness: timedelta) -> list[Way]:
    """Returns the ways that are fresh enough, the cheapest first. Raises UsageError if there is none."""
    ways = sorted((way(fleet, sent, listed, asked) for way in WAYS.values()), key=lambda way: way.usd)
    fresh = [way for way in ways if way.freshest <= freshness]
    if not fresh:
        raise click.UsageError("--freshness is at least 1m: fresher rows are not promised by any way")
    return fresh


def _chosen(engine: str | None, ways: Sequence[Way]) -> Way:
    """Returns the way that is asked for, else the cheapest. Raises UsageError."""
    if not engine:
        return ways[0]
    if found := [way for way in ways if way.name == engine]:
        return found[0]
    raise click.UsageError(f"--engine {engine}: rows are at least a day old; ask for --freshness 1d")


def _row(way: Way) -> dict[str, object]:
    return {"name": way.name, "meaning": way.meaning, "usd": round(way.usd, 2), "lines": [asdict(line) for line in way.lines]}


def _text(fleet: Fleet, sent: Month, chosen: Way, ways: Sequence[Way], beside: Way, listed: Prices) -> list[str]:
    width = max(len(line.what) for line in chosen.lines)
    seconds = round(fleet.batch.total_seconds())
    size = f"{fleet.gateways:,} gateways of {fleet.devices:,} devices: {sent.readings:,.0f} readings a month"
    return [
        f"{size}, batches every {seconds} s of {sent.batch_rows:,.0f} rows on the mean",
        "",
        f"{chosen.name}: {chosen.meaning}",
        *(f"  {line.what.ljust(width)}  {line.usd:12,.2f} USD  {line.amount}" for line in chosen.lines),
        f"  {'a month'.ljust(width)}  {chosen.usd:12,.2f} USD",
        "",
        *(f"{way.name.ljust(8)}  {way.usd:12,.2f} USD  {way.meaning}" for way in (*ways, beside)),
        "",
        f"List prices of {_dates(listed)}; --prices FILE takes yours, --json shows every line of every way.",
    ]


def _dates(listed: Prices) -> str:
    dates = sorted({getattr(listed, name).read for name in listed.__struct_fields__})
    return dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
