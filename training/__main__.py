"""`tinybeam train`: rebuilds the model bundles that are committed under models/."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def cli() -> None:
    """Train the models that gateways run.

    A bundle is a directory with model.tflite and manifest.json; point `[[models]] bundle` in gateway.toml at it.
    """


@cli.command()
@click.option("--output", type=_FOLDER, default=Path("models/soil"), show_default=True, help="Bundle to write.")
@click.option("--page", type=_FILE, default=Path("docs/models/soil.md"), show_default=True, help="Report to write.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same bytes.")
@click.option("--workers", default=os.cpu_count() or 1, show_default="processors", help="Processes that simulate.")
def soil(output: Path, page: Path, seed: int, workers: int) -> None:
    """Days until stress from soil moisture and temperature.

    Simulates seasons on real climates with the crop-water model aquacrop, trains a small int8 network on them, and reports how it does on
    climates it never saw. Takes about two minutes on two cores. Exit status 1 if a simpler rule does as well.
    """
    from training import report
    from training.climates import CONFIRMATION_CLIMATES, HELD_OUT_CLIMATES, TRAINING_CLIMATES
    from training.soil import Size, save, simulate, train

    size = Size()
    known = simulate(TRAINING_CLIMATES, size.training_seasons, seed, workers, _watch)
    unseen = simulate(HELD_OUT_CLIMATES, size.held_out_seasons, seed, workers, _watch)
    untouched = simulate(CONFIRMATION_CLIMATES, size.confirmation_seasons, seed, workers, _watch)
    with click.progressbar(length=size.schedule.epochs, label="Training") as bar:
        trained = train(known, seed, size, lambda _: bar.update(1))
    bundle = save(trained, known, output, seed, size)
    comparison = report.compare(trained, bundle, known, unseen)
    confirmation = report.compare(trained, bundle, known, untouched)
    report.write_page(page, comparison, confirmation, bundle, json.loads((output / "manifest.json").read_text()))
    for name, found in comparison.measures.items():
        errors = f"error {found.error:5.2f} d   below 5 d {found.decisive_error:5.2f} d"
        click.echo(f"{name.strip('*'):56} {errors}   right verdict {found.accuracy:6.1%}")
    click.echo(f"Wrote {output} and {page}.")
    if comparison.shortcomings:
        raise click.ClickException("the model does not beat every baseline on the held-out climates")


def _watch(what: str, items: Iterable[Any], count: int) -> Iterator[Any]:
    with click.progressbar(items, length=count, label=what) as bar:
        yield from bar


if __name__ == "__main__":
    cli()
