"""An authority signs for one holder what that holder may be, remembers it, and takes it back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keys import authority, identity, pem
from keys.chain import is_signed
from keys.error import KeysError
from tests.keys.farms import Authority, Farm, Holder, Role, now


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def test_an_authority_is_for_its_owner_alone_and_never_overwritten(farm: Farm) -> None:
    folder = farm.folder / "authority"
    assert mode(folder) == 0o700
    assert {file.name: mode(file) for file in folder.iterdir()} == {
        "root.key": 0o600,
        "ca.pem": 0o644,
        "issuing.pem": 0o600,
        "issued.db": 0o600,
        "crl.pem": 0o644,
    }
    before = (folder / "issuing.pem").read_bytes()
    with pytest.raises(KeysError, match="is there already, and is not overwritten"):
        authority.create(folder, "another", now())
    assert (folder / "issuing.pem").read_bytes() == before


def test_nothing_but_the_issuing_key_is_needed_to_sign(farm: Farm) -> None:
    (farm.folder / "authority" / "root.key").unlink()
    assert Authority(farm.folder / "authority").issue(Holder("gateway-1", Role.GATEWAY), now()).name == "gateway-1"


@pytest.mark.parametrize(
    ("role", "usage", "name"),
    [
        (Role.GATEWAY, ExtendedKeyUsageOID.CLIENT_AUTH, "urn:tinybeam:gateway:it"),
        (Role.SENSOR, ExtendedKeyUsageOID.CLIENT_AUTH, "urn:tinybeam:sensor:it"),
        (Role.SERVER, ExtendedKeyUsageOID.SERVER_AUTH, "it"),
    ],
)
def test_a_leaf_is_good_for_its_role_and_nothing_else(farm: Farm, role: Role, usage: x509.ObjectIdentifier, name: str) -> None:
    issued = farm.authority.issue(Holder("it", role), now())
    extensions = issued.certificate.extensions
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [usage]
    assert [each.value for each in extensions.get_extension_for_class(x509.SubjectAlternativeName).value] == [name]
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert isinstance(issued.key.curve, SECP256R1)
    assert pem.common_name(issued.certificate) == "it"
    trusted = pem.chain(farm.trusted.read_bytes(), farm.trusted)
    assert (is_signed(issued.chain, trusted), is_signed(issued.chain[:1], trusted)) == (True, False)


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "../x", "a b", "x" * 65, "%u", "a\nb"])
def test_a_name_that_would_be_unsafe_in_a_topic_or_a_file_is_refused(name: str) -> None:
    with pytest.raises(KeysError, match="is no name"):
        Holder(name, Role.SENSOR)


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), generate_private_key(SECP384R1())], ids=["rsa", "p384"])
def test_another_kind_of_key_is_not_signed(farm: Farm, key: rsa.RSAPrivateKey) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway-1")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    with pytest.raises(KeysError, match="another kind than P-256"):
        farm.authority.sign(request, Holder("gateway-1", Role.GATEWAY), now())


def test_a_request_gets_the_name_it_is_signed_for_and_no_extension_that_it_asks_for(farm: Farm) -> None:
    key = generate_private_key(SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway-1")]))
    greedy = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, SHA256())
    leaf, _ = farm.authority.sign(greedy, Holder("gateway-1", Role.GATEWAY), now())
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    with pytest.raises(KeysError, match="the request is for 'gateway-1', not for 'gateway-2'"):
        farm.authority.sign(greedy, Holder("gateway-2", Role.GATEWAY), now())


def test_a_sensor_does_not_become_the_gateway_of_its_name(farm: Farm) -> None:
    farm.identity("soil-1", Role.SENSOR)
    with pytest.raises(KeysError, match="'soil-1' is a sensor already, and no gateway"):
        farm.authority.issue(Holder("soil-1", Role.GATEWAY), now())
    with pytest.raises(KeysError, match="is a sensor already"):
        farm.authority.promise(Holder("soil-1", Role.GATEWAY), now(), timedelta(hours=1))


def test_a_token_is_good_once_until_its_end_and_is_not_in_the_file(farm: Farm) -> None:
    holder = Holder("gateway-1", Role.GATEWAY)
    request = identity.request("gateway-1", generate_private_key(SECP256R1()))
    token = farm.authority.promise(holder, now(), timedelta(hours=1), days=30)
    assert token.encode() not in (farm.folder / "authority" / "issued.db").read_bytes()
    leaf, _ = farm.authority.enroll(token, request, now())
    assert timedelta(days=30) <= leaf.not_valid_after_utc - leaf.not_valid_before_utc < timedelta(days=31)
    late = farm.authority.promise(holder, now(), timedelta(hours=1))
    for refused, when in ((token, now()), ("guess", now()), (late, now() + timedelta(hours=2))):
        with pytest.raises(KeysError, match="the token is unknown, used or outdated") as error:
            farm.authority.enroll(refused, request, when)
        assert refused not in str(error.value)


def test_what_is_revoked_is_listed_until_it_has_expired_and_is_not_renewed(farm: Farm) -> None:
    file = farm.identity("gateway-1")
    own = identity.read(file)
    serial, request = own.certificate.serial_number, identity.request("gateway-1", own.key)
    assert farm.authority.renew(serial, request, now())[0].serial_number != serial
    assert farm.authority.revoke("gateway-1", now()) == 2
    listed = x509.load_pem_x509_crl(farm.authority.revoked_file.read_bytes())
    assert listed.get_revoked_certificate_by_serial_number(serial) is not None
    assert listed.is_signature_valid(identity.read(farm.folder / "authority" / "issuing.pem").key.public_key())
    with pytest.raises(KeysError, match="it is revoked"):
        farm.authority.renew(serial, request, now())
    with pytest.raises(KeysError, match="it is unknown"):
        farm.authority.renew(serial + 1, request, now())
    with pytest.raises(KeysError, match="has no certificate that is good now"):
        farm.authority.revoke("gateway-1", now())
    farm.authority.write_revoked(now() + timedelta(days=62))
    assert len(x509.load_pem_x509_crl(farm.authority.revoked_file.read_bytes())) == 0


def test_a_new_issuing_key_signs_from_then_on_and_what_the_old_one_signed_stays_good_and_can_be_taken_back(farm: Farm) -> None:
    folder, running = farm.folder / "authority", Authority(farm.folder / "authority")
    old = identity.read(farm.identity("gateway-1"))
    root_key = (folder / "root.key").rename(farm.folder / "carried away.key")
    authority.replace(folder, root_key, now())
    trusted = pem.chain(farm.trusted.read_bytes(), farm.trusted)
    chain = running.renew(old.certificate.serial_number, identity.request("gateway-1", old.key), now())
    assert chain[1] != old.chain[1], "who runs takes the new one"
    assert is_signed(chain, trusted)
    assert is_signed(old.chain, trusted)
    running.revoke("gateway-1", now())
    lists = revocation_lists(running)
    for serial, issuer in ((old.certificate.serial_number, old.chain[1]), (chain[0].serial_number, chain[1])):
        [of_issuer] = [each for each in lists if each.issuer == issuer.subject]
        assert of_issuer.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        assert of_issuer.get_revoked_certificate_by_serial_number(serial)


def test_an_issuing_key_of_before_is_kept_as_long_as_what_it_signed_is_good(farm: Farm) -> None:
    folder = farm.folder / "authority"
    farm.identity("gateway-1")
    authority.replace(folder, folder / "root.key", now() + timedelta(hours=2))
    farm.authority.write_revoked(now() + timedelta(days=60))
    assert len(revocation_lists(farm.authority)) == 2
    farm.authority.write_revoked(now() + timedelta(days=62))
    assert len(revocation_lists(farm.authority)) == 1
    assert sorted(file.name for file in folder.glob("issuing*")) == ["issuing.pem"]


def test_another_root_does_not_sign_the_issuing_key(farm: Farm, tmp_path: Path) -> None:
    other = Farm(tmp_path / "other").folder / "authority" / "root.key"
    before = (farm.folder / "authority" / "issuing.pem").read_bytes()
    with pytest.raises(KeysError, match=r"is not the key of .*ca\.pem"):
        authority.replace(farm.folder / "authority", other, now())
    assert (farm.folder / "authority" / "issuing.pem").read_bytes() == before


def revocation_lists(opened: Authority) -> list[x509.CertificateRevocationList]:
    parts = opened.revoked_file.read_bytes().split(b"-----BEGIN X509 CRL-----")[1:]
    return [x509.load_pem_x509_crl(b"-----BEGIN X509 CRL-----" + part) for part in parts]
