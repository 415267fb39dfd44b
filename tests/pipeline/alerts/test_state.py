"""What is remembered of alerts survives an update of the pipeline."""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.alerts.awaited_words import AWAITED_WORDS, AwaitedWords
from pipeline.alerts.observation import Observation
from pipeline.alerts.own_past import OWN_PAST, OwnPast
from pipeline.alerts.state import ALERT, AlertState
from tests.pipeline.golden_bytes import golden

AT = 1_777_636_800_000_000
LOW = Observation(
    rule="frost",
    subject="d1",
    at=AT,
    known_at=AT + 1,
    revision=2,
    state="low",
    value=-1.5,
    threshold=0.5,
    site_id="north",
    device_id="d1",
    text="North, d1: temperature is low (-1.5)",
    gateway_id="gw1",
)
STATE = AlertState(
    order=(AT, 2),
    met_since=AT - 5,
    holds=True,
    last=LOW,
    last_is_old=True,
    is_open=True,
    opened=AT - 5,
    ended=None,
    revision=3,
    notified=True,
    known=True,
    source="event",
    severity="critical",
    shown=LOW,
    pending=LOW,
    pending_is_old=True,
    cooldown_start=AT,
    cooldown_rows=2,
    backlog=(LOW,),
    backlog_due=AT + 7,
    spans=((AT - 100, AT - 50),),
)
LOW_IN_DEGREES = replace(LOW, unit="degC")
STATE_WITH_UNIT = replace(STATE, last=LOW_IN_DEGREES, shown=LOW_IN_DEGREES, pending=LOW_IN_DEGREES, backlog=(LOW_IN_DEGREES,))
WORDS = AwaitedWords(late={"frost:d1": AT}, complete=AT - 1, due=AT + 10, lag=5, looked=AT, is_steady=True)
PAST = OwnPast({1_777_636_800: (0, 0.25), 1_777_640_400: (3, -1.5)}, 5)


def test_an_alert_is_read_from_the_bytes_of_every_release() -> None:
    assert ALERT.unpack(golden("alert", 1)) == STATE
    assert ALERT.unpack(golden("alert_with_unit", 1)) == STATE_WITH_UNIT
    assert AWAITED_WORDS.unpack(golden("awaited_words", 1)) == WORDS
    assert OWN_PAST.unpack(golden("own_past", 1)) == PAST


def test_an_alert_is_written_as_this_release_writes_it() -> None:
    assert ALERT.pack(STATE_WITH_UNIT) == golden("alert_with_unit", 1)
    assert AWAITED_WORDS.pack(WORDS) == golden("awaited_words", 1)
    assert OWN_PAST.pack(PAST) == golden("own_past", 1)
