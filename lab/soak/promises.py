"""Lists the promises that have long forms; a new one is a line here, and its tests read their number from tests/long_form.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """Is what is promised, what the suite runs of it, what the long form is to run, and its tests as pytest knows them."""

    says: str
    in_suite: str
    asked: str
    tests: tuple[str, ...] = ()


_POWER = "tests/edge/store/test_store_power.py"
_BOUND = "tests/edge/store/test_store_bound.py"
_CLOCK = "tests/edge/test_gateway_clock.py"

PROMISES: Mapping[str, Promise] = {
    "R1": Promise(
        "A reading that was acknowledged survives a kill -9 of the gateway at any instant, once",
        "20 kills",
        "1,000 kills, 0 lost, 0 doubled",
        ("tests/edge/test_kill.py",),
    ),
    "R2": Promise(
        "... and a loss of power at any write: what was not synced is lost, kept or torn at 512 bytes",
        "6,000 cuts",
        "100,000 cuts, 0 lost, 0 corrupt",
        (_POWER,),
    ),
    "R3": Promise(
        "The store recovers alone, at full size and with a full log, within 5 s",
        "16 MiB, 5 times",
        "a store of 256 MiB reopened 100 times, p99 under 5 s of the processor",
        ("tests/edge/store/test_reopening.py",),
    ),
    "R4": Promise(
        "One fault of the disk (EIO, ENOSPC, a short write) at any operation: no crash, nothing acknowledged is lost",
        "every second operation of a short trace",
        "every operation of a trace of 2,500",
        ("tests/edge/store/test_store_fault.py",),
    ),
    "R5": Promise(
        "The store never exceeds its bound in bytes, its log included",
        "4,000 operations",
        "50,000 operations, 0 over",
        (
            f"{_BOUND}::test_bytes_on_disk_stay_within_the_bound_after_every_commit",
            f"{_BOUND}::test_a_store_that_may_take_more_is_seen_to_exceed_the_bound",
        ),
    ),
    "R6": Promise(
        "When it is full, waiting summaries are thinned before anything is dropped, then the oldest of the lowest priority, events last; "
        "the ledger says what went: exactly",
        "12 runs of 30 steps",
        "500 runs of 40 steps, exact",
        ("tests/edge/store/test_thinning.py",),
    ),
    "R7": Promise(
        "A disk that others fill: the gateway stays up, stops acknowledging, says so, sends on what waits, and resumes within 60 s",
        "1 cycle",
        "20 cycles, 0 lost",
        ("tests/edge/test_full_disk.py",),
    ),
    "R8": Promise(
        "72 hours offline fit; an event is out within 2 s of the reconnect, live summaries within 10 s, whatever waits",
        "half an hour, 18,000 readings",
        "2.6 million readings in compressed time, within 512 MiB",
        ("tests/edge/test_offline.py",),
    ),
    "R9": Promise(
        "Pub/Sub down, slow, resetting, answering with each code or losing the answer: nothing lost, recovery no longer than the outage",
        "100 schedules",
        "1,000 schedules, 0 lost",
        ("tests/edge/uplink/test_sender.py",),
    ),
    "R10": Promise(
        "No storm of requests: one attempt at a time while it is down, no gateway in step with others, the backlog in few requests",
        "a fleet of 50 gateways",
        "20 fleets of 50 gateways reconnect at once, peak at most twice steady",
        ("tests/edge/uplink/test_fleet.py",),
    ),
    "R11": Promise(
        "A broker that restarts, is killed or is cut off: the gateway is back within 30 s, and what the broker lost is a gap, exactly",
        "3 times",
        "50 times",
        ("tests/edge/test_broker_outages.py",),
    ),
    "R12": Promise(
        "Every missing number of a sensor is reported within two windows",
        "1,500 random drops",
        "10,000 random drops, all of them and no other",
        ("tests/test_lost_on_the_way.py",),
    ),
    "R15": Promise(
        "Rollups are the same for any order of arrival, repetition and bundling",
        "100 draws",
        "500 draws, equal to a reference of thirty lines",
        ("tests/pipeline/rollup/test_law.py",),
    ),
    "R16": Promise(
        "A clock that jumps loses nothing, expires nothing, and rows say so",
        "30 schedules",
        "300 schedules, 0 lost, 0 that pass for sure and are wrong",
        (
            f"{_CLOCK}::test_whatever_the_clock_does_nothing_is_lost_and_nothing_wrong_passes_for_sure",
            f"{_CLOCK}::test_where_the_kernel_calls_a_wrong_time_synchronised_it_is_seen_to_pass_for_sure",
        ),
    ),
    "R17": Promise(
        "A message that is damaged stops nobody: it is a batch or a reject, and no fault of ours",
        "20,000 messages",
        "200,000 messages, 0 uncaught",
        ("tests/pipeline/test_decode.py::test_random_damage_is_refused_or_harmless_and_never_anything_else",),
    ),
    "R18": Promise(
        "Bombs and huge payloads are bounded before memory is used",
        "1,000 bombs",
        "1,000 bombs, less than 32 MB more",
        ("tests/pipeline/test_decode.py::test_decompression_bombs_are_bounded_in_memory",),
    ),
    "M1": Promise(
        "Gateways run only models that two of three holders have signed",
        "35 attacks, 200 flips of a bit",
        "each bit of a small repository flipped, 0 accepted",
        ("tests/releases/test_flipped_bits.py",),
    ),
    "M2": Promise(
        "No gateway goes back to what was published before, whatever it is offered and whatever it loses of its metadata",
        "10 gateways",
        "1,000 gateways on 12,000 visits, 0 steps back",
        ("tests/releases/test_back_in_time.py",),
    ),
    "M3": Promise(
        "Keys that are online, and both of one holder, introduce no model",
        "60 uses of stolen keys",
        "1,000 uses of stolen keys, 0 models introduced",
        ("tests/releases/test_stolen_keys.py",),
    ),
    "M4": Promise(
        "A gateway that is killed or loses its power at any step of a swap of models has the old one or the new one, whole, and goes on",
        "20 kills, and one at every second step; 300 cuts of the power",
        "1,000 kills, and one at every step; 10,000 cuts of the power",
        ("tests/edge/releases/test_swap_kills.py", "tests/edge/releases/test_swap_power.py"),
    ),
    "M5": Promise(
        "A model that crashes, hangs, eats memory or answers NaN never stops intake",
        "16 mutants",
        "5,000 mutants, intake 100 %",
        ("tests/edge/models/test_mutants.py",),
    ),
    "M6": Promise(
        "A bad release never reaches more than its canary, of which each gateway finds alone whether it is one",
        "4 bad releases on 1,000 gateways",
        "200 bad releases on fleets of 1,000 gateways: no more than the canary ever ran one",
        ("tests/releases/test_canary.py", "tests/releases/test_rollout.py"),
    ),
    "S3": Promise(
        "Keys are renewed under load, and what was acknowledged is stored, once",
        "3 rotations",
        "100 rotations, 0 lost",
        ("tests/edge/test_rotation.py::test_keys_that_are_renewed_under_load_cost_no_reading",),
    ),
}


def long_forms() -> list[str]:
    """Returns the promises that have a long form."""
    return [name for name, promise in PROMISES.items() if promise.tests]
