"""A replay is no way round signatures: a message comes in by it only if its gateway has signed it as it came, whatever a fix does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline import rejects
from pipeline.elements import ReceivedMessage, RejectedRows
from pipeline.enrich import Sites
from pipeline.refused import AUTH, Refused
from pipeline.replay.contents import SENSOR
from pipeline.replay.elements import Left, Replayed, SetAside
from pipeline.replay.message import Message
from pipeline.replay.proof import Proof
from pipeline.replay.recover import Fix, recovered
from schemas.registry import FixedRegistry, OfRegistry, Registry
from tests.attack import Attack
from tests.pipeline.bodies import NOW, REGISTRY, batch, message, numbered
from tests.pipeline.replay.test_recover import MEANT, Store, of_row
from tests.pipeline.signed import authenticator, registered, signed

TRUE = signed(message(numbered(3), gateway_id="gw1", seq=2))
FORGED = replace(TRUE, attributes={**TRUE.attributes, "seq": "3"})
NAMELESS = replace(TRUE, attributes={name: value for name, value in TRUE.attributes.items() if name != "seq"})


def set_aside(sent: ReceivedMessage, reason: str = "unknown_gateway", stage: str = AUTH) -> SetAside:
    [row] = rejects.of_message(Refused(sent, reason, "no", stage=stage), NOW).rows.to_pylist()
    return of_row(row)


def replayed(reject: SetAside, fix: Fix | None) -> Replayed | Left:
    [found] = recovered(Store(reject), MEANT, Sites(REGISTRY), NOW, fix)
    return found


def proof(fix: Fix | None = None) -> Proof:
    return Proof(OfRegistry(FixedRegistry(REGISTRY), _authenticator), fix)


def _authenticator(_: Registry) -> object:
    return authenticator(registered("gw1"))


def renumbered(reject: SetAside) -> Iterator[SetAside]:
    """A fix as somebody might write it who wants a forgery in."""
    yield Message(reject).with_attributes(seq="9").reject


def test_a_message_comes_in_once_its_gateway_is_registered_and_as_a_fix_leaves_it() -> None:
    assert isinstance(replayed(set_aside(TRUE), proof()), Replayed)
    mended = replayed(set_aside(TRUE), proof(renumbered))
    assert isinstance(mended, Replayed)
    assert mended.new is not None
    assert mended.new.envelope.seq == 9


def test_what_was_not_believed_does_not_come_in_by_a_replay(attack: Attack) -> None:
    unsigned = message(numbered(3), gateway_id="gw1", seq=3)
    attempts = [
        (set_aside(FORGED, "forged"), None),
        (set_aside(FORGED, "forged"), renumbered),
        (set_aside(unsigned, "unsigned"), renumbered),
        (set_aside(NAMELESS, "bad_envelope", "pipeline.decode"), renumbered),
    ]
    assert all(isinstance(replayed(reject, fix or renumbered), Replayed) for reject, fix in attempts), "control: without the proof"
    attack(
        "replay-of-a-forgery",
        attacker="publisher",
        attempt="waits until somebody replays rejects, with a function that mends them",
        outcome="the replay looks at the signature of what came, before the function, and leaves it out",
        attempts=len(attempts),
        accepted=sum(isinstance(replayed(reject, proof(fix)), Replayed) for reject, fix in attempts),
        control="without the proof the same replay brings in every one of them",
    )


def test_rows_that_a_gateway_claims_were_set_aside_of_another_do_not_come_in(attack: Attack) -> None:
    """A gateway sends its own rejects, and may write any stage into them; their identity says that a gateway sent them."""
    claimed = of_row(rejects.of_rows(batch(numbered(3), gateway_id="gw2"), _rows(), "pipeline.enrich", NOW).rows.to_pylist()[0])
    assert isinstance(replayed(claimed, proof()), Replayed), "control: a reject of the pipeline with these bytes comes in"
    found = replayed(replace(claimed, reject_id="gw1:7:1:0"), proof())
    attack(
        "reject-in-anothers-name",
        attacker="gateway",
        attempt="sends a reject that claims to be the pipeline's, with rows of another gateway, for a replay to bring in",
        outcome="left out: only a gateway makes anything of what a gateway sent as a reject",
        attempts=1,
        accepted=int(not (isinstance(found, Left) and found.why == SENSOR)),
        control="the same bytes in a reject of the pipeline come in",
    )


def _rows() -> RejectedRows:
    return RejectedRows("unknown_device", "no", batch(numbered(3), gateway_id="gw2").rows)
