"""What a gateway has signed counts once, in whatever order and however often somebody sends it, and a copy of a gateway takes no name."""

from __future__ import annotations

import random
from dataclasses import replace
from zlib import crc32

from pipeline.decode import decode_all
from pipeline.elements import DecodedBatches
from tests.attack import Attack, number
from tests.pipeline.bodies import message, numbered
from tests.pipeline.signed import authenticator, registered, signed
from tests.pipeline.test_authenticate import decoded, digests

JUDGE = authenticator(registered("gw1"), registered("gw2"))
SEED = 13
BATCHES = [signed(message(numbered(seq), gateway_id="gw1", seq=seq)) for seq in range(1, 9)]
BODIES = sorted(crc32(each.body) for each in BATCHES)


def test_a_batch_that_somebody_sends_again_counts_once(attack: Attack) -> None:
    copies = number(200, 2000)
    new, rejects = decoded([*BATCHES, *BATCHES[:1] * copies], JUDGE)
    assert rejects == []
    without = sum(len(each.names()) for each in decode_all(BATCHES[:1] * copies) if isinstance(each, DecodedBatches))
    attack(
        "batch-replayed",
        attacker="publisher",
        attempt="sends a batch again that a gateway has signed, byte by byte",
        outcome="dropped as a repeat, whenever it comes",
        attempts=copies,
        accepted=len(digests(new)) - len(BATCHES),
        control=f"a decoder that knows no names makes {without:,} batches of them",
    )


def test_batches_are_the_same_in_any_order(attack: Attack) -> None:
    rng, orders = random.Random(SEED), number(5, 50)
    found = [digests(decoded(rng.sample(BATCHES, len(BATCHES)), JUDGE)[0]) for _ in range(orders)]
    fewer, _ = decoded(BATCHES[1:], JUDGE)
    assert sorted(digests(fewer)) != BODIES
    attack(
        "batches-reordered",
        attacker="network",
        attempt=f"holds batches back and delivers them in another order (seed {SEED})",
        outcome="the same batches come in: each has its number, and none waits for another",
        attempts=orders,
        accepted=sum(sorted(each) != BODIES for each in found),
        control="where one is held back for ever the batches differ, and `completeness` shows the gap",
    )


def test_a_copy_of_a_gateway_takes_no_name_of_a_batch_that_came(attack: Attack) -> None:
    others = [signed(message([replace(row, max=9.0) for row in numbered(seq)], gateway_id="gw1", seq=seq)) for seq in range(1, 9)]
    new, rejects = decoded([*BATCHES, *others], JUDGE)
    came_in = digests(new)
    reasons = [reason for each in rejects for reason in each.rows.column("reason").to_pylist()]
    assert reasons == ["name_taken"] * len(others)
    assert sorted(digests(decoded(others, JUDGE)[0])) == sorted(crc32(each.body) for each in others)
    attack(
        "gateway-cloned",
        attacker="gateway",
        attempt="runs a copy of a gateway, with its store and its key, beside it",
        outcome="a reject `name_taken` for each batch under a number that came, and an alert that two boxes share a name",
        attempts=len(others),
        accepted=len(set(came_in) - set(BODIES)),
        control="where the copy is the first the same batches are believed: it has the key",
    )
