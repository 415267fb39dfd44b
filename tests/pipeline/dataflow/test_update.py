"""A newer version must be able to replace a running job: what Dataflow would refuse is seen here first."""

from __future__ import annotations

import os

import pytest
from apache_beam.portability.api import beam_runner_api_pb2

from tests.pipeline.dataflow.google_cloud import GoogleCloud
from tests.pipeline.dataflow.graph import GOLDEN, described, refusals


def graph(cloud: GoogleCloud, job: int) -> str:
    return described(beam_runner_api_pb2.Pipeline.FromString(cloud.staged(cloud.jobs[job])["pipeline.pb"]))


def test_a_running_job_can_be_replaced_by_this_version(launched: GoogleCloud) -> None:
    """A step that is new belongs into the golden file, too: TINYBEAM_WRITE_GRAPH=1 writes it. Whoever takes one away or changes one makes
    everybody drain and launch anew: that is a line of the changelog.
    """
    now = graph(launched, 0)
    if os.environ.get("TINYBEAM_WRITE_GRAPH"):
        GOLDEN.write_text(now)
    assert refusals(GOLDEN.read_text(), now) == []
    assert refusals(now, GOLDEN.read_text()) == [], "new steps: see above"


def test_the_graph_depends_on_neither_the_registry_nor_the_alerts_that_are_open(launched: GoogleCloud) -> None:
    assert graph(launched, 0) == graph(launched, 1)


def test_no_step_is_named_by_its_place_among_others() -> None:
    assert [line for line in GOLDEN.read_text().splitlines() if any(word.isdigit() for word in line.partition(" | ")[0].split())] == []


RUNNING = """\
Decode | pardo:v1 | state seqs bytes:v1 | kv:v1(string_utf8:v1, FastPrimitivesCoder) in global_windows:v1
Facts | pardo:v1
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Facts | pardo:v1\n", "", "Facts: gone"),
        ("Facts", "Facts anew", "Facts: gone"),
        ("state seqs", "state numbers", "Decode: was"),
        ("state seqs bytes:v1", "state seqs varint:v1", "Decode: was"),
        ("string_utf8", "bytes", "Decode: was"),
        ("global_windows", "fixed_windows", "Decode: was"),
    ],
)
def test_what_is_gone_or_changed_is_refused_by_name(old: str, new: str, sentence: str) -> None:
    [refused] = refusals(RUNNING, RUNNING.replace(old, new))
    assert refused.startswith(sentence)


def test_a_step_more_and_another_order_are_no_obstacle() -> None:
    first, second = RUNNING.splitlines(keepends=True)
    assert refusals(RUNNING, second + "Batches | pardo:v1\n" + first) == []
