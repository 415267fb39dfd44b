"""Says what is current by the keys that are online, and copies what is published to where gateways read it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Signed, Snapshot, Timestamp

from releases import files, roles, settings
from releases.error import ReleaseError
from releases.places import Folder, Place
from releases.repository import METADATA, TARGET_FILES, Repository, files_below, parsed

_A_MONTH = timedelta(days=30)
_TARGET_ROLES = (roles.TARGETS, roles.RELEASES, roles.ROLLOUTS)


def sign_publication(repository: Repository, now: datetime) -> None:
    """Writes a snapshot that names the newest version of each role, and the timestamp that names the snapshot. Raises ReleaseError."""
    meta = {f"{role}.json": repository.meta_file(role) for role in _TARGET_ROLES}
    snapshot = Snapshot(version=repository.version(roles.SNAPSHOT) + 1, meta=meta)
    sign_online(repository, roles.SNAPSHOT, snapshot, now)
    timestamp = Timestamp(version=repository.version(roles.TIMESTAMP) + 1, snapshot_meta=repository.meta_file(roles.SNAPSHOT))
    sign_online(repository, roles.TIMESTAMP, timestamp, now)


def sign_online(repository: Repository, role: str, signed: Signed, now: datetime) -> None:
    """Signs a version of an online role by its key and writes it. Raises ReleaseError and KeysError."""
    signed.expires = settings.read(repository.folder).end(role, now)
    metadata: Metadata[Any] = Metadata(signed)
    metadata.sign(repository.online_key(role))
    repository.add(role, metadata)


def renew_rollouts(repository: Repository, now: datetime) -> None:
    """Signs the rollouts once more when half of their life is over, or their key is another one."""
    rollouts = repository.targets(roles.ROLLOUTS)
    life = settings.read(repository.folder).end(roles.ROLLOUTS, now) - now
    signer = repository.online_key(roles.ROLLOUTS).public_key.keyid
    if rollouts.expires - now < life / 2 or signer not in repository.newest(roles.ROLLOUTS).signatures:
        rollouts.version += 1
        sign_online(repository, roles.ROLLOUTS, rollouts, now)


def publish(repository: Repository, target: Place | Path, now: datetime) -> int:
    """Signs what is current, and brings a place up to it; returns how many files were written. Raises ReleaseError.

    Files come before the metadata that names them, and the timestamp last: whoever reads meanwhile finds the old state or the new one,
    whole, and what was interrupted is done by the next publication.
    """
    place = Folder(target) if isinstance(target, Path) else target
    _require_signed(repository)
    _require_in_force(repository, now)
    _refuse_newer(repository, place)
    renew_rollouts(repository, now)
    sign_publication(repository, now)
    return sum(_copy(repository.published, name, place) for name in _order(repository.published))


def _refuse_newer(repository: Repository, place: Place) -> None:
    """Raises ReleaseError if the place was published to by another copy of the folder, which knows what this one does not.

    What is signed by a key that may no longer sign, as one that was stolen, is published over.
    """
    name, own = f"{METADATA}/{roles.TIMESTAMP}.json", repository.version(roles.TIMESTAMP)
    if (content := place.read(name)) is None:
        return
    there, delegator = parsed(content, f"{place.name}/{name}"), repository.delegator(roles.TIMESTAMP)
    signed = delegator.get_verification_result(roles.TIMESTAMP, there.signed_bytes, there.signatures)
    if signed and (published := int(there.signed.version)) > own:
        raise ReleaseError(
            f"{place.name} has publication {published}, this folder {own}: another copy of {repository.folder} was published there"
        )


def _require_signed(repository: Repository) -> None:
    """Raises ReleaseError while what is signed, or a key that is online, is not what the newest root and targets ask for."""
    for role in roles.OFFLINE:
        metadata, delegator = repository.newest(role), repository.delegator(role)
        if not delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures):
            raise ReleaseError(f"{role} is not signed as it has to be from now on: {roles.THRESHOLD} holders sign the drafts first")
    if missing := [role for role in roles.ONLINE if not _holds_key(repository, role)]:
        raise ReleaseError(
            f"{repository.online_key_file(missing[0])} is not the key that may sign: {roles.THRESHOLD} holders sign the drafts first"
        )


def _require_in_force(repository: Repository, now: datetime) -> None:
    """Raises ReleaseError if what the holders signed has ended: no gateway would take what is published."""
    for role in roles.OFFLINE:
        if (end := repository.newest(role).signed.expires) <= now:
            whose = f"`tinybeam release renew`, and {roles.THRESHOLD} holders sign"
            raise ReleaseError(f"{role} held until {end:%Y-%m-%d}, and gateways take nothing since: {whose}")


def _holds_key(repository: Repository, role: str) -> bool:
    return repository.online_key(role).public_key.keyid in repository.delegator(role).get_delegated_role(role).keyids


def soon_ended(repository: Repository, now: datetime) -> list[str]:
    """Returns the roles whose holders have to sign anew within a month."""
    return [role for role in roles.OFFLINE if repository.newest(role).signed.expires - now < _A_MONTH]


def _order(published: Path) -> list[Path]:
    """Returns the published files in the order in which they must appear."""
    last = Path(METADATA) / f"{roles.TIMESTAMP}.json"
    targets, metadata = (
        [file.relative_to(published) for file in files_below(published / name) if not file.name.startswith(".")]
        for name in (TARGET_FILES, METADATA)
    )
    return [*targets, *(file for file in metadata if file != last), last]


def _copy(published: Path, name: Path, place: Place) -> bool:
    """Says whether there was something to do."""
    content = files.read(published / name)
    if place.read(name.as_posix()) == content:
        return False
    place.write(name.as_posix(), content)
    return True
