"""The commands of who keeps the authority: make it, promise, sign, issue, serve, revoke, list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click

from keys import authority, options, pem, private_files
from keys.authority import ISSUING, REVOKED, ROOT, ROOT_KEY, Authority
from keys.error import KeysError
from keys.holder import Holder, Role
from keys.serving import Serving
from program import logs
from program.stop_signals import stop_event


@click.group(no_args_is_help=True)
def ca() -> None:
    """The authority that signs a farm's certificates."""


@ca.command()
@options.folder
@click.option("--name", default="TinyBeam", show_default=True, help="What the authority is called in its certificates.")
@options.errors_explained
def init(folder: Path, name: str) -> None:
    """Make an authority in FOLDER: a root, whose key is carried away, and the issuing key under it.

    \b
    Example:
      tinybeam keys ca init authority --name "Mill farm"
    """
    authority.create(folder, name, options.now())
    click.echo(f"{folder / ROOT} is for every gateway, sensor and broker: it says whom they trust.")
    click.echo(f"{folder / ROOT_KEY} is not needed again before {folder / ISSUING} ends, in five years: carry it away, and delete it here.")


@ca.command()
@options.folder
@click.option("--root", type=click.Path(path_type=Path), help="The root's key, where it was carried to.  [default: FOLDER/root.key]")
@options.errors_explained
def replace(folder: Path, root: Path | None) -> None:
    """Put a new issuing key into the authority in FOLDER: before the present one ends, or once a year.

    Nobody else does anything: who renews gets a certificate by the new one, and what was signed before is good until its end. It is no
    cure for a stolen issuing key: the root's certificate still stands behind that one. Make another authority then.

    \b
    Example:
      tinybeam keys ca replace authority --root /media/stick/root.key
    """
    issuing = authority.replace(folder, root or folder / ROOT_KEY, options.now())
    click.echo(f"{pem.common_name(issuing)!r} signs from now on, until {issuing.not_valid_after_utc:%Y-%m-%d}")
    click.echo(f"the broker is to get {folder / REVOKED}, as `tinybeam keys broker` gives it: without it nobody new comes in")


@click.command()
@click.argument("name")
@options.role
@options.days
@click.option("--hours", type=click.IntRange(1, 720), default=24, show_default=True, help="How long the token is good.")
@options.authority_folder
@options.errors_explained
def token(name: str, role: str, days: int, hours: int, ca: Path) -> None:
    """Print a token by which NAME gets a certificate, once.

    \b
    Example:
      tinybeam keys token gateway-1 --role gateway --ca authority
    """
    _refuse_server(role)
    click.echo(Authority(ca).promise(Holder(name, Role(role)), options.now(), timedelta(hours=hours), days))


@click.command()
@click.argument("request", type=click.Path(path_type=Path))
@options.role
@options.hosts
@options.days
@options.authority_folder
@options.out
@options.errors_explained
def sign(request: Path, role: str, hosts: Sequence[str], days: int, ca: Path, out: Path) -> None:
    """Sign a REQUEST that came by file, and write the certificate to be carried back.

    \b
    Example:
      tinybeam keys sign gateway-1.csr --role gateway --ca authority --out gateway-1.crt
    """
    asked = pem.request(private_files.read(request), request)
    chain = Authority(ca).sign(asked, Holder(pem.common_name(asked), Role(role), hosts), options.now(), days)
    private_files.write(out, pem.of_chain(chain), private_files.PUBLIC_MODE)
    click.echo(f"{out}: {pem.common_name(chain[0])}, until {chain[0].not_valid_after_utc:%Y-%m-%d}")


@click.command()
@click.argument("name")
@options.role
@options.hosts
@options.days
@options.authority_folder
@options.out
@options.errors_explained
def issue(name: str, role: str, hosts: Sequence[str], days: int, ca: Path, out: Path) -> None:
    """Make a key with its certificate for NAME, which cannot make a key itself: a sensor, or a server on this machine.

    \b
    Examples:
      tinybeam keys issue soil-1 --role sensor --ca authority --out soil-1.pem
      tinybeam keys issue broker --role server --host 10.0.0.2 --ca authority --out broker.pem
    """
    private_files.refuse_existing(out)
    identity = Authority(ca).issue(Holder(name, Role(role), hosts), options.now(), days)
    identity.write(out)
    click.echo(f"{out}: key and certificate of {name}, until {identity.end:%Y-%m-%d}")


@click.command()
@click.argument("name")
@options.authority_folder
@options.errors_explained
def revoke(name: str, ca: Path) -> None:
    """Take back all certificates of NAME, and write the list that the broker reads.

    \b
    Example:
      tinybeam keys revoke soil-1 --ca authority
    """
    opened = Authority(ca)
    count = opened.revoke(name, options.now())
    click.echo(f"{name}: {count} taken back; the broker is to get {opened.revoked_file}")


@click.command("list")
@options.authority_folder
@options.as_json
@options.errors_explained
def list_issued(ca: Path, as_json: bool) -> None:
    """List what was issued: holder, role, until when, and what became of it.

    \b
    Example:
      tinybeam keys list --ca authority
    """
    now = options.now()
    rows = [
        {
            "name": one.holder.name,
            "role": one.holder.role,
            "end": one.end.isoformat(),
            "state": one.state(now),
            "serial": f"{one.serial:x}",
        }
        for one in Authority(ca).issued.all()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']:<20} {row['role']:<8} {row['state']:<8} {row['end'][:10]}  {row['serial']}")


@click.command()
@options.authority_folder
@click.option("--host", "hosts", multiple=True, default=["localhost"], show_default=True, help="A name or address of it; may be repeated.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address that it listens at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8443, show_default=True, help="Port that it listens at.")
@logs.options
@options.errors_explained
def serve(ca: Path, hosts: Sequence[str], listen: str, port: int) -> None:
    """Sign over HTTPS, until SIGTERM or Ctrl-C: for tokens, and for certificates that are to be renewed.

    \b
    Example:
      tinybeam keys serve --ca authority --host keys.mill.example --listen 10.0.0.2
    """
    try:
        serving = Serving(ca, hosts, (listen, port), options.now)
    except OSError as error:
        raise KeysError(f"{listen}:{port} cannot be listened at: {error.strerror}") from error
    stopping = stop_event()
    click.echo(f"authority: https://{hosts[0]}:{serving.port}; Ctrl-C stops it", err=True)
    serving.run(stopping)


def _refuse_server(role: str) -> None:
    if role == Role.SERVER:
        raise KeysError("a server's certificate names its hosts: `tinybeam keys issue` or `tinybeam keys sign` with --host")


COMMANDS = (ca, token, sign, issue, revoke, list_issued, serve)
