"""What flows between workers comes out as it went in, and small."""

from __future__ import annotations

import pickle

import pytest

from pipeline.elements import RejectedRows, TableRows, UnwrittenRows
from pipeline.facts import facts
from schemas.records import KINDS
from tests.pipeline.bodies import batch, numbered, one_of, with_sites


@pytest.mark.parametrize("kind", KINDS)
def test_gathered_rows_and_their_facts_come_back_from_another_worker_as_they_were(kind):
    sent = with_sites([one_of(kind)] * 3)
    assert pickle.loads(pickle.dumps(sent)) == sent
    assert pickle.loads(pickle.dumps(facts(sent))) == facts(sent)


def test_a_batch_comes_back_from_another_worker_as_it_was():
    sent = batch(numbered(3))
    assert pickle.loads(pickle.dumps(sent)) == sent


def test_a_slice_travels_without_the_rows_around_it():
    whole = facts(with_sites(numbered(1000)))
    some = TableRows(whole.table, whole.rows.slice(500, 10))
    assert pickle.loads(pickle.dumps(some)) == some
    assert len(pickle.dumps(some)) < len(pickle.dumps(whole)) / 10


def test_what_the_warehouse_refused_travels_with_its_reason():
    sent = UnwrittenRows("summaries_v1", RejectedRows("warehouse_refused", "too wide", facts(with_sites([one_of("summaries")])).rows))
    assert pickle.loads(pickle.dumps(sent)) == sent
