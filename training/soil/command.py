"""Does what `tinybeam train soil` asks for: a model of simulated seasons with its page, or one that fields taught."""

from __future__ import annotations

from pathlib import Path

import click

from training import warehouse
from training.build.gate_section import pass_gate
from training.build.package_bundle import read_manifest
from training.build.page import write
from training.learning import Field, Request, learn
from training.options import progress
from training.soil.climates import CONFIRMATION_CLIMATES, HELD_OUT_CLIMATES, TRAINING_CLIMATES
from training.soil.examples import make_plans
from training.soil.metrics import line
from training.soil.page import measure_all, page_text
from training.soil.rivals import SoilSuccession
from training.soil.succession import succeed, teach
from training.soil.train import Size, save, simulate, simulated, train


def learn_from_fields(output: Path, seed: int, workers: int, request: Request, *, seasons: int, version: str) -> None:
    """Writes the bundle. Raises ClickException if it is not to be used."""

    def taught(field: Field) -> SoilSuccession:
        rows, snapshot = warehouse.soil(field.warehouse, field.from_time, field.until)
        click.echo(f"{len(rows.windows)} windows of {len(rows.sites)} sites and {rows.seasons} seasons, SHA-256 {rows.sha256}")
        lessons = teach(seasons, seed, workers, progress)
        return succeed(rows, lessons, field.current, output, version=version, snapshot=snapshot, seed=seed)[1]

    learn(output, request, taught)


def learn_from_seasons(output: Path, page: Path, seed: int, workers: int) -> None:
    """Writes bundle and page. Raises ClickException if the model is not to be used."""
    size = Size()
    known = simulate(make_plans(TRAINING_CLIMATES, size.training_seasons, seed), workers, progress)
    unseen = simulate(make_plans(HELD_OUT_CLIMATES, size.held_out_seasons, seed), workers, progress)
    untouched = simulate(make_plans(CONFIRMATION_CLIMATES, size.confirmation_seasons, seed), workers, progress)
    with click.progressbar(length=size.schedule.epochs, label="Training") as bar:
        trained = train(known, seed, size, lambda _: bar.update(1))
    bundle = save(trained, known, output, seed, size, simulated(size.training_seasons))
    figures = measure_all(trained, bundle, known, unseen, untouched)
    write(page, page_text(figures, bundle, read_manifest(bundle)), figures)
    pass_gate(output, page)
    for name, metrics in figures.held_out.metrics.items():
        click.echo(line(name, metrics))
    click.echo(f"Wrote {output} and {page}.")
    if figures.held_out.shortcomings:
        raise click.ClickException("the model does not beat every baseline on the held-out climates")
