"""The authority's server signs for a token and for a certificate that is shown, and for nobody else; nobody holds it up."""

from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from keys import enrolment, identity, pem
from keys.client import Client
from keys.error import KeysError
from keys.messages import RENEW, Asked
from program.bounded_server import CONNECTIONS
from tests.attack import Attack
from tests.keys.farms import Farm, Holder, Role, now, served

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def client(farm: Farm) -> Iterator[Client]:
    with served(farm.folder / "authority", farm.trusted) as client:
        yield client


def test_a_token_gets_a_certificate_once(farm: Farm, client: Client, attack: Attack) -> None:
    file, token = farm.folder / "gateway-1.pem", farm.authority.promise(Holder("gateway-1", Role.GATEWAY), now(), timedelta(hours=1))
    request = enrolment.ask(file, "gateway-1", new_key=True)
    assert enrolment.take(file, client.enroll(token, request), farm.trusted, now()).name == "gateway-1"
    for guess in (token, "", "guess", token[:-1]):
        with pytest.raises(KeysError, match="refuses: the token is unknown, used or outdated"):
            client.enroll(guess, request)
    attack(
        "token-again",
        attacker="network",
        attempt="asks for a certificate by a token that was used, or a guess of one",
        outcome="refused: a token is good once",
        attempts=4,
        accepted=len([one for one in farm.authority.issued.all() if one.holder.name == "gateway-1"]) - 1,
        control="the first use gets its certificate; where used tokens are not looked at, the second does too",
    )


def test_a_certificate_is_renewed_by_who_shows_it_under_its_own_name(farm: Farm, client: Client) -> None:
    file = farm.identity("gateway-1")
    enrolment.take(file, client.renew(file, enrolment.ask(file, "gateway-1", new_key=True)), farm.trusted, now())
    other = identity.request("gateway-2", identity.read(file).key)
    with pytest.raises(KeysError, match="the request is for 'gateway-2', not for 'gateway-1'"):
        client.renew(file, other)


def test_nobody_renews_without_a_certificate_or_with_a_revoked_expired_or_foreign_one(
    farm: Farm, client: Client, tmp_path: Path, attack: Attack
) -> None:
    request = identity.request("gateway-1", identity.read(farm.identity("gateway-1")).key)
    with pytest.raises(KeysError, match="to renew a certificate is to show it"):
        client._post(RENEW, Asked(pem.of_request(request).decode()), client._context())
    revoked = farm.identity("gateway-1")
    farm.authority.revoke("gateway-1", now())
    with pytest.raises(KeysError, match="it is revoked"):
        client.renew(revoked, request)
    expired = farm.identity("gateway-1", at=now() - timedelta(days=90))
    stranger = Farm(tmp_path / "other").identity("gateway-1")
    server_own = farm.identity("host", Role.SERVER)
    before = len(farm.authority.issued.all())
    for refused in (expired, stranger, server_own):
        with pytest.raises(KeysError, match="cannot be asked"):
            client.renew(refused, request)
    attack(
        "renewal-stolen",
        attacker="gateway",
        attempt="renews without a certificate, or by one that is revoked, expired, another authority's or a server's",
        outcome="refused by TLS, or by the authority's memory of what it revoked",
        attempts=5,
        accepted=len(farm.authority.issued.all()) - before,
        control="a certificate that is good is renewed; where revocation is not looked at, a revoked one is too",
    )


def test_a_false_server_is_not_asked(farm: Farm, tmp_path: Path) -> None:
    other = Farm(tmp_path / "other")
    with served(other.folder / "authority", other.trusted) as theirs:
        wary = Client(theirs.server, farm.trusted)
        with pytest.raises(KeysError, match="CERTIFICATE_VERIFY_FAILED"):
            wary.enroll("token", identity.request("gateway-1", identity.read(farm.identity("gateway-1")).key))
    with pytest.raises(KeysError, match="is not like https://HOST:PORT"):
        Client("http://localhost:1", farm.trusted)


def test_the_list_of_revoked_certificates_is_for_everybody(farm: Farm, client: Client) -> None:
    farm.identity("gateway-1")
    farm.authority.revoke("gateway-1", now())
    context = ssl.create_default_context(cafile=str(farm.trusted))
    with urllib.request.urlopen(f"{client.server}/v1/revoked", context=context, timeout=10) as answer:
        assert answer.read() == farm.authority.revoked_file.read_bytes()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{client.server}/elsewhere", context=context, timeout=10)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"request": "none"}', b"\x00" * 100, b"{" * 10_000])
def test_what_is_no_message_is_refused_in_a_sentence(farm: Farm, client: Client, body: bytes) -> None:
    context = ssl.create_default_context(cafile=str(farm.trusted))
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{client.server}/v1/enroll", body, timeout=10, context=context)
    assert error.value.code == 403
    assert b'{"error":"' in error.value.read()


def test_a_message_beyond_the_bound_is_not_read(farm: Farm, client: Client) -> None:
    context = ssl.create_default_context(cafile=str(farm.trusted))
    with pytest.raises((urllib.error.HTTPError, OSError)):
        urllib.request.urlopen(f"{client.server}/v1/enroll", b"x" * 100_000, timeout=10, context=context)


def test_connections_that_say_nothing_are_bounded(client: Client) -> None:
    address = client._address
    silent = [socket.create_connection(address, timeout=10) for _ in range(CONNECTIONS)]
    extra = socket.create_connection(address, timeout=10)
    assert extra.recv(1) == b"", "one connection more than the bound is closed at once"
    for each in (*silent, extra):
        each.close()
