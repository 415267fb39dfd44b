"""Fetches releases and tries them, and ends: `python -P -m edge.releases.child REQUEST`, the JSON of an edge.releases.request.Request.

It prints a Refreshed as JSON, or one sentence on standard error and ends with 1. A process of its own: what verifies takes memory that a
gateway has better uses for. What it leaves in the folder of a model is verified, whole, and answers its golden cases, or is refused.
"""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from edge.models.bundle import BundleError
from edge.models.bundles import bundle_of
from edge.models.process_scorer import ProcessScorer
from edge.models.scorer import ScorerFailed
from edge.releases.choice import Offer, target
from edge.releases.folder import ReleaseFolder
from edge.releases.request import Refreshed, Request
from program.files import make_folder, write_durably
from releases import counters
from releases.client import Client
from releases.error import ReleaseError
from releases.roles import FOR_MICROCONTROLLERS
from releases.rollout import Release, Rollout
from releases.source import Source


class Fetcher(Protocol):
    """Fetches the verified files of a release: what is needed of a releases.client.Client."""

    def fetch(self, release: Release, into: Path, without: Collection[str] = ()) -> None: ...


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    request = Request.unpacked(arguments[0])
    try:
        refreshed = refresh(request, datetime.now(UTC))
    except (ReleaseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(msgspec.json.encode(refreshed).decode())
    return 0


def refresh(request: Request, now: datetime) -> Refreshed:
    """Asks the source, fetches what this gateway is to run, and offers it. Raises ReleaseError and OSError."""
    first, *others = request.counters
    for file in request.counters:
        make_folder(file.parent)
    with (request.directory / "lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        return _refresh(request, first, others, now)


def _refresh(request: Request, first: Path, others: Sequence[Path], now: datetime) -> Refreshed:
    keep_newest(request.counters)
    client = Client(Source(request.source), request.directory / "metadata", request.root, first)
    rollouts = {rollout.model: rollout for rollout in client.refresh(now)}
    for other in others:
        _copy(first, other)
    faults = list[Exception]()
    for model in request.models if request.fetch else ():
        if rollout := rollouts.get(model):
            try:
                offer(client, ReleaseFolder(request.directory, model, now.timestamp), rollout, request)
            except (ReleaseError, OSError) as fault:  # other models are not to wait for this one
                faults.append(fault)
    if faults:
        raise faults[0]
    return Refreshed(expires=client.expires, models=tuple(sorted(rollouts)))


def offer(client: Fetcher, folder: ReleaseFolder, rollout: Rollout, request: Request) -> None:
    """Offers what a rollout wants here, and fetches it; what cannot be had, or fails, is made up for by what others run.

    What is withdrawn is so before anything is fetched: a source that damages what follows does not keep it running. Raises ReleaseError
    and OSError.
    """
    wanted = offer_of(rollout, request)
    if (before := folder.offer) is None or msgspec.structs.replace(before, missing=None) != wanted:
        folder.write_offer(wanted)
    fault, fault_of_shadow = (_fault_of_staging(client, folder, number) for number in (wanted.release, wanted.shadow))
    folder.write_offer(msgspec.structs.replace(wanted, missing=str(fault) if fault else None))
    _stage_instead(client, folder, wanted)
    if first := fault or fault_of_shadow:
        raise first


def offer_of(rollout: Rollout, request: Request) -> Offer:
    """Returns what a rollout says to a gateway."""
    release = rollout.release_of(request.gateway_id, request.sites)
    return Offer(
        release=release,
        shadow=rollout.shadow if rollout.shadow != release else None,
        instead=rollout.previous,
        withdrawn=rollout.withdrawn_from(request.gateway_id, request.sites),
    )


def _stage_instead(client: Fetcher, folder: ReleaseFolder, wanted: Offer) -> None:
    """Fetches what others run where nothing else may run here."""
    if wanted.release is not None and target(folder.state, wanted, folder.is_usable) is None:
        _stage_if_needed(client, folder, wanted.instead)


def _fault_of_staging(client: Fetcher, folder: ReleaseFolder, number: int | None) -> ReleaseError | None:
    """Fetches what is not here, and returns why it cannot be had. Raises OSError."""
    try:
        _stage_if_needed(client, folder, number)
    except ReleaseError as fault:
        return fault
    return None


def _stage_if_needed(client: Fetcher, folder: ReleaseFolder, number: int | None) -> None:
    if number is not None and not folder.has(number) and folder.may_try(number):
        stage(client, folder, number)


def stage(client: Fetcher, folder: ReleaseFolder, number: int) -> None:
    """Fetches a release, tries it, and gives it its place; one that fails is refused, one that is too slow waits. Raises ReleaseError and
    OSError.
    """
    staging = folder.staging(number)
    client.fetch(Release(folder.model, number), staging, without=FOR_MICROCONTROLLERS)
    try:
        ProcessScorer([bundle_of(folder.model, staging)]).close()
    except (BundleError, ScorerFailed) as fault:
        folder.set_aside(number, fault, "it failed when it was tried")
        shutil.rmtree(staging, ignore_errors=True)
        return
    folder.commit(number)


def keep_newest(files: Sequence[Path]) -> None:
    """Writes the newest of the counters that can be read to where older ones are, or none that can be read."""
    readable = {file: seen for file in files if (seen := _seen(file))}
    if not readable:
        return
    newest = max(readable, key=lambda file: [readable[file][role].version for role in ("root", "timestamp") if role in readable[file]])
    for file in files:
        if readable.get(file) != readable[newest]:
            _copy(newest, file)


def _copy(file: Path, to: Path) -> None:
    write_durably(to, [file.read_bytes()], to.with_name(f".{to.name}.part"))


def _seen(file: Path) -> dict[str, counters.Seen] | None:
    try:
        return dict(counters.read(file))
    except ReleaseError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
