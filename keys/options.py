"""Holds what the commands of `tinybeam keys` share: options, the time, and how what is wrong ends them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from keys.authority import DAYS
from keys.error import KeysError
from keys.holder import Role
from program import command_errors

LEAST_DAYS, MOST_DAYS = 30, 90

_FILE = click.Path(path_type=Path)

folder = click.argument("folder", type=_FILE)
identity_file = click.argument("identity", type=_FILE)
out = click.option("--out", type=_FILE, required=True, help="The file that is written.")
authority_folder = click.option("--ca", type=_FILE, required=True, help="Folder of the authority, as `keys ca init` made it.")
authority_file = click.option("--authority", type=_FILE, required=True, help="The authority's ca.pem, by which others are known.")
server = click.option("--server", metavar="URL", default="", help="The authority's server, https://HOST:PORT. Without it: by file.")
role = click.option("--role", type=click.Choice([each.value for each in Role]), required=True, help="What the holder is.")
hosts = click.option("--host", "hosts", multiple=True, help="Of a server: a name or address that clients call it by; may be repeated.")
days = click.option(
    "--days", type=click.IntRange(LEAST_DAYS, MOST_DAYS), default=DAYS, show_default=True, help="How long the certificate is good."
)
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON array instead of lines.")

errors_explained = command_errors.errors_explained(KeysError)


def now() -> datetime:
    return datetime.now(UTC)
