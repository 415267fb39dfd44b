"""Prepares what the holders sign, takes their signatures one by one, and publishes what enough of them have signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Root, Targets, VerificationResult

from releases import roles, settings, signing_keys
from releases.error import ReleaseError
from releases.repository import Repository, named_files, read_metadata
from releases.rollout import Release

_LATEST = "x-tinybeam-latest"
"""A field of the list of releases: model -> the highest number that was given, so that none is given twice."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Is a version of a role that waits: how many have signed it, of how many, and the paths that it adds or takes away."""

    role: str
    version: int
    signatures: int
    threshold: int
    adds: tuple[str, ...]
    removes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return self.signatures >= self.threshold


def add(repository: Repository, model: str, files: Mapping[str, bytes], now: datetime) -> Release:
    """Drafts a release of a model under the next number. Signatures that were given to an earlier draft are void. Raises ReleaseError."""
    metadata = editable(repository, roles.RELEASES, now)
    release = Release(model, latest(metadata, model) + 1)
    for name, content in files.items():
        path = roles.release_path(*release, name)
        metadata.signed.targets[path] = repository.write_draft_target(path, content)
    metadata.signed.unrecognized_fields.setdefault(_LATEST, {})[model] = release.number
    repository.write_draft(roles.RELEASES, metadata)
    return release


def withdraw(repository: Repository, release: Release, now: datetime) -> None:
    """Drafts a list without a release, which then no gateway can fetch. Raises ReleaseError if there is none."""
    metadata = editable(repository, roles.RELEASES, now)
    paths = roles.paths_of(release, metadata.signed.targets)
    if not paths:
        raise ReleaseError(f"there is no release {release.number} of {release.model}")
    for path in paths:
        del metadata.signed.targets[path]
    repository.write_draft(roles.RELEASES, metadata)


def sign(repository: Repository, key_file: Path) -> list[Draft]:
    """Signs all drafts that a holder's key may sign, and makes those that are complete then versions. Raises ReleaseError and KeysError."""
    key = signing_keys.read(key_file)
    signed = []
    for role in roles.OFFLINE:
        metadata = repository.draft(role)
        if metadata is None or key.public_key.keyid not in _signers(repository, role, metadata):
            continue
        metadata.sign(key, append=True)
        repository.write_draft(role, metadata)
        signed.append(_described(repository, role, metadata))
    if not signed:
        waiting = ", ".join(f"{draft.role} {draft.version}" for draft in drafts(repository))
        raise ReleaseError(f"nothing waits for a signature by {key_file}" + (f": {waiting} waits for other keys" if waiting else ""))
    _settle(repository)
    return signed


def take_signatures(repository: Repository, copy: Path) -> list[Draft]:
    """Takes what was signed in a copy of the folder: a draft there, or the version that it became. Raises ReleaseError."""
    theirs = read_metadata(copy)
    for role in roles.OFFLINE:
        metadata = repository.draft(role)
        if metadata is None or metadata.signed_bytes != theirs.signed_bytes:
            continue
        before = _signed_by(repository, role, metadata)
        metadata.signatures.update(theirs.signatures)
        if _signed_by(repository, role, metadata) <= before:
            raise ReleaseError(f"{copy} adds no signature to {role} {metadata.signed.version} that counts")
        repository.write_draft(role, metadata)
        signed = [_described(repository, role, metadata)]
        _settle(repository)
        return signed
    raise ReleaseError(f"{copy} is not what waits for signatures here: it was drafted anew since, or is complete")


def _settle(repository: Repository) -> None:
    """Makes complete drafts versions, but none before that of what is above it."""
    for role in roles.OFFLINE:
        metadata = repository.draft(role)
        if metadata and _above(repository, role) is None and _described(repository, role, metadata).complete:
            repository.publish_draft(role, metadata)


def drafts(repository: Repository) -> list[Draft]:
    """Returns what waits for signatures. Raises ReleaseError."""
    return [_described(repository, role, metadata) for role in roles.OFFLINE if (metadata := repository.draft(role)) is not None]


def numbers(metadata: Metadata[Any], model: str) -> set[int]:
    """Returns the numbers of a model's releases."""
    found = (roles.release_file(path) for path in named_files(metadata.signed))
    return {each[1] for each in found if each and each[0] == model}


def latest(metadata: Metadata[Any], model: str) -> int:
    """Returns the highest number that a model ever had, which is not given again; 0 without any."""
    ever: dict[str, int] = metadata.signed.unrecognized_fields.get(_LATEST, {})
    return max(ever.get(model, 0), *numbers(metadata, model), 0)


def editable(repository: Repository, role: str, now: datetime) -> Metadata[Any]:
    """Returns the draft of the next version without its signatures; the newest version is its beginning."""
    metadata = repository.draft(role) or repository.newest(role)
    metadata.signatures.clear()
    metadata.signed.version = repository.version(role) + 1
    metadata.signed.expires = settings.read(repository.folder).end(role, now)
    return metadata


def _described(repository: Repository, role: str, metadata: Metadata[Any]) -> Draft:
    results = _verified(repository, role, metadata)
    before, after = (named_files(each.signed).keys() for each in (repository.newest(role), metadata))
    return Draft(
        role=role,
        version=metadata.signed.version,
        signatures=min(len(each.signed) for each in results),
        threshold=roles.THRESHOLD,
        adds=tuple(sorted(after - before)),
        removes=tuple(sorted(before - after)),
    )


def _verified(repository: Repository, role: str, metadata: Metadata[Any]) -> list[VerificationResult]:
    return [
        each.get_verification_result(role, metadata.signed_bytes, metadata.signatures) for each in _delegators(repository, role, metadata)
    ]


def _signed_by(repository: Repository, role: str, metadata: Metadata[Any]) -> set[str]:
    """Returns the identifiers of the keys whose signatures count for whoever asks for some."""
    return {keyid for each in _verified(repository, role, metadata) for keyid in each.signed}


def _signers(repository: Repository, role: str, metadata: Metadata[Any]) -> set[str]:
    """Returns the identifiers of the keys that may sign a draft."""
    return {keyid for each in _delegators(repository, role, metadata) for keyid in each.get_delegated_role(role).keyids}


def _delegators(repository: Repository, role: str, metadata: Metadata[Any]) -> list[Root | Targets]:
    """Returns what says who signs a draft: what is above it, of which there may be a draft too; a root also by itself, and by the last."""
    if role == roles.ROOT:
        return [repository.root(), metadata.signed]
    above = _above(repository, role)
    return [above.signed] if above else [repository.delegator(role)]


def _above(repository: Repository, role: str) -> Metadata[Any] | None:
    """Returns the draft of what says who signs a role, if there is one."""
    if role == roles.ROOT:
        return None
    return repository.draft(roles.delegator(role))
