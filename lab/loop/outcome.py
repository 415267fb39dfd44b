"""Puts together what the loop has shown, of what the warehouse holds of both seasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from edge.models.bundle import Bundle
from lab.acts.gateways import BUNDLES
from lab.loop import figures, verdicts
from lab.loop.decisions import decided, ended
from lab.loop.result import BadRelease, Decided, Result
from lab.loop.seasons import FirstSeason, SecondSeason
from lab.loop.stretch import Farm
from lab.loop.world import DAYS
from training import warehouse as training_warehouse


def outcome(farm: Farm, first: FirstSeason, second: SecondSeason, today: datetime) -> Result:
    """Returns the result; of the second season there is none if it was not played. Raises StartFailed if v2 judged nothing in it."""
    gate = first.gate
    measured = _measured(farm, first, second, today) if second.probes else figures.Measured({}, 0, None)
    decisions = decided(farm.client, second.begin)
    begins = [season.begin for season in (first, second) if season.probes]
    counted = [verdicts.windows(farm.client, begin, begin + timedelta(days=DAYS + 1)) for begin in begins]
    ran = verdicts.ran(farm.client, second.begin, today)
    verdict = farm.reconciliation.verdict()
    return Result(
        gate={figures.NAMES.get(name, name): metrics for name, metrics in gate.metrics.items()},
        gate_windows=gate.examples,
        refusals=gate.refusals,
        successor_ended=ended(decisions, second.successor),
        metrics=measured.metrics,
        windows_measured=measured.windows,
        sites=len({each.probe.plan.site_id for each in first.probes}),
        held_out_sites=gate.sites,
        bad_releases=tuple(_bad(second, decisions, ran)),
        steps=tuple(second.steps),
        decisions=decisions,
        ran=verdicts.daily(ran),
        example=measured.example,
        readings=verdict.acknowledged,
        lost=len(verdict.lost),
        repeated=verdict.repeated,
        windows=sum(total for total, _, _ in counted),
        windows_too_young=sum(young for _, young, _ in counted),
        windows_without_verdict=sum(missing for _, _, missing in counted),
        release_faults=tuple(dict.fromkeys(farm.faults)),
        seconds=round(farm.console.seconds, 1),
    )


def _measured(farm: Farm, first: FirstSeason, second: SecondSeason, today: datetime) -> figures.Measured:
    known = training_warehouse.soil(farm.client, first.begin, first.known_until)[0].split()[0]
    unseen = training_warehouse.soil(farm.client, second.begin, today)[0].split()[1]
    successor, current = Bundle.load(first.successor), Bundle.load(BUNDLES / "soil")
    scores = figures.said(farm.client, successor, second.begin, today)
    return figures.measure_all(scores, figures.truth_of(second.probes), {"v2": successor, "v1": current}, known, unseen)


def _bad(second: SecondSeason, decisions: Sequence[Decided], ran: Sequence[verdicts.RanOn]) -> Iterator[BadRelease]:
    for bad in second.bad:
        share = len({each.gateway_id for each in ran if each.version == bad.version}) / len(second.gateways)
        found = ended(decisions, bad.release) or ("never started" if not share else "not decided")
        yield BadRelease(name=bad.name, version=bad.version, ended=found, largest_share=round(share, 3))
