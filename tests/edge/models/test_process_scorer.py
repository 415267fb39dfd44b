"""The scorer: right answers, and what happens when a model crashes, hangs, answers nonsense or is not the model it claims to be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.models import tflite
from edge.models.bundle import Bundle, BundleError
from edge.models.model import Model
from edge.models.process_scorer import ProcessScorer, Timeouts
from edge.models.scorer import Score, ScorerFailed, ScorerLate
from tests.program.longest import Longest

SOIL = Path(__file__).parents[3] / "models" / "soil"
TWIN = Path(__file__).parents[1] / "scorer_twin.py"
ROW = [[0.0] * 3]
BRIEF = Timeouts(start=5.0, call=0.5)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(SOIL)


@pytest.fixture(scope="module")
def scorer(bundle: Bundle) -> Iterator[ProcessScorer]:
    with ProcessScorer([bundle]) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twin(bundle: Bundle, clock: Clock) -> Iterator[Callable[..., ProcessScorer]]:
    running: list[ProcessScorer] = []

    def start(*habit: str, timeouts: Timeouts = BRIEF) -> ProcessScorer:
        running.append(ProcessScorer([bundle], timeouts=timeouts, command=(sys.executable, str(TWIN), *habit), clock=clock, rng=Longest()))
        return running[-1]

    yield start
    for each in running:
        each.close()


def children() -> set[int]:
    """Our own children that still run."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], None], model: bytes | None = None) -> Bundle:
    copy = Path(shutil.copytree(SOIL, tmp_path / "soil"))
    manifest = json.loads((copy / "manifest.json").read_text())
    if model is not None:
        (copy / "model.tflite").write_bytes(model)
        manifest["sha256"] = sha256(model).hexdigest()
    change(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return Bundle.load(copy)


def test_the_golden_cases_come_out_of_the_child_in_one_batch(scorer: ProcessScorer, bundle: Bundle) -> None:
    found = scorer.score("soil", [case.features for case in bundle.golden])
    assert [score.label for score in found] == [case.label for case in bundle.golden]
    assert [score.score for score in found] == pytest.approx([case.outputs[1] for case in bundle.golden], abs=bundle.tolerance)
    assert all(0 <= score.uncertainty <= 14 for score in found)


def test_batches_of_any_size_give_each_row_the_same_score(scorer: ProcessScorer, bundle: Bundle) -> None:
    rows = [case.features for case in bundle.golden] * 50
    whole = scorer.score("soil", rows)
    assert len(whole) == len(rows)
    alone = [scorer.score("soil", [row])[0] for row in rows[: len(bundle.golden)]]
    assert [score.label for score in alone] == [score.label for score in whole[: len(alone)]]
    assert [score.score for score in alone] == pytest.approx([score.score for score in whole[: len(alone)]], abs=0.06)


def test_no_rows_give_no_scores(scorer: ProcessScorer) -> None:
    assert scorer.score("soil", []) == []


def test_an_unknown_model_is_a_key_error(scorer: ProcessScorer) -> None:
    with pytest.raises(KeyError, match="corn"):
        scorer.score("corn", ROW)


def test_the_runtime_has_a_name_and_a_version(scorer: ProcessScorer) -> None:
    assert scorer.runtime == tflite.load().name
    assert scorer.runtime.split()[0] in {"tflite-runtime", "ai-edge-litert"}


def test_rows_of_the_wrong_width_fail_and_the_child_lives_on(scorer: ProcessScorer, bundle: Bundle) -> None:
    scorer.score("soil", [case.features for case in bundle.golden])  # so that the next call has another number of rows
    with pytest.raises(ScorerFailed, match="soil"):
        scorer.score("soil", [[0.0, 1.0]])
    assert scorer.score("soil", [bundle.golden[0].features])
    assert scorer.restarts == {"soil": 0}


def test_rows_of_unequal_width_fail_and_the_child_lives_on(scorer: ProcessScorer, bundle: Bundle) -> None:
    with pytest.raises(ScorerFailed):
        scorer.score("soil", [bundle.golden[0].features, [0.0]])
    assert scorer.score("soil", [bundle.golden[0].features])


def test_a_killed_child_fails_one_call_and_is_started_again(bundle: Bundle, clock: Clock) -> None:
    before = children()
    with ProcessScorer([bundle], clock=clock) as scorer:
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)
        with pytest.raises(ScorerFailed, match="signal 9"):
            scorer.score("soil", [bundle.golden[0].features])
        clock.now += 1.0
        assert scorer.score("soil", [bundle.golden[0].features])[0].label == bundle.golden[0].label
        assert scorer.restarts == {"soil": 1}
    assert children() == before


@pytest.mark.parametrize(
    ("habit", "reason", "kind"),
    [
        ("crash", "signal 11", ScorerFailed),
        ("hang", "did not answer within 0.5 s", ScorerLate),
        ("nan", "not finite", ScorerFailed),
        ("short", "9 bytes for 1 rows", ScorerFailed),
        ("absurd", "made no sense", ScorerFailed),
    ],
)
def test_a_misbehaving_child_fails_the_call_in_time_and_is_replaced(
    twin: Callable[..., ProcessScorer], clock: Clock, tmp_path: Path, habit: str, reason: str, kind: type[ScorerFailed]
) -> None:
    """What is late is told from what is wrong, also by the calls that wait for the next start."""
    scorer = twin(habit, str(tmp_path / "mark"))
    started = time.monotonic()
    with pytest.raises(ScorerFailed, match=reason) as first:
        scorer.score("soil", ROW)
    assert time.monotonic() - started < 3
    with pytest.raises(ScorerFailed, match=r"started again in 1\.0 s") as second:
        scorer.score("soil", ROW)
    assert first.type is second.type is kind
    clock.now += 1.0
    eventually(lambda: scorer.score("soil", ROW) == [Score("soon", 3.0, 5.5)])


