"""`tinybeam keys`. Exit codes: 0, 1 (`status`: one needs to be renewed), 2 (usage, or what is asked for cannot be done)."""

from __future__ import annotations

import click

from keys import authority_command, broker_command, holder_command, pipeline_command


@click.group(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Make, sign, renew and revoke the keys of a farm: certificates of gateways, sensors and servers, and the pipeline's key.

    \b
    Where the authority is:    tinybeam keys ca init authority --name "Mill farm"
                               tinybeam keys token gateway-1 --role gateway --ca authority
                               tinybeam keys serve --ca authority --host 10.0.0.2 --listen 10.0.0.2
    At the gateway:            tinybeam keys enroll gateway-1.pem --name gateway-1 --server https://10.0.0.2:8443 --authority ca.pem
    At any time:               tinybeam keys status gateway-1.pem
    """


for _command in (*authority_command.COMMANDS, *holder_command.COMMANDS, *broker_command.COMMANDS, *pipeline_command.COMMANDS):
    cli.add_command(_command)
