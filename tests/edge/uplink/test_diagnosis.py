"""What an uplink's error means depends on the certificate's dates and the clock, and on whether anybody answered."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest

from edge.uplink.diagnosis import sentence, state_after
from keys.lifetime import Lifetime

START = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = Lifetime(START, START + timedelta(days=60))
WITHIN = START + timedelta(days=30)


def alert(reason: str) -> ssl.SSLError:
    fault = ssl.SSLError(1, f"[SSL: {reason}]")
    fault.reason = reason
    return fault


def verification(reason: str) -> ssl.SSLCertVerificationError:
    fault = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {reason} (_ssl.c:1006)")
    fault.reason = "CERTIFICATE_VERIFY_FAILED"
    return fault


@pytest.mark.parametrize(
    ("error", "now", "state"),
    [
        (OSError("no route"), WITHIN, "offline"),
        (OSError("no route"), LIFE.end + timedelta(seconds=1), "cert_expired"),
        (OSError("no route"), START - timedelta(seconds=1), "clock_wrong"),
        (alert("TLSV1_ALERT_UNKNOWN_CA"), WITHIN, "refused"),
        (alert("SSLV3_ALERT_CERTIFICATE_REVOKED"), WITHIN, "refused"),
        (alert("SSLV3_ALERT_CERTIFICATE_EXPIRED"), WITHIN, "clock_wrong"),
        (verification("certificate is not yet valid"), WITHIN, "clock_wrong"),
        (verification("self-signed certificate"), WITHIN, "offline"),
    ],
)
def test_each_error_leaves_a_state(error: OSError, now: datetime, state: str) -> None:
    wrapped = ConnectionError("Max retries exceeded", RuntimeError(error))
    assert state_after(wrapped, LIFE, now) == state


def test_an_answer_that_says_no_is_a_refusal_unless_the_dates_explain_it() -> None:
    answer = Exception("invalid_grant")
    assert state_after(answer, None, WITHIN, is_refusal=True) == "refused"
    assert state_after(answer, LIFE, LIFE.end + timedelta(days=1), is_refusal=True) == "cert_expired"


def test_the_sentence_is_one_line_with_what_was_said_first() -> None:
    error = ConnectionError("Max retries exceeded", RuntimeError("outer", OSError("no\nroute")))
    state = state_after(error, LIFE, WITHIN)
    assert sentence(state, LIFE, WITHIN, error) == "the service is not reached: no route"
