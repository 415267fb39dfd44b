"""Reads the settings of a folder of releases, releases.toml: how long what is signed holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from program.settings import Settings, load, setting
from releases import roles

FILE = "releases.toml"


class Lives(Settings, frozen=True, kw_only=True):
    """Says for how many days each role's signature holds; what is offline takes people to renew."""

    root_days: Annotated[int, setting("How long root and targets hold, in days", ge=1, le=3_660)] = 365
    releases_days: Annotated[int, setting("How long the list of releases holds, in days", ge=1, le=3_660)] = 365
    rollouts_days: Annotated[int, setting("How long rollouts hold, in days, since one was changed or published", ge=1, le=3_660)] = 90
    timestamp_days: Annotated[int, setting("How long a publication holds, in days: publish more often than that", ge=1, le=366)] = 7

    def end(self, role: str, now: datetime) -> datetime:
        """Returns when what is signed now expires, in whole seconds."""
        days: Mapping[str, int] = {
            roles.ROOT: self.root_days,
            roles.TARGETS: self.root_days,
            roles.RELEASES: self.releases_days,
            roles.ROLLOUTS: self.rollouts_days,
            roles.SNAPSHOT: self.timestamp_days,
            roles.TIMESTAMP: self.timestamp_days,
        }
        return now.replace(microsecond=0) + timedelta(days=days[role])


def read(folder: Path) -> Lives:
    """Reads the file; without one the defaults hold. Raises ConfigError."""
    file = folder / FILE
    return load(Lives, file) if file.exists() else Lives()
