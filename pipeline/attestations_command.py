"""`tinybeam pipeline attestations`: which batches of an archive no gateway can deny."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO

import click

from pipeline.attestations import Attestations, OfGateway
from pipeline.io import files
from pipeline.io.append import brief
from pipeline.io.registry import of_file
from program.settings import ConfigError
from schemas.envelope import entries


@click.command()
@click.argument("archive")
@click.option("--registry", required=True, metavar="FILE", help="Names the gateways' keys: the file, not the warehouse.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def attestations(archive: str, registry: str, *, as_json: bool) -> None:
    """Hold the batches of an ARCHIVE against what gateways attest of them in their heartbeats, by their own keys.

    What a gateway has attested it cannot deny, whoever keeps the archive: nobody else can sign for it. A batch that no heartbeat names came
    in the gateway's last half hour, or the heartbeat was dropped. Ends with 1 if anything does not fit: a signature, a
    batch that was changed, one that was taken out.

    \b
    Example:
      tinybeam pipeline attestations gs://my-bucket/archive --registry registry.toml
    """
    found = Attestations()
    try:
        for path in sorted(files.matching(f"{archive}/**.tbb")):
            for each in entries(BytesIO(files.read(path))):
                if isinstance(each, tuple):
                    found.add(*each)
        judged = found.judged(of_file(registry).gateways)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    except Exception as error:
        raise click.ClickException(f"{archive}: {brief(error)}") from error
    _tell(judged, as_json=as_json)
    if not judged or any(each.faults for each in judged.values()):
        raise click.exceptions.Exit(1)


def _tell(judged: Mapping[str, OfGateway], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({gateway: each.as_dict() for gateway, each in judged.items()}, indent=2))
        return
    for gateway, each in judged.items():
        click.echo(f"{gateway}: {len(each.attested):,} of {each.batches:,} batches are attested")
        for fault in each.faults:
            click.echo(f"  {fault}")
    if not judged:
        click.echo("the archive holds no batch")
