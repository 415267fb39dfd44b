"""`tinybeam train` rebuilds the model bundles that are committed under models/, and makes those that follow them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from training.build.threads import single
from training.options import FOLDER, of_model


@click.group()
def cli() -> None:
    """Train the models that gateways run.

    A bundle is a directory with model.tflite and manifest.json; point `[[models]] bundle` in gateway.toml at it.
    """


@cli.command()
@of_model("soil", "seasons of the crop-water model", "what gateways sent")
@click.option("--seasons", default=160, show_default=True, help="Warehouse: seasons that the crop-water model adds to those of the fields.")
def soil(output: Path, page: Path, seed: int, workers: int, source: str, seasons: int, version: str, **warehouse: Any) -> None:
    """Train the soil model: days until stress from soil moisture and temperature.

    Simulates seasons on real climates with the crop-water model aquacrop, trains a small int8 network on them, and reports how it does on
    climates it never saw. Takes about three minutes on two free cores. Exit status 1 if a simpler rule does as well, or if the gate
    refuses it.

    With --from=warehouse it learns from the fields instead: of what every probe measured, and of when stress came, as far as the
    warehouse knew it at a time. A third of the sites is held out. Exit status 1 if the bundle is not better there than the current one and
    than the rules, with the table that says why; nothing is written to --page.
    """
    single()
    from training.learning import Request
    from training.soil import command

    if source == "warehouse":
        command.learn_from_fields(output, seed, workers, Request(**warehouse), seasons=seasons, version=version)
    else:
        command.learn_from_seasons(output, page, seed, workers)


@cli.command()
@of_model("vibration", "simulated machines", "what gateways sent of machines that were sound")
@click.option("--recording", is_flag=True, help="Do not train: hold the bundle against real recordings, fetched by pip.")
def vibration(output: Path, page: Path, seed: int, workers: int, source: str, version: str, recording: bool, **warehouse: Any) -> None:
    """Train the vibration model: whether a bearing still sounds as it used to.

    Simulates machines on rolling bearings, trains a small int8 autoencoder on healthy ones, and reports how it finds faults in unseen
    machines. Takes about a minute and a half on two free cores. Exit status 1 if a threshold on RMS does as well, or if
    the gate refuses it.

    With --from=warehouse it learns from machines of the field instead: of windows in which a bearing was sound, as far as people's answers
    and the time after it said so. A third of the machines is held out. Exit status 1 if the bundle does not find the bearings that were
    replaced there as well as the current one and as simple rules, with the table that says why; nothing is written to --page.

    With --recording it fetches real bearing vibration (67 MB, for non-commercial use) and writes that section of the page instead.
    """
    single()
    from training.learning import Request
    from training.vibration import command

    if recording:
        command.replay_recordings(output, page, seed)
    elif source == "warehouse":
        command.learn_from_field(output, seed, Request(**warehouse), version)
    else:
        command.learn_from_simulation(output, page, seed, workers)


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
    from training.build.gate_section import finish

    try:
        report = demand_all(judge(bundle)) if all_runtimes else judge(bundle)
    except (BundleError, NoRuntime) as error:
        if as_json:
            click.echo(json.dumps({"passed": False, "refusals": [str(error)]}))
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(report.as_json())
    finish(bundle, report, page)
    if not as_json:
        click.echo("\n".join(summary(report)))


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--output", type=FOLDER, required=True, help="Folder for model.h and model.cc.")
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


if __name__ == "__main__":
    cli()
