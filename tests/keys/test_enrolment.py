"""A holder's file is whole and good at any time, whatever comes instead of its certificate and wherever a renewal is torn."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from keys import certificates, enrolment, identity, private_files
from keys.error import KeysError
from keys.status import State, standing
from tests.keys.farms import Farm, Holder, Role, now


def loads(file: Path) -> bool:
    """Whether OpenSSL takes the file as a certificate and its key."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(str(file))
    return True


def test_a_certificate_comes_by_file_and_the_key_never_leaves(farm: Farm) -> None:
    file = farm.folder / "gateway" / "gateway-1.pem"
    request = enrolment.ask(file, "gateway-1", new_key=True)
    assert (file.parent.stat().st_mode & 0o777, enrolment.waiting_key(file).stat().st_mode & 0o777) == (0o700, 0o600)
    taken = enrolment.take(file, farm.authority.sign(request, Holder("gateway-1", Role.GATEWAY), now()), farm.trusted, now())
    assert (taken.name, file.stat().st_mode & 0o777, loads(file)) == ("gateway-1", 0o600, True)
    assert [each.name for each in file.parent.iterdir()] == ["gateway-1.pem"]


def test_a_renewal_keeps_the_key_that_the_registry_knows_unless_a_new_one_is_asked_for(farm: Farm) -> None:
    file = farm.identity("gateway-1")
    first = identity.read(file)
    farm.renew(file)
    second = identity.read(file)
    assert (second.key.public_key() == first.key.public_key(), second.certificate == first.certificate) == (True, False)
    farm.renew(file, new_key=True)
    assert identity.read(file).key.public_key() != first.key.public_key()


def test_a_request_that_was_lost_on_the_way_is_made_again_with_the_same_key(farm: Farm) -> None:
    file = farm.folder / "gateway-1.pem"
    assert enrolment.ask(file, "gateway-1", new_key=True).public_key() == enrolment.ask(file, "gateway-1", new_key=True).public_key()


@pytest.mark.parametrize("fault", ["another key", "another authority", "expired", "not yet", "another name"])
def test_what_does_not_fit_changes_nothing(farm: Farm, tmp_path: Path, fault: str) -> None:
    file = farm.identity("gateway-1")
    before = file.read_bytes()
    holder, request = Holder("gateway-1", Role.GATEWAY), enrolment.ask(file, "gateway-1", new_key=False)
    sentence, when = "", now()
    if fault == "another key":
        chain, sentence = farm.authority.issue(holder, when).chain, "fits neither the key in"
    elif fault == "another authority":
        chain, sentence = Farm(tmp_path / "other").authority.sign(request, holder, when), "is not signed by the authority"
    elif fault == "another name":
        key = identity.read(file).key
        chain = farm.authority.sign(identity.request("gateway-2", key), Holder("gateway-2", Role.GATEWAY), when)
        sentence = "is that of gateway-2, and .* is that of gateway-1"
    else:
        shift = timedelta(days=61) if fault == "expired" else timedelta(days=-2)
        chain, sentence = farm.authority.sign(request, holder, when), "UTC, not now"
        when += shift
    with pytest.raises(KeysError, match=sentence):
        enrolment.take(file, chain, farm.trusted, when)
    assert file.read_bytes() == before


class Crash(Exception):
    """The power goes."""


@pytest.mark.parametrize("step", range(3))
def test_a_renewal_that_is_torn_at_any_write_leaves_a_good_pair_and_can_be_taken_up(
    farm: Farm, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps: before the new key is written, before the new pair is, and before the waiting key is removed."""
    file = farm.identity("gateway-1")
    written, write = list[Path](), private_files.write

    def failing(target: Path, content: bytes, mode: int = 0o600) -> None:
        if len(written) == step:
            raise Crash
        written.append(target)
        write(target, content, mode)
        if len(written) == step == 2:
            raise Crash

    monkeypatch.setattr(private_files, "write", failing)
    with pytest.raises(Crash):
        farm_renewal(farm, file)
    assert loads(file)
    monkeypatch.setattr(private_files, "write", write)
    farm_renewal(farm, file)
    assert (loads(file), enrolment.waiting_key(file).exists()) == (True, False)


def farm_renewal(farm: Farm, file: Path) -> None:
    request = enrolment.ask(file, "gateway-1", new_key=True)
    chain = farm.authority.sign(request, Holder("gateway-1", Role.GATEWAY), now())
    enrolment.take(file, chain, farm.trusted, now())


def test_a_file_whose_key_is_not_that_of_its_certificate_is_no_identity(farm: Farm) -> None:
    file = farm.identity("gateway-1")
    identity.Identity(certificates.new_key(), identity.read(file).chain).write(file)
    with pytest.raises(KeysError, match="is not that of the certificate in it"):
        identity.read(file)


def test_a_standing_says_when_to_renew_and_what_is_over(farm: Farm) -> None:
    file = farm.identity("gateway-1")
    states = [standing(file, now() + timedelta(days=days)).state for days in (0, 38, 47, 61)]
    assert states == [State.GOOD, State.GOOD, State.DUE, State.EXPIRED]
    first, last = (identity.read(file).renewal_time(jitter) - now() for jitter in (0.0, 1.0))
    assert (round(first.total_seconds() / 86400), round(last.total_seconds() / 86400)) == (40, 46)
    file.chmod(0o644)
    assert (standing(file, now()).state, "chmod 600" in standing(file, now()).sentence) == (State.UNUSABLE, True)
    assert standing(farm.folder / "absent.pem", now()).state == State.UNUSABLE
