"""Decides whether a release goes on to more gateways, waits or is halted: a pure function of its rollout and its health.

    decision = judge(rollout, health, thresholds, now)

What is bad halts it at once, however little was seen; what is good must have been seen for long enough. Nothing that cannot be compared
with the control is held against it, but the gateways that fell back from it. What differs on other sites than the control's,
of which nothing is known from before, lets it wait: the sites may differ, and a person may look.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import sqrt

from releases.health import Health
from releases.rollout import Decision, Rollout
from releases.thresholds import Thresholds


def judge(rollout: Rollout, health: Health | None, limits: Thresholds, now: datetime) -> Decision:
    """Returns the decision, with its reasons. `time` and `share` are those that hold from now on."""
    if faults := list(_faults(health, limits)) if health else []:
        return Decision(time=now, action="halt", share=0, reasons=tuple(faults))
    share = next((step for step in limits.steps if step > rollout.share), rollout.share)
    if waits := list(_waits(rollout, health, limits, now)) or ([] if share > rollout.share else ["it has the last share"]):
        return Decision(time=now, action="wait", share=rollout.share, reasons=tuple(waits))
    assert health
    return Decision(time=now, action="advance", share=share, reasons=(f"{health.device_days} days of devices, nothing against it",))


def _waits(rollout: Rollout, health: Health | None, limits: Thresholds, now: datetime) -> Iterator[str]:
    since = max((one.time for one in rollout.decisions if one.action in {"roll-out", "advance"}), default=now)
    if now - since < timedelta(hours=limits.hours):
        yield f"the step began {(now - since).total_seconds() / 3600:.1f} h ago, and lasts {limits.hours:g} h"
    seen = health.device_days if health else 0
    if seen < limits.device_days:
        yield f"{seen} days of devices were judged, {limits.device_days} are needed"
    if health and health.control is not None and not health.control_device_days:
        yield "the control judged nothing that could be compared"
    if health and health.on_other_sites:
        yield from (f"{reason}, on other sites, of which nothing is known from before" for reason in _unlike(health, limits))


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


def _unlike(health: Health, limits: Thresholds) -> Iterator[str]:
    """Yields how it differs from its control: noisy, blind, other labels and scores, less often right by what came."""
    yield from _noisy_or_blind(health, limits)
    yield from _different(health, limits)
    yield from _less_right(health, limits)


def _noisy_or_blind(health: Health, limits: Thresholds) -> Iterator[str]:
    events, others = health.events_a_device_day, health.control_events_a_device_day
    if events is not None and others is not None and _is_beyond_chance(events, limits.max_events * others + limits.spare_events, health):
        yield f"{events:.2f} events a device-day, the control {others:.2f}"
    share, usual = health.not_normal_share, health.control_not_normal_share
    if share is not None and usual and health.device_days >= limits.device_days and share < limits.min_not_normal * usual:
        yield f"{share:.1%} of its windows are not normal, {usual:.1%} of the control's: it may be blind"


def _is_beyond_chance(events: float, most: float, health: Health) -> bool:
    """Says whether there were more events than three standard deviations beyond what `most` a device-day makes (Poisson)."""
    allowed = most * health.device_days
    return events * health.device_days > allowed + 3 * sqrt(allowed)


def _different(health: Health, limits: Thresholds) -> Iterator[str]:
    """Compares distributions, which say little before there is enough of them."""
    if health.device_days < limits.device_days:
        return
    chance = _chance(health.device_days, limits)
    for name, distance, most in (
        ("labels", health.label_distance, limits.max_label_distance + chance),
        ("scores", health.score_distance, limits.max_score_distance + chance),
    ):
        if distance is not None and distance > most:
            yield f"its {name} lie {distance:.2f} from the control's, {most:.2f} is allowed after {health.device_days} days of devices"


def _chance(days: float, limits: Thresholds) -> float:
    """Returns by how much shares may differ of two releases that are alike, after so many days of devices.

    Devices stay moist or dry for weeks, so it is by days, not by windows, that chance shrinks.
    """
    return limits.chance / sqrt(max(days, 1.0))


def _called_wrong(health: Health, limits: Thresholds) -> Iterator[str]:
    false, others = _share(health.false_alarms, health.answers, limits), _share(health.control_false_alarms, health.control_answers, limits)
    if false is not None and false > (others or 0.0) + limits.max_false_alarms:
        yield f"people called {false:.0%} of its notices false alarms, {others or 0.0:.0%} of the control's"


def _less_right(health: Health, limits: Thresholds) -> Iterator[str]:
    right, usual = health.right_share, health.control_right_share
    if right is None or usual is None or min(health.outcomes or 0, health.control_outcomes or 0) < limits.min_answers:
        return
    days = health.device_days * (health.outcomes or 0) / max(health.inferences, 1)
    if right < usual - limits.max_right_loss - _chance(days, limits):
        yield f"{right:.0%} of its verdicts were right, {usual:.0%} of the control's"


def _share(part: int | None, of: int | None, limits: Thresholds) -> float | None:
    """Returns a share of answers; None where there are too few."""
    return (part or 0) / of if of and of >= limits.min_answers else None
