"""`tinybeam pipeline`: runs the pipeline here, or, by its commands, a job of it on Dataflow."""

from __future__ import annotations

import sys

import click

from pipeline.attestations_command import attestations
from pipeline.dataflow.command import COMMANDS
from pipeline.dataflow.verify import verify_cloud
from pipeline.run import main


class _Pipeline(click.Group):
    """Takes whatever does not begin with one of its commands for flags of a run here."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(ctx, args) if args[0] in self.commands else (_here.name, _here, args)


@click.command("here", context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def _here(arguments: tuple[str, ...]) -> None:
    sys.exit(main(arguments))


@click.group(
    cls=_Pipeline,
    invoke_without_command=True,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run the pipeline: from Pub/Sub or export files into BigQuery (--help lists its flags)."""
    if not ctx.invoked_subcommand:
        sys.exit(main(()))


for command in (*COMMANDS, verify_cloud, attestations):
    cli.add_command(command)
