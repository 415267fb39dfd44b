"""Says why an uplink is down: by the error of an attempt, the dates of the gateway's certificate, and the clock."""

from __future__ import annotations

import ssl
from datetime import datetime

from keys.lifetime import Lifetime
from schemas.records import LinkState

_NOT_YET_VALID = "certificate is not yet valid"
"""OpenSSL's words for X509_V_ERR_CERT_NOT_YET_VALID."""
_ADVICE = {
    LinkState.CERT_EXPIRED: "renew it; the next attempt takes it, without a restart",
    LinkState.CLOCK_WRONG: "set this machine's clock: start chrony or systemd-timesyncd",
    LinkState.REFUSED: "see whether it was revoked there, or let it in: by its authority, its site, or its right to the topic",
    LinkState.OFFLINE: "batches wait in the store until it is back",
}


def state_after(error: BaseException, lifetime: Lifetime | None, now: datetime, *, is_refusal: bool = False) -> LinkState:
    """Returns the state that the error of an attempt leaves. `is_refusal`: the other side answered, and said no.

    `lifetime` is that of the certificate that was shown. What the clock says of it comes first: nobody is let in with it, network or not.
    """
    if lifetime and now > lifetime.end:
        return LinkState.CERT_EXPIRED
    faults = _tls_faults(error)
    if (lifetime and now < lifetime.start) or any(_is_of_clock(fault) for fault in faults):
        return LinkState.CLOCK_WRONG
    is_alert = any("ALERT" in (fault.reason or "") for fault in faults)
    return LinkState.REFUSED if is_refusal or is_alert else LinkState.OFFLINE


def sentence(state: LinkState, lifetime: Lifetime | None, now: datetime, error: BaseException) -> str:
    """Returns one line for a person, of a state that `state_after` gave: what it means, and what was said first of all."""
    first = _inner_errors(error)[-1]
    said = first.args[0] if first.args and isinstance(first.args[0], str) else str(first)
    reason = _reason(state, lifetime, now)
    if state == LinkState.OFFLINE and isinstance(first, ssl.SSLCertVerificationError):
        reason = "who answers is not the service"
    return f"{reason}: {' '.join(said.split())}"


def advice(state: LinkState) -> str:
    """Says what is to be done."""
    return _ADVICE[state]


def _reason(state: LinkState, lifetime: Lifetime | None, now: datetime) -> str:
    if state == LinkState.CERT_EXPIRED and lifetime:
        return f"the gateway's certificate ended on {lifetime.end:%Y-%m-%d %H:%M} UTC"
    if state == LinkState.CLOCK_WRONG:
        begins = f"; the gateway's certificate begins on {lifetime.start:%Y-%m-%d %H:%M}" if lifetime else ""
        return f"the clock is wrong: it says {now:%Y-%m-%d %H:%M} UTC{begins}"
    if state == LinkState.REFUSED:
        return "the service answers, and does not let the gateway in"
    return "the service is not reached"


def _is_of_clock(fault: ssl.SSLError) -> bool:
    """The other side has not begun to be valid by this clock, or says that what is valid by this clock has ended."""
    return _NOT_YET_VALID in str(fault) or (fault.reason or "").endswith("ALERT_CERTIFICATE_EXPIRED")


def _tls_faults(error: BaseException) -> list[ssl.SSLError]:
    """Returns what OpenSSL said."""
    return [each for each in _inner_errors(error) if isinstance(each, ssl.SSLError)]


def _inner_errors(error: BaseException) -> list[BaseException]:
    """Returns an error and those that libraries have put it around, in whichever way, from the outside to the inside."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            waiting += [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]
    return found
