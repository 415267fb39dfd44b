"""Says which release of a model a gateway runs: a pure choice, alike wherever it is made.

    rollout.release_of("gateway-1", ["mill"])

A gateway's place among all is a hash of the rollout's salt and its name. So the choice is the same each time, and whoever runs a release
runs it still when the share grows; another rollout has another salt, and begins with others. As many run it as its share says: on average,
or where the rollout has `reaches` at most (releases.fleet).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, NamedTuple

import msgspec

from program.names import Name
from releases.error import Untrusted

Number = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]

EVERYONE = 100.0
MAX_DECISIONS = 20
MAX_WITHDRAWN = 100
_PLACES = 2**48


class Release(NamedTuple):
    """Names a release: releases of a model have numbers that rise."""

    model: str
    number: int


class Group(msgspec.Struct, frozen=True):
    """Holds gateways, by their names or by the sites that they serve."""

    gateways: tuple[Name, ...] = ()
    sites: tuple[Name, ...] = ()

    def holds(self, gateway_id: str, sites: Collection[str]) -> bool:
        return gateway_id in self.gateways or not set(self.sites).isdisjoint(sites)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Is one step of a rollout: what was done, what share runs the release since, and why."""

    time: datetime
    action: str
    """roll-out, advance, wait, halt or roll-back."""
    share: float
    reasons: tuple[str, ...] = ()


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Says that below a place lie no more than a share of the gateways that were known when the rollout began."""

    share: Annotated[float, msgspec.Meta(ge=0, le=100)]
    place: Annotated[float, msgspec.Meta(ge=0, le=100)]


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """Is the content of rollouts/MODEL.json. What a later version adds is not looked at."""

    model: Name
    release: Number
    previous: Number | None = None
    """What runs where `release` does not; None: what the gateway's own settings name."""
    share: Annotated[float, msgspec.Meta(ge=0, le=100)]
    """Per cent of the gateways."""
    salt: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    halted: bool = False
    """Nobody runs the release, whoever is pinned."""
    pinned: Group = Group()
    """Run the release whatever the share is."""
    excluded: Group = Group()
    """Do not run it, even if pinned."""
    shadow: Number | None = None
    """A release that scores beside the one that runs."""
    withdrawn: tuple[Number, ...] = ()
    """Releases that were halted, or rolled back from: no gateway goes on with one, whatever it missed since."""
    reaches: tuple[Reach, ...] = ()
    """By rising share; none: the fleet was not known."""
    thresholds: dict[str, Any] = {}
    """Those of releases/thresholds.py that are not the defaults; a gateway does not look at them."""
    decisions: tuple[Decision, ...] = ()
    """The last ones, oldest first."""

    def release_of(self, gateway_id: str, sites: Collection[str] = ()) -> int | None:
        """Returns the number of the release that a gateway runs; None: what its own settings name."""
        return self.release if self.chooses(gateway_id, sites) else self.previous

    def chooses(self, gateway_id: str, sites: Collection[str] = ()) -> bool:
        """Says whether a gateway is among those that run the release. `sites` are those that it serves, if it knows them."""
        if self.halted or self.excluded.holds(gateway_id, sites):
            return False
        return self.pinned.holds(gateway_id, sites) or place(self.salt, gateway_id) < self.reach

    def withdrawn_from(self, gateway_id: str, sites: Collection[str] = ()) -> tuple[int, ...]:
        """Returns the releases that a gateway must not go on with, even if what it is to run cannot be had."""
        return tuple(sorted({*self.withdrawn, self.release} - {self.release_of(gateway_id, sites)}))

    @property
    def reach(self) -> float:
        """Returns the place below which gateways run the release: that of the largest share that is known and asked for."""
        if not self.reaches:
            return self.share
        return max((each.place for each in self.reaches if each.share <= self.share), default=0.0)

    def after(self, decision: Decision) -> Rollout:
        """Returns the rollout as a decision leaves it."""
        decisions = (*self.decisions, decision)[-MAX_DECISIONS:]
        return msgspec.structs.replace(self, share=decision.share, halted=decision.action == "halt", decisions=decisions)


def place(salt: str, gateway_id: str) -> float:
    """Returns where a gateway stands among all, from 0 to less than 100."""
    digest = sha256(f"{salt}:{gateway_id}".encode()).digest()
    return int.from_bytes(digest[:6]) * EVERYONE / _PLACES


def encode(rollout: Rollout) -> bytes:
    """Returns the content of the file."""
    return msgspec.json.format(msgspec.json.encode(rollout), indent=1) + b"\n"


def decode(content: bytes, model: str) -> Rollout:
    """Reads the content of the file. Raises Untrusted for what is no rollout of this model."""
    try:
        rollout = msgspec.json.decode(content, type=Rollout)
    except (ValueError, RecursionError) as error:
        raise Untrusted(f"the rollout of {model} cannot be read: {error}") from error
    if rollout.model != model:
        raise Untrusted(f"the rollout of {model} is one of {rollout.model}")
    return rollout
