"""Changes rollouts by the key that is online: who runs which release. It holds from the next publication on."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from tuf.api.metadata import TargetFile

from releases import drafting, publishing, roles
from releases.error import ReleaseError
from releases.repository import Repository
from releases.rollout import MAX_WITHDRAWN, Decision, Rollout, decode, encode


def current(repository: Repository, model: str) -> Rollout | None:
    """Returns the rollout of a model; None without one. Raises ReleaseError."""
    target = repository.targets(roles.ROLLOUTS).targets.get(roles.rollout_path(model))
    return decode(repository.read_target(target), model) if target else None


def every(repository: Repository) -> list[Rollout]:
    """Returns the rollouts of all models. Raises ReleaseError."""
    models = filter(None, map(roles.rollout_model, repository.targets(roles.ROLLOUTS).targets))
    return [rollout for model in models if (rollout := current(repository, model))]


def existing(repository: Repository, model: str) -> Rollout:
    """Raises ReleaseError where there is none."""
    rollout = current(repository, model)
    if rollout is None:
        raise ReleaseError(f"there is no rollout of {model}: `tinybeam release roll-out` begins one")
    return rollout


def begin(repository: Repository, rollout: Rollout, now: datetime) -> Rollout:
    """Begins a rollout, or begins it anew. Raises ReleaseError if a release that it names is not published."""
    for number in filter(None, (rollout.release, rollout.previous, rollout.shadow)):
        _require_released(repository, rollout.model, number)
    begun = rollout.after(Decision(time=now, action="roll-out", share=rollout.share))
    _write(repository, begun, now)
    return begun


def decide(repository: Repository, model: str, decision: Decision) -> Rollout:
    """Takes a decision on a rollout that there is. Raises ReleaseError."""
    rollout = existing(repository, model).after(decision)
    _write(repository, rollout, decision.time)
    return rollout


def roll_back(repository: Repository, model: str, reason: str, now: datetime) -> Rollout:
    """Lets every gateway run the release before, and none the present one. Raises ReleaseError if there was none, or it was withdrawn."""
    rollout = existing(repository, model)
    if rollout.previous is None:
        raise ReleaseError(
            f"there is no release of {model} before {rollout.release}: `tinybeam release halt` leaves the gateways' own bundle"
        )
    _require_released(repository, model, rollout.previous)
    decision = Decision(time=now, action="roll-back", share=100, reasons=(f"from release {rollout.release}", *filter(None, [reason])))
    back = Rollout(
        model=model,
        release=rollout.previous,
        share=100,
        salt=new_salt(),
        withdrawn=_withdrawn(rollout, rollout.previous, is_over=True),
        decisions=rollout.decisions,
    ).after(decision)
    _write(repository, back, now)
    return back


def new_rollout(repository: Repository, model: str, release: int, share: float, **options: Any) -> Rollout:
    """Makes a rollout whose `previous` is what most gateways run now, with a salt of its own."""
    before = current(repository, model)
    return Rollout(
        model=model,
        release=release,
        previous=_running(before, release),
        share=share,
        salt=new_salt(),
        withdrawn=_withdrawn(before, release, is_over=before.halted) if before else (),
        **options,
    )


def new_salt() -> str:
    return secrets.token_hex(8)


def _running(before: Rollout | None, release: int) -> int | None:
    """Returns what runs where the present rollout has not arrived, or everywhere once it has arrived."""
    if before is None:
        return None
    whole = before.share >= 100 and not before.halted and before.release != release
    return before.release if whole else before.previous


def _withdrawn(before: Rollout, release: int, *, is_over: bool) -> tuple[int, ...]:
    """Returns what no gateway goes on with under a rollout of `release`; `is_over`: the release of the rollout before it, too."""
    found = {*before.withdrawn, *([before.release] if is_over else [])} - {release}
    return tuple(sorted(found)[-MAX_WITHDRAWN:])


def _require_released(repository: Repository, model: str, number: int) -> None:
    if number not in drafting.numbers(repository.newest(roles.RELEASES), model):
        raise ReleaseError(f"release {number} of {model} is not published: {roles.THRESHOLD} holders sign it first, or it was withdrawn")


def _write(repository: Repository, rollout: Rollout, now: datetime) -> None:
    """Raises ReleaseError, and signs nothing, if no gateway could read it."""
    content, path = encode(rollout), roles.rollout_path(rollout.model)
    decode(content, rollout.model)
    target = TargetFile.from_data(path, content)
    signed = repository.targets(roles.ROLLOUTS)
    signed.version += 1
    signed.targets[path] = target
    repository.add_target(target, content)
    publishing.sign_online(repository, roles.ROLLOUTS, signed, now)
