"""Decides whether a release goes on to more gateways, waits or is halted: a pure function of its rollout and its health.

    decision = judge(rollout, health, thresholds, now)

What is bad halts it at once, however little was seen; what is good must have been seen for so long that chance could not hide what is
bad. What is worse than a limit by no more than chance waits until it is one or the other, and after the longest wait for a person. Nothing
that cannot be compared with the control is held against it, but the gateways that fell back from it. What differs on other sites than the
control's, of which nothing is known from before, lets it wait: the sites may differ, and a person may look.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import sqrt

from releases.difference import Difference
from releases.health import Health
from releases.rollout import Decision, Rollout
from releases.thresholds import Thresholds


def judge(rollout: Rollout, health: Health | None, limits: Thresholds, now: datetime) -> Decision:
    """Returns the decision, with its reasons. `time` and `share` are those that hold from now on."""
    if faults := list(_faults(health, limits)) if health else []:
        return Decision(time=now, action="halt", share=0, reasons=tuple(faults))
    share = limits.next_share(rollout.share)
    if waits := _waits(rollout, health, limits, now) or ([] if share > rollout.share else ["it has the last share"]):
        return Decision(time=now, action="wait", share=rollout.share, reasons=tuple(waits))
    assert health
    return Decision(time=now, action="advance", share=share, reasons=(f"{health.device_days} days of devices, nothing against it",))


def gone_on(decision: Decision, limits: Thresholds, reason: str) -> Decision:
    """Returns what a person makes of a decision to wait: the release goes on though it waits; another decision stays."""
    share = limits.next_share(decision.share)
    if decision.action != "wait" or share == decision.share:
        return decision
    by_whom = f"a person let it go on: {reason}" if reason else "a person let it go on"
    return Decision(time=decision.time, action="advance", share=share, reasons=(by_whom, *decision.reasons))


def _waits(rollout: Rollout, health: Health | None, limits: Thresholds, now: datetime) -> list[str]:
    """Returns why a release waits; the longest wait is a reason for nothing, and says whose what waits so long is to decide."""
    since = max((one.time for one in rollout.decisions if one.action in {"roll-out", "advance"}), default=now)
    lasted = (now - since) / timedelta(hours=1)
    waits = [f"the step began {lasted:.1f} h ago, and lasts {limits.hours:g} h"] if lasted < limits.hours else []
    waits += [*_missing(health, limits), *(_doubts(health, limits) if health else ())]
    if waits and rollout.share < limits.steps[-1] and lasted > 24 * limits.longest_days:
        days = f"the step began {lasted / 24:.0f} days ago, longest_days is {limits.longest_days:g}"
        waits.append(f"{days}: a person decides, by `advance --anyway` or `halt`")
    return waits


def _missing(health: Health | None, limits: Thresholds) -> Iterator[str]:
    seen, in_shadow = (health.device_days, health.in_shadow) if health else (0, False)
    if (needed := limits.days_needed(in_shadow=in_shadow)) > seen:
        fewer = limits.days_needed(in_shadow=True)
        hint = f"; beside the control in its shadow {fewer} would do" if health and health.control and fewer < needed else ""
        yield f"{seen} days of devices were judged, {needed} are needed: {needed - seen} are missing{hint}"


def _doubts(health: Health, limits: Thresholds) -> Iterator[str]:
    """Yields what would have to be judged for longer, or what a person would have to look at."""
    if health.control is not None and not health.control_device_days:
        yield "the control judged nothing that could be compared"
    elif health.on_other_sites:
        yield from (f"{reason}, on other sites, of which nothing is known from before" for reason in _unlike(health, limits))
    elif health.device_days >= limits.device_days:
        yield from (each.doubt for each in _differences(health, limits) if each.is_doubt)


def _faults(health: Health, limits: Thresholds) -> Iterator[str]:
    """Yields what is bad: crashing, slow, called wrong by people, or unlike what the control would have said there."""
    yield from _crashing(health, limits)
    yield from _called_wrong(health, limits)
    if not health.on_other_sites:
        yield from _unlike(health, limits)


def _crashing(health: Health, limits: Thresholds) -> Iterator[str]:
    if health.gateways and health.gateways_refused / health.gateways > limits.max_refused:
        yield f"{health.gateways_refused} of {health.gateways} gateways fell back from it: {health.refusals or 'no reason given'}"
    failures, others = health.failures_per_inference or 0.0, health.control_failures_per_inference or 0.0
    if failures > others + limits.max_failures:
        yield f"{failures:.1%} of its inferences failed, {others:.1%} of the control's"
    if health.scoring_ms and health.control_scoring_ms and health.scoring_ms > limits.max_scoring * health.control_scoring_ms:
        yield f"it takes {health.scoring_ms:.1f} ms for a window, the control {health.control_scoring_ms:.1f}"


def _called_wrong(health: Health, limits: Thresholds) -> Iterator[str]:
    false, others = _share(health.false_alarms, health.answers, limits), _share(health.control_false_alarms, health.control_answers, limits)
    if false is not None and false > (others or 0.0) + limits.max_false_alarms:
        yield f"people called {false:.0%} of its notices false alarms, {others or 0.0:.0%} of the control's"


def _unlike(health: Health, limits: Thresholds) -> Iterator[str]:
    """Yields how it differs from its control by more than chance: noisy, blind, other labels and scores, less often right by what came."""
    yield from (each.fault for each in _differences(health, limits) if each.is_fault)


def _differences(health: Health, limits: Thresholds) -> Iterator[Difference]:
    yield from _events(health, limits)
    if health.device_days >= limits.device_days:  # distributions say little before
        yield from _distributions(health, limits)
        yield from _not_normal(health, limits)
    yield from _right_verdicts(health, limits)


def _events(health: Health, limits: Thresholds) -> Iterator[Difference]:
    """Chance is four standard deviations of a Poisson number, of which one more is nothing: labels flap, and events come in pairs."""
    events, others, days = health.events_a_device_day, health.control_events_a_device_day, max(health.device_days, 1)
    if events is not None and others is not None:
        allowed = limits.max_events * others + limits.spare_events
        yield Difference(
            f"{events:.2f} events a device-day, the control {others:.2f}", events, allowed, 4 * sqrt((allowed + 1 / days) / days), days
        )


def _distributions(health: Health, limits: Thresholds) -> Iterator[Difference]:
    days, chance = health.device_days, limits.chance_after(health.device_days, in_shadow=health.in_shadow)
    for name, distance, allowed in (
        ("labels", health.label_distance, limits.max_label_distance),
        ("scores", health.score_distance, limits.max_score_distance),
    ):
        if distance is not None:
            yield Difference(f"its {name} lie {distance:.2f} from the control's", distance, allowed, chance, days)


def _not_normal(health: Health, limits: Thresholds) -> Iterator[Difference]:
    """Chance is all of it while fewer than `min_answers` days of devices should not have been normal."""
    share, usual = health.not_normal_share, health.control_not_normal_share
    if share is not None and usual:
        chance = limits.min_not_normal * sqrt(usual * limits.min_answers / health.device_days)
        text = f"it may be blind: {share:.1%} of its windows are not normal, {usual:.1%} of the control's, {usual - share:.2f} less"
        yield Difference(text, usual - share, (1 - limits.min_not_normal) * usual, chance, health.device_days)


def _right_verdicts(health: Health, limits: Thresholds) -> Iterator[Difference]:
    right, usual = health.right_share, health.control_right_share
    if right is None or usual is None or min(health.outcomes or 0, health.control_outcomes or 0) < limits.min_answers:
        return
    days = health.device_days * (health.outcomes or 0) / max(health.inferences, 1)
    if days < limits.device_days:
        return
    chance = limits.chance_after(days, in_shadow=health.in_shadow)
    text = f"{right:.0%} of its verdicts were right, {usual:.0%} of the control's, {usual - right:.2f} less"
    yield Difference(text, usual - right, limits.max_right_loss, chance, days)


def _share(part: int | None, of: int | None, limits: Thresholds) -> float | None:
    """Returns a share of answers; None where there are too few."""
    return (part or 0) / of if of and of >= limits.min_answers else None