def test_an_error_that_the_child_reports_does_not_restart_it(twin: Callable[..., ProcessScorer]) -> None:
    scorer = twin("excuse")
    for _ in range(2):
        with pytest.raises(ScorerFailed, match="no memory left"):
            scorer.score("soil", ROW)
    assert scorer.restarts == {"soil": 0}


def test_a_child_that_keeps_crashing_is_started_ever_more_rarely_up_to_a_bound(twin: Callable[..., ProcessScorer], clock: Clock) -> None:
    scorer = twin("crash")
    waits = []
    for _ in range(8):
        with pytest.raises(ScorerFailed, match=r"died .* started again in") as caught:
            fail_for_good(scorer)
        waits.append(float(str(caught.value).split()[-2]))
        clock.now += waits[-1]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_an_answer_ends_the_back_off(twin: Callable[..., ProcessScorer], clock: Clock) -> None:
    before = children()
    scorer = twin("well")
    for _ in range(3):
        assert scorer.score("soil", ROW)
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)
        with pytest.raises(ScorerFailed, match=r"started again in 1\.0 s"):
            scorer.score("soil", ROW)
        clock.now += 1.0
        eventually(lambda: scorer.score("soil", ROW) != [])


def test_a_child_that_does_not_get_ready_fails_the_start(bundle: Bundle) -> None:
    before = children()
    with pytest.raises(ScorerLate, match=r"still starting|not ready in time"):
        ProcessScorer([bundle], timeouts=Timeouts(start=0.3), command=(sys.executable, str(TWIN), "mute"))
    assert children() == before


def test_a_child_that_dies_at_once_fails_the_start(bundle: Bundle) -> None:
    with pytest.raises(ScorerFailed, match=r"died while starting \(exit status 3\)"):
        ProcessScorer([bundle], timeouts=BRIEF, command=(sys.executable, str(TWIN), "die"))


def test_a_request_larger_than_a_pipe_to_a_child_that_does_not_read_ends_in_time(twin: Callable[..., ProcessScorer]) -> None:
    scorer = twin("hang")
    with pytest.raises(ScorerFailed, match="did not answer"):
        scorer.score("soil", [[0.0] * 20] * 20_000)


def test_a_closed_scorer_leaves_no_child(bundle: Bundle) -> None:
    before = children()
    ProcessScorer([bundle]).close()
    assert children() == before


def test_a_folder_of_our_name_where_the_gateway_was_started_does_not_kill_the_child(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "__init__.py").write_text("raise SystemExit('somebody else wrote this')")
    monkeypatch.chdir(tmp_path)
    with ProcessScorer([bundle]) as scorer:
        assert scorer.score("soil", [bundle.golden[0].features])


def test_a_golden_case_that_does_not_come_out_refuses_the_bundle(tmp_path: Path) -> None:
    def lie(manifest: dict[str, Any]) -> None:
        case = manifest["golden"]["cases"][1]
        case["outputs"] = [output - 5 for output in case["outputs"]]

    with pytest.raises(BundleError, match=r"model\.tflite: golden case 1: the model says"):
        ProcessScorer([changed(tmp_path, lie)])


def test_a_model_of_the_wrong_shape_is_refused(tmp_path: Path) -> None:
    def narrow(manifest: dict[str, Any]) -> None:
        manifest["recipe"]["inputs"].pop()
        for values in (manifest["normalisation"]["offsets"], manifest["normalisation"]["scales"]):
            values.pop()
        for case in manifest["golden"]["cases"]:
            case["features"].pop()
        del manifest["reference"]

    with pytest.raises(BundleError, match=r"model\.tflite: input has shape \[1, \d+\], the manifest needs"):
        ProcessScorer([changed(tmp_path, narrow)])


@pytest.mark.parametrize("model", [b"", b"not a model", b"\0\0\0\0TFL3" + b"\0" * 64], ids=["empty", "text", "header"])
def test_a_model_that_is_none_is_refused_or_dies_in_the_child(tmp_path: Path, model: bytes) -> None:
    with pytest.raises((BundleError, ScorerFailed)):
        ProcessScorer([changed(tmp_path, lambda _: None, model)])


def test_a_bundle_that_changed_since_it_was_loaded_is_refused(tmp_path: Path) -> None:
    bundle = changed(tmp_path, lambda _: None)
    (bundle.model_file).write_bytes(bundle.model_file.read_bytes() + b"\0")
    with pytest.raises(BundleError, match="SHA-256"):
        ProcessScorer([bundle])


@pytest.mark.parametrize("runtime", ["tflite-runtime", "ai-edge-litert"])
def test_every_runtime_at_hand_gives_the_same_labels(bundle: Bundle, runtime: str) -> None:
    try:
        loaded = tflite.load(runtime)
    except tflite.RuntimeMissing as missing:
        pytest.skip(str(missing))
    model = Model(bundle.runnable(), loaded)
    model.check_golden()
    found = model.run(np.array([case.features for case in bundle.golden]))
    assert [bundle.label(float(row[1])) for row in found] == [case.label for case in bundle.golden]


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            assert holds()
        except ScorerFailed as failed:
            if "still starting" not in str(failed) or time.monotonic() > deadline:
                raise
        else:
            return


def fail_for_good(scorer: ProcessScorer) -> None:
    """Calls until the failure is not that the child is still starting."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            scorer.score("soil", ROW)
        except ScorerFailed as failed:
            if "still starting" not in str(failed):
                raise
