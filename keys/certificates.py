"""Makes certificates (RFC 5280) of P-256 keys: a root, an issuing authority under it, and leaves for those who speak to the broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keys.holder import Holder, Role

ROOT_DAYS, ISSUING_DAYS = 7300, 1825
_SKEW = timedelta(hours=1)
"""A certificate begins so much earlier than it is made: clocks in barns are not exact."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Holds an authority's certificate with its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


def new_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def root(name: str, key: EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """Returns the certificate that everybody trusts; it signs itself."""
    subject = _name(f"{name} root")
    builder = _builder(subject, subject, key.public_key(), now, timedelta(days=ROOT_DAYS))
    return _as_authority(builder, path_length=1).sign(key, SHA256())


def issuing(name: str, key: EllipticCurvePublicKey, by: Signer, now: datetime) -> x509.Certificate:
    """Returns the certificate of the authority that signs leaves."""
    builder = _builder(_name(name), by.certificate.subject, key, now, timedelta(days=ISSUING_DAYS))
    return _as_authority(_signed_by(builder, by), path_length=0).sign(by.key, SHA256())


def leaf(holder: Holder, key: EllipticCurvePublicKey, by: Signer, now: datetime, days: float) -> x509.Certificate:
    """Returns the certificate of who is no authority."""
    is_server = holder.role == Role.SERVER
    usage = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    names = [_host(host) for host in holder.hosts or [holder.name]] if is_server else [x509.UniformResourceIdentifier(holder.uri)]
    end = min(now + timedelta(days=days), by.certificate.not_valid_after_utc)
    return (
        _signed_by(_builder(_name(holder.name), by.certificate.subject, key, now, end - now), by)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(by.key, SHA256())
    )


def revocation_list(revoked: Iterable[tuple[int, datetime]], by: Signer, now: datetime) -> x509.CertificateRevocationList:
    """Returns the list of (serial, when) that the authority takes back.

    It is good as long as the authority: a broker that reads an outdated list lets nobody in at all.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.certificate.subject)
        .last_update(now - _SKEW)
        .next_update(by.certificate.not_valid_after_utc)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1e6)), critical=False)
    )
    for serial, when in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(by.key, SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePublicKey, now: datetime, life: timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed_by(builder: x509.CertificateBuilder, by: Signer) -> x509.CertificateBuilder:
    return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)


def _as_authority(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    constraint = x509.BasicConstraints(ca=True, path_length=path_length)
    return builder.add_extension(constraint, critical=True).add_extension(_key_usage(signs_certificates=True), critical=True)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
