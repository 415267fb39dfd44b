"""Signs certificates with the issuing key of a farm, remembers each, and keeps the list of those that were taken back.

The folder of an authority holds `ca.pem` (the root's certificate, for everybody), `issuing.pem` (key and certificate that sign leaves),
`issued.db`, `crl.pem` (for the broker) and, until it is carried away, `root.key`. An issuing key that was replaced is kept as
`issuing-....pem` as long as certificates that it signed are good, so that they can be taken back.
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
_REPLACED = "issuing-{}.pem"
_LISTED_AFTER_END = timedelta(days=1)
"""A revoked certificate stays in the list for so long after its end, whatever the broker's clock shows."""


def create(folder: Path, name: str, now: datetime) -> Authority:
    """Makes an authority: a root that signs once, and the issuing key under it. Raises KeysError, also if there is one."""
    private_files.make_folder(folder)
    private_files.refuse_existing(*(folder / each for each in (ROOT_KEY, ROOT, ISSUING, ISSUED, REVOKED)))
    root_key, issuing_key = certificates.new_key(), certificates.new_key()
    root = certificates.root(name, root_key, now)
    issuing = certificates.issuing(f"{name} issuing", issuing_key.public_key(), Signer(root, root_key), now)
    private_files.write(folder / ROOT_KEY, pem.of_key(root_key))
    private_files.write(folder / ROOT, pem.of_chain([root]), private_files.PUBLIC_MODE)
    Identity(issuing_key, [issuing]).write(folder / ISSUING)
    IssuedCertificates(folder / ISSUED).create()
    authority = Authority(folder)
    authority.write_revoked(now)
    return authority


def replace(folder: Path, root_key_file: Path, now: datetime) -> x509.Certificate:
    """Puts a new issuing key in the place of the present one, and returns its certificate. Raises KeysError.

    What was signed before stays good, and is renewed by the new one: everybody trusts the root, and a certificate brings its issuing one.
    """
    root = pem.chain(private_files.read(folder / ROOT), folder / ROOT)[0]
    root_key = pem.key(private_files.read(root_key_file), root_key_file)
    if root_key.public_key() != root.public_key():
        raise KeysError(f"{root_key_file} is not the key of {folder / ROOT}")
    present, key = identity.read(folder / ISSUING), certificates.new_key()
    name = f"{pem.common_name(root).removesuffix(' root')} issuing {secrets.token_hex(2)}"
    issuing = certificates.issuing(name, key.public_key(), Signer(root, root_key), now)
    present.write(folder / _REPLACED.format(f"{present.certificate.serial_number:x}"))
    Identity(key, [issuing]).write(folder / ISSUING)
    Authority(folder).write_revoked(now)
    return issuing


class Authority:
    """Is opened from its folder. Raises KeysError for a folder that holds none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._signer()
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
        key, signer = pem.public_key(request, self._folder), self._signer()
        certificate = certificates.leaf(holder, key, signer, now, days)
        one = Issued(
            serial=certificate.serial_number,
            holder=holder,
            days=days,
            start=certificate.not_valid_before_utc,
            end=certificate.not_valid_after_utc,
        )
        self.issued.add(one)
        return [certificate, signer.certificate]

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
        """Writes what was taken back and is not long expired: a list by each issuing key, as a broker looks for them."""
        issued, signer = self.issued.all(), self._signer()
        taken_back = [(one.serial, one.revoked) for one in issued if one.revoked and now < one.end + _LISTED_AFTER_END]
        before = [one for one in issued if one.start < signer.certificate.not_valid_before_utc]
        signers = [signer, *self._replaced(max((one.end for one in before), default=now), now)]
        content = b"".join(pem.of_revocation_list(certificates.revocation_list(taken_back, each, now)) for each in signers)
        private_files.write(self.revoked_file, content, private_files.PUBLIC_MODE)

    def _signer(self) -> Signer:
        """Reads what signs now: it may have been replaced while a server runs."""
        return _signer_in(self._folder / ISSUING)

    def _replaced(self, last_end: datetime, now: datetime) -> list[Signer]:
        """Returns the issuing keys of before, of whose certificates the last ends then; they are deleted once none is good any more."""
        files = sorted(self._folder.glob(_REPLACED.format("*")))
        if now >= last_end + _LISTED_AFTER_END:
            for file in files:
                file.unlink()
            return []
        return [_signer_in(file) for file in files]

    def _refuse_other_role(self, holder: Holder) -> None:
        """A sensor must not become the gateway of its name, nor a server a client."""
        roles = {one.holder.role for one in self.issued.of(holder.name)}
        if roles - {holder.role}:
            raise KeysError(f"{holder.name!r} is a {Role(roles.pop())} already, and no {holder.role}: give it another name")


def _signer_in(file: Path) -> Signer:
    """Raises KeysError."""
    found = identity.read(file)
    return Signer(found.certificate, found.key)
