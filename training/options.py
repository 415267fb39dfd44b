"""Declares the options that the commands of `tinybeam train` share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
Command = Callable[..., Any]


def of_model(name: str, simulation: str, field: str) -> Callable[[Command], Command]:
    """Returns a decorator: the options of the command that trains this model on a simulation, or on what gateways sent of the field."""
    bundle = _written(name, "simulation")
    return _all(
        click.option(
            "--output",
            type=FOLDER,
            callback=lambda context, _, given: given or _written(name, context.params["source"]),
            help=f"Bundle to write.  [default: {bundle}; of the warehouse {_written(name, 'warehouse')}]",
        ),
        click.option("--page", type=FILE, default=Path(f"docs/models/{name}.md"), show_default=True, help="Report to write."),
        click.option("--seed", default=0, show_default=True, help="Same seed, same bytes on one machine."),
        click.option("--workers", default=os.cpu_count() or 1, show_default="processors", help="Processes that simulate."),
        click.option(
            "--from",
            "source",
            type=click.Choice(["simulation", "warehouse"]),
            default="simulation",
            show_default=True,
            is_eager=True,  # what is written by default rests on it
            help=f"What it learns from: {simulation}, or {field}.",
        ),
        click.option(
            "--until",
            type=click.DateTime(),
            help="Warehouse: what came from this time on is not looked at, UTC.  [default: now]",
        ),
        click.option("--days", type=click.IntRange(15), default=400, show_default=True, help="Warehouse: how many days before that."),
        click.option("--project", envvar="GOOGLE_CLOUD_PROJECT", help="Warehouse: its project.  [default: $GOOGLE_CLOUD_PROJECT]"),
        click.option("--current", type=FOLDER, default=bundle, show_default=True, help="Warehouse: the bundle to be followed."),
        click.option("--version", default="2.0.0", show_default=True, help="Warehouse: version of the new bundle."),
        click.option("--figures", type=FILE, help="Warehouse: where to write the table too, as JSON."),
    )


def progress(what: str, items: Iterable[Any], count: int) -> Iterator[Any]:
    """Yields the items, and shows how many of them are done."""
    with click.progressbar(items, length=count, label=what) as bar:
        yield from bar


def _written(name: str, source: str) -> Path:
    """Returns where a bundle is written by default: a successor not over the one that it follows."""
    return Path("build" if source == "warehouse" else "models") / name


def _all(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
