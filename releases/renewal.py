"""Drafts root, targets and releases anew: before they expire, and with other keys once one was lost or stolen.

All three are drafted together, for each has to be signed as the one above it asks from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tuf.api.metadata import Metadata, Root, Targets

from releases import drafting, founding, roles, signing_keys
from releases.error import ReleaseError
from releases.repository import Repository

Drafts = Mapping[str, Metadata[Any]]
"""Offline role -> its next version."""


def renew(repository: Repository, now: datetime, *, holder: str = "", online: bool = False) -> None:
    """Drafts the next versions. With `holder`, that holder gets new keys in the place of the old ones, which count no more; with `online`,
    the keys that are online are made anew. Raises ReleaseError and KeysError.
    """
    drafts = {role: drafting.editable(repository, role, now) for role in roles.OFFLINE}
    if holder:
        _replace_holder(repository, drafts, holder)
    if online:
        _replace_online(repository, drafts)
    for role, metadata in drafts.items():
        repository.write_draft(role, metadata)


def _replace_holder(repository: Repository, drafts: Drafts, holder: str) -> None:
    for kind in (roles.ROOT, roles.RELEASES):
        delegator = drafts[roles.delegator(kind)].signed
        old = [keyid for keyid, key in _keys(delegator).items() if key.unrecognized_fields.get(founding.HOLDER) == holder]
        if not old:
            raise ReleaseError(f"{holder!r} holds no keys of {repository.folder}")
        signer = signing_keys.create(founding.key_file(repository.folder, holder, kind))
        named = [role for role, by in roles.OFFLINE.items() if by == kind]
        _replace(delegator, named, old, founding.named(signer, holder).public_key)


def _replace_online(repository: Repository, drafts: Drafts) -> None:
    for role in roles.ONLINE:
        delegator = drafts[roles.delegator(role)].signed
        repository.online_key_file(role).unlink()
        signer = signing_keys.create(repository.online_key_file(role))
        _replace(delegator, [role], list(delegator.get_delegated_role(role).keyids), signer.public_key)


def _replace(delegator: Root | Targets, named: Iterable[str], old: Iterable[str], new: Any) -> None:
    for role in named:
        for keyid in set(old) & set(delegator.get_delegated_role(role).keyids):
            delegator.revoke_key(keyid, role)
        delegator.add_key(new, role)


def _keys(delegator: Root | Targets) -> dict[str, Any]:
    if isinstance(delegator, Root):
        return dict(delegator.keys)
    assert delegator.delegations
    return dict(delegator.delegations.keys)
