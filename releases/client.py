"""Reads releases from where they are published, and trusts what the holders of the keys have signed alone.

    client = Client(Source("https://models.mill.example"), folder, root, counters)
    rollouts = client.refresh(now)
    client.fetch(Release("soil", 3), into)

The workflow is that of python-tuf. What it keeps in `folder` may be lost, torn or restored at any time: `counters` has the last word.
For a process of its own: what it imports takes memory that a gateway has better uses for.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from tuf.api import exceptions
from tuf.api.metadata import Root, TargetFile, Targets
from tuf.ngclient import Updater, UpdaterConfig

from program.files import sync_folder
from releases import counters, roles
from releases.counters import Seen
from releases.error import Expired, ReleaseError, Unreachable, Untrusted
from releases.rollout import Release, Rollout, decode
from releases.source import Source

_MOST_ROLLOUTS = 64
_BOUNDS = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=4,
    root_max_length=64 << 10,
    timestamp_max_length=16 << 10,
    snapshot_max_length=64 << 10,
    targets_max_length=4 << 20,
)


class Client:
    """Is made for one refresh, and what is fetched after it. Raises ReleaseError, also when it is made.

    `root` is the file that says whom to trust at first; it comes with the gateway, never from the source.
    """

    def __init__(self, source: Source, folder: Path, root: Path, counter_file: Path) -> None:
        self._source, self._folder, self._counter_file = source.name, folder, counter_file
        with _explained(source.name):
            folder.mkdir(parents=True, exist_ok=True)
            self._updater = Updater(
                str(folder),
                f"{source.base}/metadata/",
                target_base_url=f"{source.base}/targets/",
                fetcher=source,
                config=_BOUNDS,
                bootstrap=_root(root),
            )
        self._trusted = self._updater._trusted_set  # noqa: SLF001 - python-tuf 7 hands out targets alone, neither versions nor time

    def refresh(self, now: datetime) -> list[Rollout]:
        """Returns the rollouts that are in force. Raises Unreachable, Untrusted or Expired. `now` decides what has expired."""
        self._trusted.reference_time = now.astimezone(UTC)
        with _explained(self._source):
            self._updater.refresh()
            for path in (roles.rollout_path("any"), roles.release_path("any", 1, "any")):
                self._updater.get_targetinfo(path)
            counters.advance(self._counter_file, self._versions())
            return [self._rollout(model) for model in self._models()]

    def fetch(self, release: Release, into: Path, without: Collection[str] = ()) -> None:
        """Writes the files of a release into a folder, but for those of these names, each with the length and the hash that were signed.

        Raises ReleaseError.
        """
        with _explained(self._source):
            into.mkdir(parents=True, exist_ok=True)
            for name, target in self._files(release):
                if name in without:
                    continue
                self._updater.download_target(target, str(into / name))
            _sync(into)

    @property
    def expires(self) -> datetime:
        """Returns until when what was refreshed holds, unless it is published anew."""
        return self._trusted.timestamp.expires

    def _versions(self) -> dict[str, Seen]:
        return {role: Seen(self._trusted[role].version, self._keyids(role)) for role in (*roles.OFFLINE, *roles.ONLINE)}

    def _keyids(self, role: str) -> tuple[str, ...]:
        delegator = cast("Root | Targets", self._trusted[roles.delegator(role)])
        return tuple(sorted(delegator.get_delegated_role(role).keyids))

    def _models(self) -> list[str]:
        models = sorted(filter(None, map(roles.rollout_model, cast("Targets", self._trusted[roles.ROLLOUTS]).targets)))
        if len(models) > _MOST_ROLLOUTS:
            raise Untrusted(f"{self._source} names {len(models)} rollouts; {_MOST_ROLLOUTS} are read at most")
        return models

    def _rollout(self, model: str) -> Rollout:
        target = self._updater.get_targetinfo(roles.rollout_path(model))
        if target is None or target.length > roles.MAX_ROLLOUT_BYTES:
            raise Untrusted(f"the rollout of {model} is larger than {roles.MAX_ROLLOUT_BYTES} bytes, or is named by nobody who may")
        file = self._updater.download_target(target, str(self._folder / "rollouts" / f"{model}.json"))
        return decode(Path(file).read_bytes(), model)

    def _files(self, release: Release) -> Iterator[tuple[str, TargetFile]]:
        """Yields name, and length and hash, of each file of a release. Raises Untrusted."""
        paths = roles.paths_of(release, cast("Targets", self._trusted[roles.RELEASES]).targets)
        if not 0 < len(paths) <= roles.MAX_FILES:
            raise Untrusted(f"release {release.number} of {release.model} has {len(paths)} files that the holders of the keys have signed")
        for path in paths:
            target = self._updater.get_targetinfo(path)
            if target is None or target.length > roles.MAX_FILE_BYTES:
                raise Untrusted(f"{path} is larger than {roles.MAX_FILE_BYTES} bytes, or is named by nobody who may")
            yield path.rpartition("/")[2], target


def _root(file: Path) -> bytes:
    """Raises ReleaseError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{file}, which says whom to trust, cannot be read: {error.strerror}") from error


def _sync(folder: Path) -> None:
    """Makes what was fetched durable: the library leaves it to the system when."""
    for file in folder.iterdir():
        with file.open("rb") as content:
            os.fsync(content.fileno())
    sync_folder(folder)


@contextmanager
def _explained(source: str) -> Iterator[None]:
    """Raises what the library raises as an error of ours, in one sentence."""
    try:
        yield
    except exceptions.ExpiredMetadataError as error:
        raise Expired(
            f"{source} is out of date: {error}; somebody has to publish, or holds newer releases back, or the clock here is wrong"
        ) from error
    except exceptions.DownloadLengthMismatchError as error:
        raise Untrusted(f"{source} is not trusted: {error}") from error
    except exceptions.DownloadError as error:
        raise Unreachable(f"{source} does not answer as it should: {error}") from error
    except (exceptions.RepositoryError, ValueError) as error:
        raise Untrusted(f"{source} is not trusted: {error}") from error
    except OSError as error:
        raise ReleaseError(f"what {source} gave cannot be kept: {error}") from error
