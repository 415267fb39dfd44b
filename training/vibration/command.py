"""Does what `tinybeam train vibration` asks for: a model of simulated machines with its page, or one that machines of the field taught; and
the section of the page on real recordings.
"""

from __future__ import annotations

from pathlib import Path

import click

from edge.models.bundle import Bundle
from training import warehouse
from training.build.fetch import FetchError, cache_folder, fetch
from training.build.gate_section import pass_gate
from training.build.package_bundle import read_manifest
from training.build.page import put_section, section, write, write_figures
from training.learning import Field, Request, learn
from training.options import progress
from training.vibration.comparison import compare
from training.vibration.page import page_text
from training.vibration.recordings import SOURCE
from training.vibration.recordings_page import replay, section_text
from training.vibration.rivals import VibrationSuccession
from training.vibration.succession import lineage, succeed
from training.vibration.train import Size, save, simulate, simulated, train


def learn_from_field(output: Path, seed: int, request: Request, version: str) -> None:
    """Writes the bundle. Raises ClickException if it is not to be used."""

    def taught(field: Field) -> VibrationSuccession:
        rows, snapshot = warehouse.vibration(field.warehouse, field.from_time, field.until, lineage(field.current))
        click.echo(f"{len(rows.windows)} windows of {len(rows.machines)} machines, SHA-256 {rows.sha256}")
        return succeed(rows, field.current, output, version=version, snapshot=snapshot, seed=seed)[1]

    learn(output, request, taught)


def learn_from_simulation(output: Path, page: Path, seed: int, workers: int) -> None:
    """Writes bundle and page, whose section on recordings stays. Raises ClickException if the model is not to be used."""
    recordings = section(page, "recordings")
    size = Size()
    data = simulate(size, seed, workers, progress)
    with click.progressbar(length=size.schedule.epochs, label="Training") as bar:
        trained = train(data.training.features, seed, size, lambda _: bar.update(1))
    validation, examples = data.validation.features, data.golden.features
    bundle = save(trained, output, validation=validation, examples=examples, seed=seed, size=size, origin=simulated(size))
    comparison = compare(bundle, data.validation, data.healthy, data.failing)
    write(page, page_text(comparison, bundle, read_manifest(bundle)), comparison)
    pass_gate(output, page)
    if recordings:
        put_section(page, "recordings", recordings)
    for name, detection in comparison.detections.items():
        click.echo(
            f"{name.strip('*'):48} AUC {detection.auc:.3f}   found {detection.recall:6.1%}   false alarms {detection.false_alarms:.2%}"
        )
    click.echo(f"Wrote {output} and {page}.")
    if comparison.refused:
        raise click.ClickException("the model does not beat a threshold on RMS on unseen machines")


def replay_recordings(bundle: Path, page: Path, seed: int) -> None:
    """Writes the section of the page on real recordings. Raises ClickException if they cannot be had."""
    try:
        archive = fetch(SOURCE, cache_folder())
    except FetchError as error:
        raise click.ClickException(str(error)) from error
    replayed = replay(bundle, archive, seed)
    text = section_text(replayed, Bundle.load(bundle))
    put_section(page, "recordings", text)
    write_figures(page.with_suffix(".recordings.json"), replayed)
    click.echo(text)
