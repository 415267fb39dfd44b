"""Words of gateways for what came late: in either order, of the sites of summaries, and no older than they may be."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from pipeline.alerts.awaited_words import (
    OF_GATEWAY,
    OF_SITE,
    AwaitedWords,
    Late,
    hear,
    late_results,
    late_summaries,
    pass_on,
    site_of,
)
from pipeline.alerts.observation import GatewayWord, Observation
from schemas.envelope import micros
from tests.pipeline.bodies import NOW, one_of, summary, with_sites

MINUTE = timedelta(minutes=1) // timedelta(microseconds=1)
THEN = micros(NOW)


def test_a_word_that_comes_before_what_it_is_true_of_is_passed_on_all_the_same() -> None:
    memory = hear(AwaitedWords(), THEN, THEN)
    assert memory.due is None, "nothing waits for it"
    memory = hear(memory, Late("frost:d1", THEN - 100 * MINUTE), THEN + MINUTE // 6)
    assert memory.due == THEN + MINUTE // 3
    assert pass_on(memory, memory.due)[1] == [GatewayWord("frost:d1", THEN)]


def test_a_word_is_not_true_of_what_is_younger_and_of_nothing_when_it_is_old() -> None:
    younger = hear(hear(AwaitedWords(), THEN, THEN), Late("frost:d1", THEN + 1), THEN)
    assert (younger.due, pass_on(younger, THEN)[1]) == (None, [])
    for settling, minutes in ((OF_GATEWAY, 2), (OF_SITE, 6)):
        old = hear(hear(AwaitedWords(), THEN, THEN), Late("frost:d1", THEN - MINUTE), THEN + minutes * MINUTE, settling)
        assert (old.due, pass_on(old, THEN + minutes * MINUTE, settling)[1]) == (None, [])


def test_late_summaries_are_late_of_their_sites_and_what_is_prompt_is_not() -> None:
    hours = [summary("d1", NOW - timedelta(hours=at), window_seconds=3600) for at in (3, 2)]
    group = with_sites([*hours, summary("d2", NOW - timedelta(minutes=2))], NOW)
    [(gateway_id, late)] = late_summaries(group, THEN)
    assert (gateway_id, late.at, site_of(GatewayWord(late.key, THEN))) == ("gw1", THEN - 120 * MINUTE, "south")
    assert list(late_summaries(with_sites([one_of("heartbeats")]), THEN + 60 * MINUTE)) == []
    assert site_of(GatewayWord("frost:south", THEN)) is None


def test_results_of_a_site_are_late_there() -> None:
    result = Observation(rule="dry", subject="south", at=THEN, known_at=THEN + 60 * MINUTE, site_id="south", text="")
    assert list(late_results(result, THEN + 61 * MINUTE)) == []
    assert list(late_results(result, THEN + 80 * MINUTE)) == [("south", Late("dry:south", THEN))]
    assert list(late_results(replace(result, site_id=None), THEN + 80 * MINUTE)) == []
