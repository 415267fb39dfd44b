"""`tinybeam train` rebuilds the model bundles that are committed under models/."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from training.build.threads import single

if TYPE_CHECKING:
    from training.build.gate import GateReport

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
@click.option("--seed", default=0, show_default=True, help="Same seed, same bytes on one machine.")
@click.option("--workers", default=os.cpu_count() or 1, show_default="processors", help="Processes that simulate.")
@click.option(
    "--from",
    "source",
    type=click.Choice(["simulation", "warehouse"]),
    default="simulation",
    show_default=True,
    help="What it learns from: seasons of the crop-water model, or what gateways sent.",
)
@click.option("--until", type=click.DateTime(), help="Warehouse: what came from this time on is not looked at, UTC.  [default: now]")
@click.option("--days", type=click.IntRange(15), default=400, show_default=True, help="Warehouse: how many days before that.")
@click.option("--project", envvar="GOOGLE_CLOUD_PROJECT", help="Warehouse: its project.  [default: $GOOGLE_CLOUD_PROJECT]")
@click.option("--seasons", default=160, show_default=True, help="Warehouse: seasons that the crop-water model adds to those of the fields.")
@click.option("--current", type=_FOLDER, default=Path("models/soil"), show_default=True, help="Warehouse: the bundle to be followed.")
@click.option("--version", default="2.0.0", show_default=True, help="Warehouse: version of the new bundle.")
@click.option("--figures", type=_FILE, help="Warehouse: where to write the table too, as JSON.")
def soil(output: Path, page: Path, seed: int, workers: int, source: str, **warehouse: Any) -> None:
    """Train the soil model: days until stress from soil moisture and temperature.

    Simulates seasons on real climates with the crop-water model aquacrop, trains a small int8 network on them, and reports how it does on
    climates it never saw. Takes about three minutes on two free cores. Exit status 1 if a simpler rule does as well, or if the gate
    refuses it.

    With --from=warehouse it learns from the fields instead: of what every probe measured, and of when stress came, as far as the
    warehouse knew it at a time. A third of the sites is held out. Exit status 1 if the bundle is not better there than the current one and
    than the rules, with the table that says why; nothing is written to --page.
    """
    single()
    if source == "warehouse":
        _learn(output, seed, workers, **warehouse)
    else:
        _train_soil(output, page, seed, workers)


def _learn(output: Path, seed: int, workers: int, **options: Any) -> None:
    """Writes the bundle. Raises ClickException if it is not to be used."""
    from training.soil.command import learn

    learn(output, seed, workers, _progress, **options)
    _pass_gate(output, None)
    click.echo(f"Wrote {output}.")


def _train_soil(output: Path, page: Path, seed: int, workers: int) -> None:
    """Writes bundle and page. Raises ClickException if the model is not to be used."""
    from training.build.page import write
    from training.soil.climates import CONFIRMATION_CLIMATES, HELD_OUT_CLIMATES, TRAINING_CLIMATES
    from training.soil.examples import make_plans
    from training.soil.metrics import line
    from training.soil.page import measure_all, page_text
    from training.soil.train import Size, save, simulate, simulated, train

    size = Size()
    known = simulate(make_plans(TRAINING_CLIMATES, size.training_seasons, seed), workers, _progress)
    unseen = simulate(make_plans(HELD_OUT_CLIMATES, size.held_out_seasons, seed), workers, _progress)
    untouched = simulate(make_plans(CONFIRMATION_CLIMATES, size.confirmation_seasons, seed), workers, _progress)
    with click.progressbar(length=size.schedule.epochs, label="Training") as bar:
        trained = train(known, seed, size, lambda _: bar.update(1))
    bundle = save(trained, known, output, seed, size, simulated(size.training_seasons))
    figures = measure_all(trained, bundle, known, unseen, untouched)
    write(page, page_text(figures, bundle, _manifest(output)), figures)
    _pass_gate(output, page)
    for name, metrics in figures.held_out.metrics.items():
        click.echo(line(name, metrics))
    click.echo(f"Wrote {output} and {page}.")
    if figures.held_out.shortcomings:
        raise click.ClickException("the model does not beat every baseline on the held-out climates")


@cli.command()
@click.option("--output", type=_FOLDER, default=Path("models/vibration"), show_default=True, help="Bundle to write.")
@click.option("--page", type=_FILE, default=Path("docs/models/vibration.md"), show_default=True, help="Report to write.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same bytes on one machine.")
@click.option("--workers", default=os.cpu_count() or 1, show_default="processors", help="Processes that simulate.")
@click.option("--recording", is_flag=True, help="Do not train: hold the bundle against real recordings, fetched by pip.")
def vibration(output: Path, page: Path, seed: int, workers: int, recording: bool) -> None:
    """Train the vibration model: whether a bearing still sounds as it used to.

    Simulates machines on rolling bearings, trains a small int8 autoencoder on healthy ones, and reports how it finds faults in unseen
    machines. Takes about a minute and a half on two free cores. Exit status 1 if a threshold on RMS does as well, or if
    the gate refuses it.

    With --recording it fetches real bearing vibration (67 MB, for non-commercial use) and writes that section of the page instead.
    """
    single()
    if recording:
        _replay_recordings(output, page, seed)
    else:
        _train_vibration(output, page, seed, workers)


def _train_vibration(output: Path, page: Path, seed: int, workers: int) -> None:
    """Writes bundle and page, whose section on recordings stays. Raises ClickException if the model is not to be used."""
    from training.build.page import put_section, section, write
    from training.vibration.comparison import compare
    from training.vibration.page import page_text
    from training.vibration.train import Size, save, simulate, train

    recordings = section(page, "recordings")
    size = Size()
    data = simulate(size, seed, workers, _progress)
    with click.progressbar(length=size.schedule.epochs, label="Training") as bar:
        trained = train(data.training.features, seed, size, lambda _: bar.update(1))
    bundle = save(trained, output, validation=data.validation, examples=data.golden, seed=seed, size=size)
    comparison = compare(bundle, data.validation, data.healthy, data.failing)
    write(page, page_text(comparison, bundle, _manifest(output)), comparison)
    _pass_gate(output, page)
    if recordings:
        put_section(page, "recordings", recordings)
    for name, detection in comparison.detections.items():
        click.echo(
            f"{name.strip('*'):48} AUC {detection.auc:.3f}   found {detection.recall:6.1%}   false alarms {detection.false_alarms:.2%}"
        )
    click.echo(f"Wrote {output} and {page}.")
    if comparison.refused:
        raise click.ClickException("the model does not beat a threshold on RMS on unseen machines")


def _manifest(bundle: Path) -> Any:
    return json.loads((bundle / "manifest.json").read_text())


def _progress(what: str, items: Iterable[Any], count: int) -> Iterator[Any]:
    with click.progressbar(items, length=count, label=what) as bar:
        yield from bar


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="The model's page, whose section is written.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found, as JSON.")
@click.option("--all-runtimes", is_flag=True, help="Refuse it also if one of the three runtimes is not here.")
def gate(bundle: Path, page: Path | None, as_json: bool, all_runtimes: bool) -> None:
    """Judge whether BUNDLE may be published.

    It must load in tflite-runtime, ai-edge-litert and tflite-micro, reproduce its golden cases in each, and be decided alike by all three
    on probes around them. A runtime that this Python cannot have does not judge, and the answer says so: only Python 3.11 has all three.
    Takes about ten seconds. Exit status 1 if it is refused, and a sentence that says why.
    """
    from edge.models.bundle import BundleError
    from training.build.gate import NoRuntime, demand_all, judge, summary

    try:
        report = demand_all(judge(bundle)) if all_runtimes else judge(bundle)
    except (BundleError, NoRuntime) as error:
        if as_json:
            click.echo(json.dumps({"passed": False, "refusals": [str(error)]}))
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(report.as_json())
    _finish(bundle, report, page)
    if not as_json:
        click.echo("\n".join(summary(report)))


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--output", type=_FOLDER, required=True, help="Folder for model.h and model.cc.")
def microcontroller(bundle: Path, output: Path) -> None:
    """Write the model of BUNDLE for a microcontroller: a C array of the same bytes, its arena and its operators, for tflite-micro.

    \b
    Example:
      tinybeam train microcontroller models/soil --output firmware/soil
    """
    from edge.models.bundle import BundleError
    from edge.models.tflite import RuntimeMissing
    from training.build.microcontroller import write

    try:
        arena = write(bundle, output)
    except (BundleError, RuntimeMissing) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Wrote {output}: it needs an arena of {arena} bytes.")


def _pass_gate(bundle: Path, page: Path | None) -> None:
    """Raises ClickException if the bundle is not to be published; else writes the section of its page, if there is one."""
    from training.build.gate import NoRuntime, judge

    try:
        report = judge(bundle)
    except NoRuntime as error:
        raise click.ClickException(str(error)) from error
    _finish(bundle, report, page)


def _finish(bundle: Path, report: GateReport, page: Path | None) -> None:
    from edge.models.bundle import Bundle
    from training.build.page import gate_section, put_section

    if not report.passed:
        raise click.ClickException("the gate refuses it: " + "; ".join(report.refusals))
    if page is not None:
        put_section(page, "gate", gate_section(report, Bundle.load(bundle)))


def _replay_recordings(bundle: Path, page: Path, seed: int) -> None:
    from edge.models.bundle import Bundle
    from training.build.fetch import FetchError, cache_folder, fetch
    from training.build.page import put_section, write_figures
    from training.vibration.recordings import SOURCE
    from training.vibration.recordings_page import replay, section_text

    try:
        archive = fetch(SOURCE, cache_folder())
    except FetchError as error:
        raise click.ClickException(str(error)) from error
    replayed = replay(bundle, archive, seed)
    text = section_text(replayed, Bundle.load(bundle))
    put_section(page, "recordings", text)
    write_figures(page.with_suffix(".recordings.json"), replayed)
    click.echo(text)


if __name__ == "__main__":
    cli()
