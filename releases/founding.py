"""Makes a folder of releases: three holders with two keys each, three keys that are online, and the first version of each role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations, Key, Metadata, Role, Root, Signed, Targets

from keys import private_files
from releases import publishing, roles, settings, signing_keys
from releases.error import ReleaseError
from releases.repository import Repository

HOLDERS = "holders"
HOLDER = "x-tinybeam-holder"
"""A field of a public key: who holds the private one."""

Keys = Mapping[str, Sequence[CryptoSigner]]


def found(folder: Path, holders: Sequence[str], now: datetime) -> Repository:
    """Makes the folder; the holders' keys lie in FOLDER/holders/NAME, to be carried away. Raises ReleaseError and KeysError."""
    if len(set(holders)) != roles.HOLDERS:
        raise ReleaseError(f"name {roles.HOLDERS} holders, each once: any {roles.THRESHOLD} of them can sign")
    private_files.make_folder(folder)
    repository = Repository(folder)
    if repository.version(roles.ROOT):
        raise ReleaseError(f"{folder} holds releases already: name another folder")
    keys = _keys(repository, holders)
    lives = settings.read(folder)
    for role, signed in _first_versions(keys).items():
        signed.expires = lives.end(role, now)
        metadata: Metadata[Any] = Metadata(signed)
        for signer in keys[role]:
            metadata.sign(signer, append=True)
        repository.add(role, metadata)
    publishing.sign_publication(repository, now)
    return repository


def key_file(folder: Path, holder: str, key: str) -> Path:
    """Returns where a holder's key lies when it was made."""
    return folder / HOLDERS / holder / f"{key}.key"


def named(signer: CryptoSigner, holder: str) -> CryptoSigner:
    """Writes into the public key who holds the private one."""
    signer.public_key.unrecognized_fields[HOLDER] = holder
    return signer


def _keys(repository: Repository, holders: Sequence[str]) -> Keys:
    """Makes all keys: role -> who signs it."""
    kinds = sorted(set(roles.OFFLINE.values()))
    held = {kind: [named(signing_keys.create(key_file(repository.folder, holder, kind)), holder) for holder in holders] for kind in kinds}
    online = {role: [signing_keys.create(repository.online_key_file(role))] for role in roles.ONLINE}
    return {role: held[kind] for role, kind in roles.OFFLINE.items()} | online


def _first_versions(keys: Keys) -> Mapping[str, Signed]:
    return {
        roles.ROOT: _root(keys),
        roles.TARGETS: Targets(delegations=_delegations(keys)),
        roles.RELEASES: Targets(),
        roles.ROLLOUTS: Targets(),
    }


def _root(keys: Keys) -> Root:
    direct = [role for role in keys if roles.delegator(role) == roles.ROOT]
    by_role = {role: Role(_ids(keys, role), _threshold(role)) for role in direct}
    return Root(keys=_public(keys, direct), roles=by_role, consistent_snapshot=True)


def _delegations(keys: Keys) -> Delegations:
    delegated = {
        role: DelegatedRole(role, _ids(keys, role), _threshold(role), terminating=True, paths=[paths])
        for role, paths in roles.DELEGATED.items()
    }
    return Delegations(_public(keys, delegated), delegated)


def _public(keys: Keys, of: Iterable[str]) -> dict[str, Key]:
    """Returns the public keys of some roles, by their identifiers."""
    return {signer.public_key.keyid: signer.public_key for role in of for signer in keys[role]}


def _ids(keys: Keys, role: str) -> list[str]:
    return [signer.public_key.keyid for signer in keys[role]]


def _threshold(role: str) -> int:
    return roles.THRESHOLD if role in roles.OFFLINE else 1
