"""A folder of releases with its holders and a place where it is published, for the tests: what the commands do, by their functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from releases import drafting, founding, publishing, rollouts
from releases.client import Client
from releases.repository import Repository
from releases.rollout import Release, Rollout
from releases.source import Source

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOLDERS = ("ada", "ben", "eva")
FILES: Mapping[str, bytes] = {"model.tflite": b"a model", "manifest.json": b'{"name": "soil"}'}


@dataclass
class Publisher:
    """Signs, releases and publishes into `folder/site`, where `client()` reads."""

    folder: Path
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.repository: Repository = founding.found(self.folder / "releases", HOLDERS, self.now)
        self.publish()

    @property
    def site(self) -> Path:
        return self.folder / "site"

    @property
    def root(self) -> Path:
        return self.repository.published / "metadata" / "1.root.json"

    def key(self, holder: str, key: str = "releases") -> Path:
        return founding.key_file(self.repository.folder, holder, key)

    def publish(self) -> int:
        return publishing.publish(self.repository, self.site, self.now)

    def release(self, model: str = "soil", files: Mapping[str, bytes] = FILES, by: Sequence[str] = HOLDERS[:2]) -> Release:
        """Drafts a release and has it signed."""
        release = drafting.add(self.repository, model, files, self.now)
        for holder in by:
            drafting.sign(self.repository, self.key(holder))
        return release

    def roll_out(self, release: Release, share: float = 5) -> Rollout:
        rollout = rollouts.new_rollout(self.repository, *release, share)
        return rollouts.begin(self.repository, rollout, self.now)

    def client(self, name: str = "gateway", source: str = "", root: Path | None = None) -> Client:
        """A client with a folder of its own, which it keeps under the same name."""
        kept = self.folder / name
        return Client(Source(source or str(self.site)), kept / "metadata", root or self.root, kept / "seen.json")

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now
