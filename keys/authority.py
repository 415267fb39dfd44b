"""Signs certificates with the issuing key of a farm, remembers each, and keeps the list of those that were taken back.

The folder of an authority holds `ca.pem` (the root's certificate, for everybody), `issuing.pem` (key and certificate that sign leaves),
`issued.db`, `crl.pem` (for the broker) and, until it is carried away, `root.key`.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from keys import certificates, identity, pem, private_files
from keys.certificates import Signer
from keys.error import KeysError
from keys.holder import Holder, Role
from keys.identity import Identity
from keys.issued import Issued, IssuedCertificates

ROOT_KEY, ROOT, ISSUING, ISSUED, REVOKED = "root.key", "ca.pem", "issuing.pem", "issued.db", "crl.pem"
DAYS = 60
_LISTED_AFTER_END = timedelta(days=1)
"""A revoked certificate stays in the list for so long after its end, whatever the broker's clock shows."""


def create(folder: Path, name: str, now: datetime) -> Authority:
    """Makes an authority: a root that signs once, and the issuing key under it. Raises KeysError, also if there is one."""
    private_files.make_folder(folder)
    private_files.refuse_existing(*(folder / each for each in (ROOT_KEY, ROOT, ISSUING, ISSUED, REVOKED)))
    root_key, issuing_key = certificates.new_key(), certificates.new_key()
    root = certificates.root(name, root_key, now)
    issuing = certificates.issuing(name, issuing_key.public_key(), Signer(root, root_key), now)
    private_files.write(folder / ROOT_KEY, pem.of_key(root_key))
    private_files.write(folder / ROOT, pem.of_chain([root]), private_files.PUBLIC_MODE)
    Identity(issuing_key, [issuing]).write(folder / ISSUING)
    IssuedCertificates(folder / ISSUED).create()
    authority = Authority(folder)
    authority.write_revoked(now)
    return authority


class Authority:
    """Is opened from its folder. Raises KeysError for a folder that holds none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        signer = identity.read(folder / ISSUING)
        self._signer = Signer(signer.certificate, signer.key)
        self.issued = IssuedCertificates(folder / ISSUED)

    @property
    def revoked_file(self) -> Path:
        return self._folder / REVOKED

    def sign(self, request: x509.CertificateSigningRequest, holder: Holder, now: datetime, days: float = DAYS) -> list[x509.Certificate]:
        """Returns the holder's certificate for the key of the request, and the issuing one. Raises KeysError.

        What else the request asks for is not looked at, but its name must be the holder's.
        """
        if (asked := pem.common_name(request)) != holder.name:
            raise KeysError(f"the request is for {asked!r}, not for {holder.name!r}")
        self._refuse_other_role(holder)
        key = pem.public_key(request, self._folder)
        certificate = certificates.leaf(holder, key, self._signer, now, days)
        one = Issued(
            serial=certificate.serial_number,
            holder=holder,
            days=days,
            start=certificate.not_valid_before_utc,
            end=certificate.not_valid_after_utc,
        )
        self.issued.add(one)
        return [certificate, self._signer.certificate]

    def issue(self, holder: Holder, now: datetime, days: float = DAYS) -> Identity:
        """Returns a key with its certificate, for who cannot make a key. Raises KeysError."""
        key = certificates.new_key()
        return Identity(key, self.sign(identity.request(holder.name, key), holder, now, days))

    def keep(self, file: Path, server: Holder, now: datetime) -> tuple[Identity, bool]:
        """Issues a server's identity into a file if there is none for its hosts, or it is to be renewed. Returns what is in the file then,
        and whether that is new. Raises KeysError.
        """
        if file.exists():
            own = identity.read(file)
            last = self.issued.find(own.certificate.serial_number)
            if last and list(last.holder.hosts) == list(server.hosts) and now < own.renewal_time(0.0):
                return own, False
        own = self.issue(server, now)
        own.write(file)
        return own, True

    def promise(self, holder: Holder, now: datetime, life: timedelta, days: float = DAYS) -> str:
        """Returns a token by which the holder gets one certificate, once, until its end."""
        self._refuse_other_role(holder)
        token = secrets.token_urlsafe(24)
        self.issued.promise(token, holder, days, now + life)
        return token

    def enroll(self, token: str, request: x509.CertificateSigningRequest, now: datetime) -> list[x509.Certificate]:
        """Signs a request for who shows a token; the token is used up, whatever comes of it. Raises KeysError."""
        holder, days = self.issued.redeem(token, now)
        return self.sign(request, holder, now, days)

    def renew(self, serial: int, request: x509.CertificateSigningRequest, now: datetime) -> list[x509.Certificate]:
        """Signs a request for who has shown the certificate of that serial, under its name and role. Raises KeysError."""
        last = self.issued.find(serial)
        if last is None or last.state(now) != "valid":
            raise KeysError(f"the certificate {serial:x} is not renewed: it is {last.state(now) if last else 'unknown'}")
        return self.sign(request, last.holder, now, last.days)

    def revoke(self, name: str, now: datetime) -> int:
        """Takes back all certificates of a name, and writes the list. Returns how many. Raises KeysError if there are none."""
        count = self.issued.revoke(name, now)
        if not count:
            raise KeysError(f"{name!r} has no certificate that is good now")
        self.write_revoked(now)
        return count

    def write_revoked(self, now: datetime) -> None:
        """Writes the list of what was taken back and is not long expired."""
        taken_back = [(one.serial, one.revoked) for one in self.issued.all() if one.revoked and now < one.end + _LISTED_AFTER_END]
        content = pem.of_revocation_list(certificates.revocation_list(taken_back, self._signer, now))
        private_files.write(self.revoked_file, content, private_files.PUBLIC_MODE)

    def _refuse_other_role(self, holder: Holder) -> None:
        """A sensor must not become the gateway of its name, nor a server a client."""
        roles = {one.holder.role for one in self.issued.of(holder.name)}
        if roles - {holder.role}:
            raise KeysError(f"{holder.name!r} is a {Role(roles.pop())} already, and no {holder.role}: give it another name")
