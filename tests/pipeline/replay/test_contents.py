"""What was set aside becomes a batch again, whoever set it aside; what cannot says why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import rejects
from pipeline.body import Undecodable
from pipeline.decode import decode
from pipeline.elements import RejectedRows, UnwrittenRows
from pipeline.facts import facts, rows_of
from pipeline.refused import Refused
from pipeline.replay.contents import NotReplayable, batch_of
from pipeline.replay.elements import SetAside
from schemas.records import SiteWindow
from tests.pipeline.bodies import NOW, batch, message, one_of, summary, with_sites
from tests.pipeline.memory import still
from tests.pipeline.replay.test_recover import of_row

KINDS = ("summaries", "inferences", "events", "heartbeats")


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_rows_of_a_batch_and_rows_of_a_table_give_the_same_rows(kind: str) -> None:
    sent = batch([one_of(kind)] * 3)
    [of_message] = rejects.of_message(Refused(message([one_of(kind)] * 3), "fault", "ours"), NOW).rows.to_pylist()
    [of_rows] = rejects.of_rows(sent, RejectedRows("fault", "ours", sent.rows), "pipeline.enrich", NOW).rows.to_pylist()
    table = facts(with_sites([one_of(kind)] * 3))
    [refused] = rejects.of_unwritten(UnwrittenRows(table.table, RejectedRows("warehouse_refused", "no", table.rows)), still)
    for row in (of_message, of_rows, *refused.rows.to_pylist()):
        again = batch_of(of_row(row))
        assert again.envelope.batch_id == sent.envelope.batch_id
        assert again.rows.to_pylist() == sent.rows.to_pylist()


def test_what_gives_no_batch_says_why() -> None:
    sensor = SetAside(reject_id="gw1:7:1:0", stage="edge.intake", reason="no", attributes={}, body=b"{bad", received_time=NOW)
    [broken] = rejects.of_message(Refused(message([summary()], gateway_id="?"), "bad_envelope", "no"), NOW).rows.to_pylist()
    windows = UnwrittenRows("site_windows_v1", RejectedRows("warehouse_refused", "no", rows_of(SiteWindow, []).rows))
    [derived] = rejects.of_unwritten(windows, still)
    assert "only a gateway understands" in _why(sensor)
    assert "still bad_envelope" in _why(of_row(broken))
    assert "tinybeam sql recompute" in _why(of_row(derived.rows.to_pylist()[0]))


@given(st.binary(max_size=200), st.sampled_from(["pipeline.decode", "pipeline.validate", "pipeline.warehouse", "edge.intake"]))
def test_no_bytes_make_a_fault(body: bytes, stage: str) -> None:
    reject = SetAside(reject_id="a", stage=stage, reason="fault", attributes={"table": "summaries_v1"}, body=body, received_time=NOW)
    assert _why(reject)


def _why(reject: SetAside) -> str:
    with pytest.raises(NotReplayable) as error:
        batch_of(reject)
    return str(error.value)


def test_a_message_that_is_sound_is_decoded_as_it_would_have_been() -> None:
    sent = message([summary()])
    [row] = rejects.of_message(Refused(sent, "fault", "ours"), NOW).rows.to_pylist()
    assert batch_of(of_row(row)).rows.equals(decode(sent).rows)
    with pytest.raises(Undecodable):
        decode(message([summary()], gateway_id="?"))
