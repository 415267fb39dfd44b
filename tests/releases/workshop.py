"""What an attacker makes of what is published, by stolen keys or the attacker's own; and what gateways make of that."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Signed, TargetFile

from releases import publishing, roles, rollouts, signing_keys
from releases.client import Client
from releases.error import ReleaseError
from releases.repository import Repository
from releases.rollout import Release, Rollout
from tests.releases.publisher import Publisher

BAD: Mapping[str, bytes] = {"model.tflite": b"mallory", "manifest.json": b'{"name": "soil", "by": "mallory"}'}
Runs = Mapping[str, tuple[int, Mapping[str, bytes]]]
"""Model -> the number of the release that a gateway would run, and its files."""


class Workshop:
    """Begins with all that is published. Of the keys that are online it has those of the roles `stolen`, and others for the rest."""

    def __init__(self, publisher: Publisher, folder: Path, stolen: Collection[str]) -> None:
        self.publisher = publisher
        self.repository = Repository(folder)
        shutil.copytree(publisher.repository.published, self.repository.published)
        for role in roles.ONLINE:
            file = self.repository.online_key_file(role)
            if role in stolen:
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(publisher.repository.online_key_file(role), file)
            else:
                signing_keys.create(file)

    def key(self, holder: str, key: str = "releases") -> CryptoSigner:
        """A key that was stolen from a holder."""
        return signing_keys.read(self.publisher.key(holder, key))

    def online_keys(self) -> list[CryptoSigner]:
        return [self.repository.online_key(role) for role in roles.ONLINE]

    def sign(self, role: str, signed: Signed, keys: Iterable[CryptoSigner]) -> Metadata[Any]:
        """Writes the next version of a role, signed by whatever keys there are."""
        signed.version += 1
        metadata: Metadata[Any] = Metadata(signed)
        for key in keys:
            metadata.sign(key, append=True)
        self.repository.add(role, metadata)
        return metadata

    def name_bad_files(self, signed: Any, number: int = 3) -> None:
        """Lets metadata name files of a release that nobody has signed."""
        for name, content in BAD.items():
            target = TargetFile.from_data(roles.release_path("soil", number, name), content)
            self.repository.add_target(target, content)
            signed.targets[target.path] = target

    def roll_out(self, number: int = 3) -> None:
        """Points all gateways to a release, whether it is one or not."""
        rollout = Rollout(model="soil", release=number, share=100, salt="mallory's salt")
        rollouts._write(self.repository, rollout, self.publisher.now)

    def publish(self) -> None:
        """Says that all this is current, and puts it in the place of what was published."""
        publishing.sign_publication(self.repository, self.publisher.now)
        shutil.copytree(self.repository.published, self.publisher.site, dirs_exist_ok=True)


def runs(client: Client, now: datetime, staged: Path) -> Runs | ReleaseError:
    """What a gateway that is in every rollout would run, or why it takes nothing."""
    try:
        found = {}
        for rollout in client.refresh(now):
            number = rollout.release_of("gateway-1") or 0
            shutil.rmtree(staged, ignore_errors=True)
            client.fetch(Release(rollout.model, number), staged)
            found[rollout.model] = (number, {file.name: file.read_bytes() for file in staged.iterdir()})
    except ReleaseError as error:
        return error
    return found


def trusting(site: Path) -> Runs:
    """What a client would run that checks no signature, version, hash, length or time: the control of the attacks."""
    timestamp = _signed(site, roles.TIMESTAMP)
    snapshot = _signed(site, f"{timestamp['meta']['snapshot.json']['version']}.snapshot")
    named: dict[str, Any] = {}
    for role in (roles.TARGETS, roles.RELEASES, roles.ROLLOUTS):
        named |= _signed(site, f"{snapshot['meta'][f'{role}.json']['version']}.{role}")["targets"]
    models = filter(None, map(roles.rollout_model, named))
    rolled = {model: json.loads(_file(site, named, roles.rollout_path(model))) for model in models}
    return {model: (one["release"], _files(site, named, Release(model, one["release"]))) for model, one in rolled.items()}


def _signed(site: Path, name: str) -> Any:
    return json.loads((site / "metadata" / f"{name}.json").read_bytes())["signed"]


def _file(site: Path, named: Mapping[str, Any], path: str) -> bytes:
    folder, _, name = path.rpartition("/")
    return (site / "targets" / folder / f"{named[path]['hashes']['sha256']}.{name}").read_bytes()


def _files(site: Path, named: Mapping[str, Any], release: Release) -> dict[str, bytes]:
    return {found[2]: _file(site, named, path) for path in named if (found := roles.release_file(path)) and found[:2] == release}
