"""Advances a rollout by how its release does beside what ran before: it goes on to more gateways, waits, or is halted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from releases import health, rollouts
from releases.error import ReleaseError
from releases.health import Health
from releases.judgement import gone_on, judge
from releases.repository import Repository
from releases.rollout import Decision, Release, Rollout
from releases.thresholds import checked
from schemas.records import ReleaseDecision

_BEFORE = timedelta(days=14)


def running(repository: Repository, model: str) -> Rollout:
    """Returns the rollout of a release that is not halted: of another nothing is asked. Raises ReleaseError."""
    rollout = rollouts.existing(repository, model)
    if rollout.halted:
        raise ReleaseError(f"release {rollout.release} of {model} is halted: `tinybeam release roll-out` begins another")
    return rollout


def asked_from(repository: Repository, rollout: Rollout, now: datetime) -> datetime:
    """Returns from when on health is to be asked for: since the rollout began, however few devices its canary has, and from some days
    before, when its gateways still ran the control. Raises ConfigError.
    """
    limits = checked(rollout.thresholds, repository.folder)
    begun = max((one.time for one in rollout.decisions if one.action == "roll-out"), default=now)
    if limits.next_share(rollout.share) == rollout.share:
        begun = now
    return max(begun, now - timedelta(days=limits.longest_days) * len(limits.steps)) - _BEFORE


def advance(  # noqa: PLR0913 - by what, when, and whether it holds
    repository: Repository, model: str, rows: Sequence[Health], now: datetime, *, anyway: str | None = None, dry_run: bool = False
) -> ReleaseDecision:
    """Decides by rows of release_health, and keeps in the rollout what was decided and why, but for that it waits; with `dry_run` it
    keeps nothing. `anyway` is why a person lets it go on though it waits.

    The rollout is the one that holds now: a person may have halted it since the rows were asked for. Raises ReleaseError, and ConfigError
    for the rollout's thresholds.
    """
    rollout = running(repository, model)
    found = health.of(rows, Release(model, rollout.release))
    limits = checked(rollout.thresholds, repository.folder)
    decision = judge(rollout, found, limits, now)
    if anyway is not None:
        decision = gone_on(decision, limits, anyway)
    if decision.action != "wait" and not dry_run:
        rollouts.decide(repository, model, decision)
    return _row(rollout, found, decision)


def _row(rollout: Rollout, found: Health | None, decision: Decision) -> ReleaseDecision:
    return ReleaseDecision(
        decided_time=decision.time,
        model=rollout.model,
        release=rollout.release,
        control=found.control if found else None,
        action=decision.action,
        share=decision.share,
        reasons=decision.reasons,
        figures=msgspec.json.encode(found).decode() if found else None,
    )
