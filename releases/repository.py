"""Holds a folder of releases: what is published, what waits for signatures, and the keys that are online.

    FOLDER/published/metadata, FOLDER/published/targets   what any server of files may serve, as it is
    FOLDER/drafts/ROLE.json, FOLDER/drafts/targets        what waits for the signatures of its holders
    FOLDER/online/ROLE.key                                keys of `rollouts`, `snapshot` and `timestamp`

A version of metadata is written once, whole, under its number, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Signed, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from releases import files, roles, signing_keys
from releases.error import ReleaseError

METADATA, TARGET_FILES = "metadata", "targets"

_SERIALIZER = JSONSerializer(compact=True)


class Repository:
    """Is opened from its folder; nothing is read before it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.published = folder / "published"
        self.drafts = folder / "drafts"
        self._metadata = self.published / METADATA

    def online_key(self, role: str) -> CryptoSigner:
        """Raises KeysError and ReleaseError."""
        return signing_keys.read(self.online_key_file(role))

    @property
    def root_file(self) -> Path:
        """Says where the root is that gateways trust at first."""
        return self._file(roles.ROOT, 1)

    def online_key_file(self, role: str) -> Path:
        return self.folder / "online" / f"{role}.key"

    def root(self) -> Root:
        return cast("Root", self.newest(roles.ROOT).signed)

    def targets(self, role: str) -> Targets:
        return cast("Targets", self.newest(role).signed)

    def timestamp(self) -> Timestamp:
        return cast("Timestamp", self.newest(roles.TIMESTAMP).signed)

    def version(self, role: str) -> int:
        """Returns the number of the newest version of a role's metadata, 0 without any. Raises ReleaseError."""
        if role == roles.TIMESTAMP:
            file = self._file(role, 0)
            return int(read_metadata(file).signed.version) if file.exists() else 0
        found = (re.fullmatch(rf"(\d+)\.{role}\.json", file.name) for file in self._metadata.glob(f"*.{role}.json"))
        return max((int(each[1]) for each in found if each), default=0)

    def newest(self, role: str) -> Metadata[Any]:
        """Reads the newest version of a role's metadata. Raises ReleaseError."""
        version = self.version(role)
        if not version:
            raise ReleaseError(f"{self.folder} holds no releases: `tinybeam release init` makes such a folder")
        return read_metadata(self._file(role, version))

    def add(self, role: str, metadata: Metadata[Any]) -> None:
        """Writes a further version. Raises ReleaseError."""
        files.write(self._file(role, metadata.signed.version), metadata.to_bytes(_SERIALIZER))

    def meta_file(self, role: str) -> MetaFile:
        """Describes the newest version of a role: its number, length and hash."""
        version = self.version(role)
        return MetaFile.from_data(version, self._file(role, version).read_bytes(), ["sha256"])

    def delegator(self, role: str) -> Root | Targets:
        """Returns what says who signs a role."""
        return cast("Root | Targets", self.newest(roles.delegator(role)).signed)

    def draft(self, role: str) -> Metadata[Any] | None:
        """Reads what waits for signatures; None if nothing does. Raises ReleaseError."""
        file = self._draft_file(role)
        return read_metadata(file) if file.exists() else None

    def write_draft(self, role: str, metadata: Metadata[Any]) -> None:
        files.write(self._draft_file(role), metadata.to_bytes(_SERIALIZER))

    def publish_draft(self, role: str, metadata: Metadata[Any]) -> None:
        """Makes a draft a version: files that it names first."""
        for target in named_files(metadata.signed).values():
            file = self.drafts / TARGET_FILES / target.path
            if file.exists():
                self.add_target(target, file.read_bytes())
        self.add(role, metadata)
        for target in named_files(metadata.signed).values():
            (self.drafts / TARGET_FILES / target.path).unlink(missing_ok=True)
        self._draft_file(role).unlink()

    def write_draft_target(self, path: str, content: bytes) -> TargetFile:
        files.write(self.drafts / TARGET_FILES / path, content)
        return TargetFile.from_data(path, content)

    def add_target(self, target: TargetFile, content: bytes) -> None:
        """Writes a file under the name that holds its hash."""
        files.write(self.published / TARGET_FILES / prefixed(target), content)

    def read_target(self, target: TargetFile) -> bytes:
        """Raises ReleaseError for a file that is missing or is not what was signed."""
        file = self.published / TARGET_FILES / prefixed(target)
        content = files.read(file)
        if sha256(content).hexdigest() != target.hashes["sha256"]:
            raise ReleaseError(f"{file} is not what was signed")
        return content

    def _draft_file(self, role: str) -> Path:
        return self.drafts / f"{role}.json"

    def _file(self, role: str, version: int) -> Path:
        return self._metadata / (f"{role}.json" if role == roles.TIMESTAMP else f"{version}.{role}.json")


def read_metadata(file: Path) -> Metadata[Any]:
    """Raises ReleaseError."""
    return parsed(files.read(file), str(file))


def parsed(content: bytes, name: str) -> Metadata[Any]:
    """Reads the content of a file of metadata. Raises ReleaseError, naming the file."""
    try:
        return Metadata.from_bytes(content)
    except RepositoryError as error:
        raise ReleaseError(f"{name} holds no metadata: {error}") from error


def named_files(signed: Signed) -> Mapping[str, TargetFile]:
    """Returns the files that metadata names: path -> hash and length."""
    return signed.targets if isinstance(signed, Targets) else {}


def prefixed(target: TargetFile) -> str:
    """Returns the path under which a file lies: its hash is before its name."""
    return target.get_prefixed_paths()[0]


def files_below(folder: Path) -> Iterator[Path]:
    """Yields the files in a folder and those below it, in order."""
    return (file for file in sorted(folder.rglob("*")) if file.is_file())
