"""`tinybeam release`. Exit codes: 0, 1 (`advance`: it was halted), 2 (usage, or what is asked for cannot be done)."""

from __future__ import annotations

import click

from releases import advance_command, fetch_command, rollout_command, signing_command


@click.group(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Bring models to gateways: signed by two of three, to a few gateways first, further as they prove themselves.

    \b
    Once:                 tinybeam release init --holder ada --holder ben --holder eva
    A release:            tinybeam release add models/soil
                          tinybeam release sign --key /media/ada/releases.key
                          tinybeam release sign --key /media/ben/releases.key
    To some gateways:     tinybeam release roll-out soil 1
    To where they look:   tinybeam release publish /srv/models
    How it stands:        tinybeam release status
    """


for _command in (*signing_command.COMMANDS, *rollout_command.COMMANDS, advance_command.advance, fetch_command.fetch):
    cli.add_command(_command)
