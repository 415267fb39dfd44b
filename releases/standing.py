"""Says how a folder of releases stands: what is released, what runs where, what waits, and when what was signed ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from releases import drafting, roles, rollouts
from releases.drafting import Draft
from releases.repository import Repository
from releases.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Standing:
    """`releases` are model -> its numbers; `ends` are role -> when what its holders have signed expires."""

    releases: Mapping[str, Sequence[int]]
    rollouts: Sequence[Rollout]
    drafts: Sequence[Draft]
    ends: Mapping[str, datetime]

    def as_dict(self) -> dict[str, Any]:
        return {
            "releases": {model: list(numbers) for model, numbers in self.releases.items()},
            "rollouts": msgspec.to_builtins(list(self.rollouts)),
            "drafts": msgspec.to_builtins(list(self.drafts)),
            "ends": {role: end.isoformat() for role, end in self.ends.items()},
        }

    def lines(self, now: datetime) -> list[str]:
        released = [f"{model}: releases {', '.join(map(str, numbers))}" for model, numbers in self.releases.items()]
        waiting = [f"{one.role} {one.version} waits: signed by {one.signatures} of {one.threshold} who must" for one in self.drafts]
        ends = [f"{role:<10} {'holds until' if now < end else 'EXPIRED'} {end:%Y-%m-%d %H:%M} UTC" for role, end in self.ends.items()]
        return [*(released or ["nothing is released yet"]), *map(rollout_line, self.rollouts), *waiting, *ends]


def of(repository: Repository) -> Standing:
    """Raises ReleaseError."""
    metadata = repository.newest(roles.RELEASES)
    models = sorted({found[0] for path in metadata.signed.targets if (found := roles.release_file(path))})
    return Standing(
        releases={model: sorted(drafting.numbers(metadata, model)) for model in models},
        rollouts=rollouts.every(repository),
        drafts=drafting.drafts(repository),
        ends={role: repository.newest(role).signed.expires for role in (*roles.OFFLINE, *roles.ONLINE)},
    )


def rollout_line(rollout: Rollout) -> str:
    """Says in one line who runs what."""
    others = f"release {rollout.previous}" if rollout.previous else "their own bundle"
    if rollout.halted:
        reasons = "; ".join(rollout.decisions[-1].reasons)
        return f"{rollout.model}: release {rollout.release} is halted{f' ({reasons})' if reasons else ''}; all run {others}"
    shadow = f"; release {rollout.shadow} scores beside it" if rollout.shadow else ""
    rest = "" if rollout.share >= 100 else f", the others {others}"
    return f"{rollout.model}: release {rollout.release} on {rollout.share:g} % of the gateways{rest}{shadow}"
