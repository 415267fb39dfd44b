"""Nobody speaks for a gateway without its key: each attack is refused with its reason, the true batch comes in all the same, and without
the check the same attack would succeed.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple
from zlib import crc32

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import parcel
from pipeline.authenticate import Authenticator
from pipeline.decode import decode_all
from pipeline.elements import DecodedBatches, ReceivedMessage, TableRows
from pipeline.known_batches import bucket
from pipeline.options import FN_API
from pipeline.refused import AUTH, Refused
from pipeline.transforms.decode import DecodeNew
from pipeline.transforms.gather import Parcel
from schemas.envelope import entries, entry
from schemas.message import SIGNED, unfolded
from schemas.registry import FixedRegistry, OfRegistry, Registry
from schemas.signature import ATTRIBUTE, SIGNATURE_BYTES
from tests.attack import Attack
from tests.pipeline.bodies import NOW, REGISTRY, message, numbered
from tests.pipeline.memory import still
from tests.pipeline.signed import PIPELINE, authenticator, key_of, registered, signed

GATEWAYS = (registered("gw1"), registered("gw2"))
TRUE = message(numbered(3), gateway_id="gw1", seq=2)
OTHER = message([replace(row, max=9.0) for row in numbered(3)], gateway_id="gw1", seq=2)
"""Another batch under the same name, as large and of the same times."""

STRANGE = message(numbered(3), gateway_id="gw3")
SEED = 7


def changed(sent: ReceivedMessage, **attributes: str) -> ReceivedMessage:
    return replace(sent, attributes={**sent.attributes, **attributes})


def without_signature(sent: ReceivedMessage) -> ReceivedMessage:
    return replace(sent, attributes={name: value for name, value in sent.attributes.items() if name != ATTRIBUTE})


def fault(sent: ReceivedMessage, judge: Authenticator | None = None) -> str | None:
    return (judge or authenticator(*GATEWAYS)).fault(sent)


class Forgery(NamedTuple):
    """Is one attempt: who makes it, what it is, how the message is made, and the reason for which it is refused."""

    attacker: str
    attempt: str
    sent: Callable[[], ReceivedMessage]
    reason: str


def _publisher(attempt: str, sent: Callable[[], ReceivedMessage], reason: str = "forged") -> Forgery:
    return Forgery("publisher", attempt, sent, reason)


def _gateway(attempt: str, sent: Callable[[], ReceivedMessage], reason: str) -> Forgery:
    return Forgery("gateway", attempt, sent, reason)


def _with(signature: str) -> ReceivedMessage:
    return changed(TRUE, signature=signature)


ATTACKS: dict[str, Forgery] = {
    "batch-unsigned": _publisher("sends a batch of its own under the next name of a gateway", lambda: OTHER, "unsigned"),
    "batch-downgraded": _publisher("takes the signature off a true batch", lambda: without_signature(signed(TRUE)), "unsigned"),
    "batch-of-a-strangers-key": _publisher("signs by a key of its own", lambda: signed(OTHER, "stranger"), "unknown_key"),
    "batch-in-anothers-name": _gateway("signs by its key in the name of another gateway", lambda: signed(OTHER, "gw2"), "unknown_key"),
    "batch-renamed": _gateway(
        "puts the name of another gateway on a batch that it has signed",
        lambda: changed(signed(message(numbered(3), gateway_id="gw2", seq=2)), gateway_id="gw1"),
        "unknown_key",
    ),
    "batch-body-swapped": _publisher(
        "puts another body under the envelope of a true batch", lambda: replace(signed(TRUE), body=OTHER.body)
    ),
    "batch-signature-moved": _publisher("puts the signature of a true batch on another", lambda: _with_body(OTHER)),
    "batch-number-far-ahead": _publisher("gives a true batch a number far ahead", lambda: changed(signed(TRUE), seq=str(2**60))),
    "batch-number-next": _publisher("gives a true batch the next number", lambda: changed(signed(TRUE), seq="3")),
    "batch-new-epoch": _publisher("sends a true batch again under a new epoch", lambda: changed(signed(TRUE), epoch="8")),
    "batch-another-kind": _publisher("says that a true batch is of another kind", lambda: changed(signed(TRUE), kind="events")),
    "batch-another-time": _publisher("says that a true batch was cut at another time", lambda: changed(signed(TRUE), cut_time="1")),
    "batch-another-priority": _publisher("changes what else the envelope says", lambda: changed(signed(TRUE), priority="0")),
    "signature-cut-short": _publisher("leaves out the last byte of a signature", lambda: _with(signed(TRUE).attributes[ATTRIBUTE][:-2])),
    "signature-longer": _publisher("adds a byte to a signature", lambda: _with(signed(TRUE).attributes[ATTRIBUTE] + "00")),
    "signature-empty": _publisher("sends an empty signature", lambda: _with("")),
    "signature-no-hexadecimal": _publisher("sends a signature that cannot be read", lambda: _with("?" * 2 * SIGNATURE_BYTES)),
    "signature-for-another-pipeline": _gateway(
        "replays to this pipeline what a gateway signed for another one", lambda: signed(OTHER, pipeline="another"), "unknown_key"
    ),
    "gateway-unknown": _publisher(
        "signs for a gateway that nobody registered", lambda: signed(message(numbered(3), gateway_id="gw3")), "unknown_gateway"
    ),
}


NO_BATCH_ANYHOW = {"batch-another-kind"}


def _with_body(other: ReceivedMessage) -> ReceivedMessage:
    return changed(other, signature=signed(TRUE).attributes[ATTRIBUTE])


@pytest.mark.parametrize("name", ATTACKS)
def test_a_forgery_is_refused_with_its_reason_and_does_not_shadow_the_true_batch(name: str, attack: Attack) -> None:
    forgery, true = ATTACKS[name], signed(TRUE)
    assert fault(true) is None
    new, rejects = decoded([forgery.sent(), true], authenticator(*GATEWAYS))
    found = [row for reject in rejects for row in reject.rows.select(["stage", "reason"]).to_pylist()]
    accepted = found != [{"stage": AUTH, "reason": forgery.reason}] or digests(new) != [crc32(TRUE.body)]
    attack(
        name,
        attacker=forgery.attacker,
        attempt=forgery.attempt,
        outcome=f"a reject `{forgery.reason}`; the true batch, which comes after it, comes in",
        attempts=1,
        accepted=int(accepted),
        control="without the check of signatures the forgery is no batch either, for its columns are of another kind: see the other rows"
        if name in NO_BATCH_ANYHOW
        else "without the check of signatures the forgery is decoded as a batch, and the true one of its name is set aside",
    )


def test_control_without_the_check_a_forged_batch_takes_the_name_of_the_true_one() -> None:
    new, rejects = decoded([OTHER, signed(TRUE)], None)
    assert digests(new) == [crc32(OTHER.body)]
    assert [reject.rows.column("reason").to_pylist() for reject in rejects] == [["name_taken"]]


def test_control_without_the_check_every_attack_but_the_one_on_the_kind_is_a_batch() -> None:
    refused = {name for name, forgery in ATTACKS.items() if any(isinstance(each, Refused) for each in decode_all([forgery.sent()]))}
    assert refused == NO_BATCH_ANYHOW


def digests(found: Sequence[DecodedBatches]) -> list[int]:
    return [digest for batches in found for digest in batches.receipts.column("body_digest").to_pylist()]


def test_ten_thousand_random_forgeries_are_refused(attack: Attack) -> None:
    """Random signatures with the right hints, bodies with a bit flipped, attributes with a digit changed: none passes."""
    rng, judge, good = random.Random(SEED), authenticator(*GATEWAYS), signed(TRUE)
    hints = good.attributes[ATTRIBUTE][:4]
    accepted = 0
    for number in range(10_000):
        forged = (
            changed(good, signature=hints + rng.randbytes(SIGNATURE_BYTES - 2).hex()),
            replace(good, body=flipped(good.body, rng)),
            changed(good, seq=str(rng.randrange(3, 2**62))),
            changed(good, signature=flipped(bytes.fromhex(good.attributes[ATTRIBUTE]), rng).hex()),
        )[number % 4]
        accepted += judge.fault(forged) is None
    assert judge.fault(good) is None
    attack(
        "batch-random-forgeries",
        attacker="publisher",
        attempt=f"guesses signatures, flips bits of body or signature, changes the number (seed {SEED})",
        outcome="rejects: none is believed",
        attempts=10_000,
        accepted=accepted,
        control="the batch that the forgeries are made of is believed",
    )


def flipped(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]


def test_a_revoked_key_signs_nothing_that_comes_from_then_on_and_what_came_before_stays_true(attack: Attack) -> None:
    judge = authenticator(registered("gw1", revoked_time=NOW))
    before, after = NOW - timedelta(seconds=1), NOW + timedelta(days=1)
    true = signed(TRUE)
    assert fault(replace(true, received_time=before), judge) is None
    assert fault(replace(true, received_time=after), authenticator(registered("gw1"))) is None
    faults = [fault(replace(true, received_time=time), judge) for time in (NOW, after)]
    attack(
        "key-revoked",
        attacker="gateway",
        attempt="signs by a stolen key that has been revoked, and says that the batch was cut before",
        outcome="a reject `revoked_key`: what counts is when it was received",
        attempts=len(faults),
        accepted=sum(each != "revoked_key" for each in faults),
        control="while the key is not revoked the same batch is believed",
    )


def test_what_a_revoked_key_did_not_sign_either_is_forged() -> None:
    judge = authenticator(registered("gw1", revoked_time=NOW - timedelta(days=1)))
    assert fault(changed(signed(TRUE), seq="3"), judge) == "forged"


def test_a_renewed_key_signs_the_backlog_and_the_old_one_goes_on_until_it_is_revoked() -> None:
    both = authenticator(registered("gw1"), registered("gw1", "renewed"))
    assert fault(signed(TRUE), both) is fault(signed(TRUE, "renewed"), both) is None
    renewed = authenticator(registered("gw1", revoked_time=NOW - timedelta(days=1)), registered("gw1", "renewed"))
    assert fault(signed(TRUE, "renewed"), renewed) is None
    assert fault(signed(TRUE), renewed) == "revoked_key"


def test_a_key_signs_what_was_cut_before_the_gateway_had_it() -> None:
    """As after a renewal while batches waited; of an export file nobody knows but by the gateway when it came."""
    assert fault(signed(TRUE), authenticator(registered("gw1", valid_from=NOW + timedelta(days=1)))) is None


def test_a_pipeline_with_two_keys_takes_what_is_signed_for_either() -> None:
    judge = Authenticator(GATEWAYS, [key_of(PIPELINE), key_of("next")])
    assert judge.fault(signed(TRUE)) is judge.fault(signed(TRUE, pipeline="next")) is None
    assert fault(signed(TRUE, pipeline="next")) in ("unknown_key", "forged")


def test_a_point_that_is_not_on_the_curve_is_no_key_and_stops_nobody() -> None:
    broken = replace(registered("gw1"), public_key=registered("gw1").public_key[:-8] + "AAAAAAA=")
    judge = authenticator(broken, registered("gw2"))
    assert fault(signed(TRUE), judge) == "unknown_key"
    assert fault(signed(message(numbered(3), gateway_id="gw2")), judge) is None


def test_what_only_warns_lets_all_go_on_and_says_what_it_would_refuse() -> None:
    judged = authenticator(*GATEWAYS, only_warns=True).judged([OTHER, signed(TRUE)])
    assert (len(judged.passed), judged.refused, [each.reason for each in judged.doubted]) == (2, [], ["unsigned"])


def test_an_export_file_is_judged_like_a_message(attack: Attack) -> None:
    """Its entries carry the signature as an attribute."""
    true, forged = signed(TRUE), changed(signed(TRUE), seq="3")
    found = list(entries(io.BytesIO(b"".join(entry(each.attributes, each.body) for each in (true, forged, OTHER)))))
    came = [ReceivedMessage(*each, NOW) for each in found if not isinstance(each, bytes)]
    assert fault(came[0]) is None
    attack(
        "export-file-forged",
        attacker="sender of files",
        attempt="hands over an export file with an unsigned batch, and one whose number is changed",
        outcome="rejects `forged` and `unsigned`, as of messages",
        attempts=2,
        accepted=[fault(each) for each in came[1:]].count(None),
        control="the entry of the same file that the gateway signed is believed",
    )


@pytest.mark.parametrize("length", range(SIGNATURE_BYTES + 12))
def test_a_folded_message_that_is_cut_in_its_signature_is_no_batch(length: int) -> None:
    attributes, body = unfolded({"gateway_id": "gw1", "kind": "summaries"}, (SIGNED + bytes(60))[: length + 1])
    [refused] = decode_all([ReceivedMessage(attributes, body, NOW)])
    assert isinstance(refused, Refused)


def test_what_has_no_envelope_is_left_to_the_decoder_and_nothing_is_made_of_it_by_hand() -> None:
    nameless = replace(TRUE, attributes={name: value for name, value in TRUE.attributes.items() if name != "seq"})
    assert fault(nameless) is None
    assert authenticator(*GATEWAYS).bars(nameless) == "unsigned"
    assert authenticator(*GATEWAYS).bars(signed(TRUE)) is None


NEW: list[DecodedBatches] = []
REJECTS: list[TableRows] = []


def decoded(messages: Sequence[ReceivedMessage], judge: Authenticator | None) -> tuple[list[DecodedBatches], list[TableRows]]:
    NEW.clear(), REJECTS.clear()
    source = OfRegistry(FixedRegistry(REGISTRY), _Fixed(judge)) if judge else None
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        parcels = [(bucket("gw1"), parcel.pack(messages))]
        keyed = pipeline | beam.Create(parcels).with_output_types(Parcel)
        new, undecodable, *_ = keyed | DecodeNew(still, source)
        new | "Keep new" >> beam.Map(_keep_new)
        undecodable | "Keep rejects" >> beam.Map(_keep_reject)
    return NEW, REJECTS


def _keep_new(batches: DecodedBatches) -> None:
    NEW.append(batches)


def _keep_reject(reject: TableRows) -> None:
    REJECTS.append(reject)


class _Fixed:
    """Builds the same authenticator whatever the registry."""

    def __init__(self, judge: Authenticator) -> None:
        self._known = [gateway for several in judge._registered.values() for gateway in several]

    def __call__(self, _: Registry) -> Authenticator:
        return authenticator(*self._known)
