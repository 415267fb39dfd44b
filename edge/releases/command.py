"""Runs `tinybeam edge models`: what runs and what is refused, and releases that come on a stick."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from edge.command import MISCONFIGURED, configured, loaded, misconfigured
from edge.config import Config
from edge.models.bundles import bundles_of
from edge.releases.listing import listed
from edge.releases.loading import Place, places_of
from edge.releases.request import request_of
from edge.releases.updates import LOOK_SECONDS, ask_child
from program import terminal
from program.child import ChildFailed


@click.group(invoke_without_command=True)
@click.option("--config", "file", type=click.Path(path_type=Path), help="The gateway's TOML file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of lines.")
@click.pass_context
def models(context: click.Context, file: Path | None, *, as_json: bool) -> None:
    """List the models of a gateway: running, previous, shadow, staged and refused releases, with the reasons.

    \b
    Examples:
      tinybeam edge models --config gateway.toml
      tinybeam edge models --config gateway.toml --json
      tinybeam edge models import /media/stick --config gateway.toml
    """
    if context.invoked_subcommand:
        return
    if file is None:
        raise click.UsageError("--config names the gateway's TOML file")
    found = [each for place in _places(loaded(file), file) for each in listed(place)]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    for each in found:
        terminal.say(each.sentence)


@models.command("import")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR")
@configured
def import_(directory: Path, file: Path) -> None:
    """Take releases from DIR, such as a stick, for a gateway without a network: verified as those of a source are.

    DIR is what `tinybeam release publish DIR` wrote. A gateway that runs takes what is for it within seconds; it need not be stopped.

    \b
    Example:
      tinybeam edge models import /media/stick --config gateway.toml
    """
    config = loaded(file)
    places = _places(config, file)
    request = request_of(config, tuple(place.folder.model for place in places), source=str(directory.absolute()))
    if request is None:
        misconfigured(f"{file}: releases.root says whom to trust, and is missing")
    try:
        ask_child(request)
    except ChildFailed as failure:
        raise click.ClickException(str(failure)) from failure
    for place in places:
        terminal.say(_outcome(place))


def _outcome(place: Place) -> str:
    model, offer = place.folder.model, place.folder.offer
    if offer is None:
        return f"{model}: {model} is not among what is released there"
    if offer.release is None:
        return f"{model}: this gateway is to run the bundle that its configuration names"
    if reason := place.folder.refused().get(offer.release):
        return f"{model}: release {offer.release} is refused: {reason}"
    if reason := place.folder.waiting().get(offer.release):
        return f"{model}: release {offer.release} waits: {reason}"
    return f"{model}: release {offer.release} is here; a gateway that runs takes it within {LOOK_SECONDS:.0f} s"


def _places(config: Config, file: Path) -> list[Place]:
    try:
        return places_of(config, bundles_of(config))
    except MISCONFIGURED as error:
        misconfigured(f"{file}: {error}")
