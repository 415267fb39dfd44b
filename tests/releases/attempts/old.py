"""Attempts to take a gateway back in time: by what was published once, with and without keys, and by what the gateway itself has lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tuf.api.metadata import Snapshot, Timestamp

from releases import roles
from releases.error import Expired
from releases.repository import Repository
from tests.releases.attempts.attempt import Attempt
from tests.releases.workshop import Workshop

BEFORE = "before"
"""Where a publisher's site of before the last publication lies, and a gateway's folder of then."""


def _old_site(shop: Workshop) -> None:
    shutil.rmtree(shop.publisher.site)
    shutil.copytree(shop.publisher.folder / BEFORE / "site", shop.publisher.site)


def _old_timestamp(shop: Workshop) -> None:
    name = "metadata/timestamp.json"
    shutil.copy(shop.publisher.folder / BEFORE / "site" / name, shop.publisher.site / name)


def _forgetful(shop: Workshop, forget: Callable[[Path], None]) -> None:
    """Offers what was published once to a gateway that has lost what it read since."""
    forget(shop.publisher.folder / "gateway" / "metadata")
    _old_site(shop)


def _restored(kept: Path) -> None:
    shutil.rmtree(kept)
    shutil.copytree(kept.parents[1] / BEFORE / "gateway" / "metadata", kept, symlinks=True)


def _torn(kept: Path) -> None:
    for file in kept.glob("*.json"):
        file.write_bytes(file.read_bytes()[:100])


def _old_snapshot(shop: Workshop) -> None:
    """Signs a newer timestamp that names the snapshot of before."""
    _sign_timestamp(shop, _before(shop))


def _old_role(shop: Workshop, role: str) -> None:
    """Signs a newer snapshot that names the version of before of a role."""
    now, before = (repository.newest(roles.SNAPSHOT).signed for repository in (shop.repository, _before(shop)))
    name = f"{role}.json"
    snapshot = Snapshot(version=now.version, expires=now.expires, meta=now.meta | {name: before.meta[name]})
    shop.sign(roles.SNAPSHOT, snapshot, [shop.repository.online_key(roles.SNAPSHOT)])
    _sign_timestamp(shop, shop.repository)


def _mixed(shop: Workshop) -> None:
    """Gives the list of releases of before under the name of the newest."""
    before, newest = _before(shop).meta_file(roles.RELEASES).version, shop.repository.meta_file(roles.RELEASES).version
    metadata = shop.publisher.site / "metadata"
    shutil.copy(metadata / f"{before}.releases.json", metadata / f"{newest}.releases.json")
    shutil.rmtree(shop.publisher.folder / "gateway" / "metadata")


def _sign_timestamp(shop: Workshop, named: Repository) -> None:
    now = shop.repository.timestamp()
    timestamp = Timestamp(version=now.version, expires=now.expires, snapshot_meta=named.meta_file(roles.SNAPSHOT))
    shop.sign(roles.TIMESTAMP, timestamp, [shop.repository.online_key(roles.TIMESTAMP)])
    shutil.copytree(shop.repository.published, shop.publisher.site, dirs_exist_ok=True)


def _before(shop: Workshop) -> Repository:
    return Repository(shop.publisher.folder / BEFORE / "releases")


_network = partial(Attempt, attacker="network", old=True)
_WHEN = (roles.SNAPSHOT, roles.TIMESTAMP)

OLD = (
    _network("old-site", "offers all that was published before the last release", _old_site),
    _network("old-timestamp", "offers the timestamp of before", _old_timestamp),
    _network(
        "old-to-a-lost-cache",
        "offers what was published once to a gateway that has lost its metadata",
        lambda s: _forgetful(s, shutil.rmtree),
    ),
    _network("old-to-a-torn-cache", "offers it to a gateway whose metadata is torn", lambda shop: _forgetful(shop, _torn)),
    _network("old-to-a-restored-card", "offers it to a gateway whose metadata is of before", lambda shop: _forgetful(shop, _restored)),
    _network("mixed", "gives the list of releases of before under the name of the newest", _mixed),
    _network("held-back", "holds back what is new: for eight days the same is offered", lambda shop: None, error=Expired, days=8),
    Attempt("old-snapshot", "names the snapshot of before, by the stolen key of the timestamp", _old_snapshot, [roles.TIMESTAMP], old=True),
    Attempt(
        "old-releases",
        "names the list of releases of before, by the stolen keys of snapshot and timestamp",
        lambda s: _old_role(s, roles.RELEASES),
        _WHEN,
        old=True,
    ),
    Attempt(
        "old-rollouts",
        "names the rollouts of before, by the stolen keys of snapshot and timestamp",
        lambda s: _old_role(s, roles.ROLLOUTS),
        _WHEN,
        old=True,
    ),
)
