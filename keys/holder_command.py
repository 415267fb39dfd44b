"""The commands of who holds a certificate: get it, renew it, say how it stands."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from cryptography import x509

from keys import enrolment, identity, options, pem, private_files
from keys.client import Client
from keys.error import KeysError
from keys.identity import Identity
from keys.status import State, standing

_new_key = click.option("--new_key", is_flag=True, help="Ask for a new key; the registry must know it before batches are signed by it.")


@click.command()
@options.identity_file
@click.option("--name", required=True, help="The identifier: gateway.id of a gateway, the device's of a sensor.")
@click.option("--token", envvar="TINYBEAM_TOKEN", default="", help="The one-time token.  [default: $TINYBEAM_TOKEN]")
@options.server
@options.authority_file
@options.errors_explained
def enroll(identity: Path, name: str, token: str, server: str, authority: Path) -> None:
    """Make a key in IDENTITY and get its certificate, by a one-time token; without --server by file.

    \b
    Examples:
      TINYBEAM_TOKEN=... tinybeam keys enroll gateway-1.pem --name gateway-1 --server https://10.0.0.2:8443 --authority ca.pem
      tinybeam keys enroll gateway-1.pem --name gateway-1 --authority ca.pem
    """
    private_files.refuse_existing(identity)
    request = enrolment.ask(identity, name, new_key=True)
    if server:
        _take(identity, Client(server, authority).enroll(token, request), authority)
    else:
        _write_request(identity, request, authority)


@click.command()
@options.identity_file
@options.server
@options.authority_file
@_new_key
@options.errors_explained
def renew(identity: Path, server: str, authority: Path, new_key: bool) -> None:
    """Renew the certificate in IDENTITY, by showing it to the authority's server; without --server by file.

    \b
    Examples:
      tinybeam keys renew gateway-1.pem --server https://10.0.0.2:8443 --authority ca.pem
      tinybeam keys renew gateway-1.pem --authority ca.pem
    """
    request = _renewal(identity, new_key=new_key)
    if server:
        _take(identity, Client(server, authority).renew(identity, request), authority)
    else:
        _write_request(identity, request, authority)


@click.command()
@options.identity_file
@click.argument("certificate", type=click.Path(path_type=Path))
@options.authority_file
@options.errors_explained
def accept(identity: Path, certificate: Path, authority: Path) -> None:
    """Put a CERTIFICATE that came by file into IDENTITY, if it fits the key and the authority.

    \b
    Example:
      tinybeam keys accept gateway-1.pem gateway-1.crt --authority ca.pem
    """
    _take(identity, pem.chain(private_files.read(certificate), certificate), authority)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IDENTITY...")
@options.as_json
def status(files: Sequence[Path], as_json: bool) -> None:
    """Say until when each IDENTITY is good. Ends with 0 if all are, 1 if one is to be renewed, 2 if one is expired or unusable.

    \b
    Example:
      tinybeam keys status gateway-1.pem broker.pem
    """
    found = [standing(file, options.now()) for file in files]
    if as_json:
        click.echo(json.dumps([one.as_dict() for one in found], indent=2))
    else:
        for one in found:
            click.echo(f"{one.state:<9} {one.sentence}")
    sys.exit(max(_STATUS[one.state] for one in found))


_STATUS = {State.GOOD: 0, State.DUE: 1, State.EXPIRED: 2, State.UNUSABLE: 2}


def _renewal(file: Path, *, new_key: bool) -> x509.CertificateSigningRequest:
    return enrolment.ask(file, identity.read(file).name, new_key=new_key)


def _take(file: Path, chain: Sequence[x509.Certificate], authority: Path) -> None:
    if not chain:
        raise KeysError("there is no certificate in the answer")
    taken: Identity = enrolment.take(file, chain, authority, options.now())
    click.echo(f"{file}: key and certificate of {taken.name}, until {taken.end:%Y-%m-%d}")


def _write_request(file: Path, request: x509.CertificateSigningRequest, authority: Path) -> None:
    name, written = pem.common_name(request), file.with_suffix(".csr")
    private_files.write(written, pem.of_request(request), private_files.PUBLIC_MODE)
    click.echo(f"{written} is to be carried to the authority: tinybeam keys sign {written.name} --ca FOLDER --role ROLE --out {name}.crt")
    click.echo(f"What comes back is put in by: tinybeam keys accept {file} {name}.crt --authority {authority}")


COMMANDS = (enroll, renew, accept, status)
