"""Releases models as people do with `tinybeam release`: two holders sign, a folder is published, a rollout is advanced by its health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from google.cloud import bigquery

from keys import private_files
from releases import advancing, bundle_files, drafting, fleet, founding, health, publishing, rollouts, settings
from releases.repository import Repository
from releases.rollout import Rollout
from releases.thresholds import checked
from releases.warehouse import QUESTION
from schemas.records import ReleaseDecision
from sql.insertion import insert
from sql.present import as_json
from sql.questions import ask
from sql.scripts import script

MODEL = "soil"
_HOLDERS = ("ada", "ben", "eva")
_SIGNING = _HOLDERS[:2]
_LIVES = "root_days = 1095\nreleases_days = 1095\nrollouts_days = 1095\ntimestamp_days = 200\n"
"""Nobody publishes while a stretch of days is lived, though a timer would, every day."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Has a folder of releases, and publishes it: `Publisher.founded(directory, now)`. Raises ReleaseError."""

    repository: Repository
    published: Path

    @classmethod
    def founded(cls, directory: Path, now: datetime) -> Publisher:
        folder = directory / "releases"
        private_files.make_folder(folder)
        (folder / settings.FILE).write_text(_LIVES)
        return cls(founding.found(folder, _HOLDERS, now), directory / "published")

    def release(self, bundle: Path, now: datetime) -> int:
        """Returns the number under which two holders have signed a bundle."""
        model, files = bundle_files.read(bundle)
        release = drafting.add(self.repository, model, files, now)
        for holder in _SIGNING:
            drafting.sign(self.repository, founding.key_file(self.repository.folder, holder, "releases"))
        return release.number

    def roll_out(self, number: int, share: float, limits: Mapping[str, object], gateways: list[str], now: datetime) -> list[str]:
        """Lets so many of the gateways run a release, in %, at least one, and publishes that. Returns who they are."""
        known, steps = dict.fromkeys(gateways, ()), checked(limits, self.repository.folder).steps
        rollout = rollouts.new_rollout(self.repository, MODEL, number, share, thresholds=dict(limits))
        begun = rollouts.begin(self.repository, fleet.with_reaches(rollout, known, steps), now)
        self.publish(now)
        return fleet.running(begun, known)

    def advance(self, client: bigquery.Client, from_time: datetime, now: datetime) -> ReleaseDecision:
        """Decides by what the warehouse says of the release since, publishes that, and tells the warehouse."""
        times = {"from_time": from_time.isoformat(), "to_time": now.isoformat()}
        rows = as_json([dict(row) for row in ask(client, script("queries", QUESTION), times, now)])
        decision = advancing.advance(self.repository, MODEL, health.read(rows, QUESTION), now)
        self.publish(now)
        insert(client, [decision])
        return decision

    def publish(self, now: datetime) -> None:
        publishing.publish(self.repository, self.published, now)

    @property
    def rollout(self) -> Rollout:
        return rollouts.existing(self.repository, MODEL)


def damage(published: Path, number: int) -> Path:
    """Flips a bit of a release's model where it is published."""
    [file] = (published / "targets" / "releases" / MODEL / str(number)).glob("*.model.tflite")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return file
