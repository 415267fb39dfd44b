"""Names the roles of The Update Framework (https://theupdateframework.github.io/specification/latest), who signs each, and its files.

Offline, by two of three holders: `root` (who signs what), `targets` (which delegates, and names no file itself) and `releases`
(releases/MODEL/NUMBER/FILE). Online, by one key each: `rollouts` (rollouts/MODEL.json), `snapshot` and `timestamp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from program.names import NAME

ROOT, TARGETS, SNAPSHOT, TIMESTAMP = "root", "targets", "snapshot", "timestamp"
RELEASES, ROLLOUTS = "releases", "rollouts"

THRESHOLD, HOLDERS = 2, 3
OFFLINE: Mapping[str, str] = {ROOT: ROOT, TARGETS: ROOT, RELEASES: RELEASES}
"""Offline role -> which of a holder's two keys signs it."""
ONLINE = (ROLLOUTS, SNAPSHOT, TIMESTAMP)

DELEGATED: Mapping[str, str] = {RELEASES: f"{RELEASES}/*/*/*", ROLLOUTS: f"{ROLLOUTS}/*"}
"""Delegated role -> the paths that it may name."""

FOR_MICROCONTROLLERS = ("model.h", "model.cc")
"""Files of a release that no gateway needs."""
MAX_FILES = 16
"""Files of a release."""
MAX_FILE_BYTES, MAX_ROLLOUT_BYTES = 16 << 20, 64 << 10

_RELEASE_FILE = re.compile(rf"{RELEASES}/({NAME})/([1-9][0-9]{{0,8}})/({NAME})")
_ROLLOUT_FILE = re.compile(rf"{ROLLOUTS}/({NAME})\.json")


def delegator(role: str) -> str:
    """Returns the role that says who signs a role."""
    return TARGETS if role in DELEGATED else ROOT


def release_path(model: str, number: int, name: str) -> str:
    """Returns where a file of a release lies, relative to the targets."""
    return f"{RELEASES}/{model}/{number}/{name}"


def rollout_path(model: str) -> str:
    """Returns where the rollout of a model lies, relative to the targets."""
    return f"{ROLLOUTS}/{model}.json"


def release_file(path: str) -> tuple[str, int, str] | None:
    """Returns model, number and name of a file of a release; None if the path is of no such file."""
    found = _RELEASE_FILE.fullmatch(path)
    return (found[1], int(found[2]), found[3]) if found else None


def paths_of(release: tuple[str, int], paths: Iterable[str]) -> list[str]:
    """Returns the paths of the files of a release, by its model and number."""
    return [path for path in paths if (found := release_file(path)) and found[:2] == release]


def rollout_model(path: str) -> str | None:
    """Returns whose rollout lies there; None if the path is of no rollout."""
    found = _ROLLOUT_FILE.fullmatch(path)
    return found[1] if found else None
