"""The gate: a good bundle passes in three runtimes, and each kind of bad one is refused with a sentence that says why."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner

from edge.models.bundle import Bundle, BundleError
from edge.models.tflite import RuntimeMissing
from training.__main__ import cli
from training.build.dense import Layer, Network
from training.build.gate import GateReport, NoRuntime, demand_all, judge, probe_rows, summary
from training.build.int8 import Grid, write
from training.build.page import gate_section, put_section, section
from training.build.runtimes import MICRO, RUNTIMES, RuntimeOutputs, arena_child, run_child, smallest_arena

ROOT = Path(__file__).parents[3]
SOIL = ROOT / "models" / "soil"
FEW = 200


def reason_missing(runtime: str) -> str:
    """Why this Python does not have the runtime; empty if it has."""
    try:
        run_child(runtime, SOIL, np.zeros((1, 20)))
    except RuntimeMissing as reason:
        return str(reason)
    return ""


REASONS = {runtime: reason_missing(runtime) for runtime in RUNTIMES}
needs_all = pytest.mark.skipif(any(REASONS.values()), reason="; ".join(filter(None, REASONS.values())))
needs_micro = pytest.mark.skipif(bool(REASONS[MICRO]), reason=REASONS[MICRO])


@pytest.fixture
def soil(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOIL, tmp_path / "soil"))


def with_model(bundle: Path, model: bytes) -> Path:
    """The bundle with another model, whose hash the manifest names."""
    (bundle / "model.tflite").write_bytes(model)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["sha256"] = sha256(model).hexdigest()
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return bundle


def float_model(operators: Callable[[Any, Any], None]) -> bytes:
    """A model of 20 inputs and 3 outputs, float outside, whose operators the caller adds."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description, model.buffers, model.operatorCodes = 3, "bad", [schema.BufferT()], []
    graph.tensors, graph.operators = [], []
    graph.inputs, graph.outputs = [tensor(model, graph, "features", [1, 20])], [tensor(model, graph, "outputs", [1, 3])]
    operators(model, graph)
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1 << 14)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def tensor(model: Any, graph: Any, name: str, shape: list[int], data: Any = None, scales: Any = None) -> int:
    new_tensor = schema.TensorT()
    new_tensor.name, new_tensor.shape, new_tensor.buffer = name, shape, 0
    new_tensor.type = schema.TensorType.INT8 if scales is not None else schema.TensorType.FLOAT32
    if data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        model.buffers.append(buffer)
        new_tensor.buffer = len(model.buffers) - 1
    if scales is not None:
        grid = schema.QuantizationParametersT()
        grid.scale, grid.zeroPoint, grid.quantizedDimension = scales, np.zeros(len(scales), np.int64), 0
        new_tensor.quantization = grid
    graph.tensors.append(new_tensor)
    return len(graph.tensors) - 1


def operator(model: Any, graph: Any, builtin: int, code_version: int, inputs: list[int], outputs: list[int]) -> None:
    code, new_operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), code_version
    model.operatorCodes.append(code)
    new_operator.opcodeIndex, new_operator.inputs, new_operator.outputs = len(model.operatorCodes) - 1, inputs, outputs
    if builtin == schema.BuiltinOperator.FULLY_CONNECTED:
        new_operator.builtinOptionsType, new_operator.builtinOptions = (
            schema.BuiltinOptions.FullyConnectedOptions,
            schema.FullyConnectedOptionsT(),
        )
    graph.operators.append(new_operator)


def dynamic_range(model: Any, graph: Any) -> None:
    """int8 weights between float activations, as TensorFlow writes them now."""
    weights = tensor(model, graph, "weights", [3, 20], np.ones((3, 20), np.int8), np.full(3, 0.1, np.float32))
    operator(model, graph, schema.BuiltinOperator.FULLY_CONNECTED, 12, [0, weights, -1], [1])


def with_clipping(model: Any, graph: Any) -> None:
    """An operator that phones have and microcontrollers do not."""
    weights = tensor(model, graph, "weights", [3, 20], np.ones((3, 20), np.float32))
    between = tensor(model, graph, "between", [1, 3])
    operator(model, graph, schema.BuiltinOperator.FULLY_CONNECTED, 1, [0, weights, -1], [between])
    operator(model, graph, schema.BuiltinOperator.RELU_N1_TO_1, 1, [between], [1])


@cache
def committed(name: str) -> GateReport:
    return judge(ROOT / "models" / name)


@pytest.mark.parametrize("name", ["soil", "vibration"])
def test_the_committed_bundles_pass_and_the_report_says_by_which_runtimes(name: str) -> None:
    report = committed(name)
    assert report.passed, report.refusals
    assert [runtime.split()[0] for runtime in report.runtimes] == [name for name, reason in REASONS.items() if not reason]
    assert report.missing == {name: reason for name, reason in REASONS.items() if reason}
    assert all(count > 100 for count in (report.labels or {}).values())


@needs_all
@pytest.mark.parametrize("name", ["soil", "vibration"])
def test_the_pages_of_the_committed_bundles_say_what_the_gate_found(name: str) -> None:
    report = committed(name)
    page = section(ROOT / "docs" / "models" / f"{name}.md", "gate")
    assert page == gate_section(report, Bundle.load(ROOT / "models" / name))


@needs_all
def test_a_model_in_dynamic_range_quantisation_is_refused(soil: Path) -> None:
    report = judge(with_model(soil, float_model(dynamic_range)), probes=FEW)
    assert not report.passed
    assert any(refusal.startswith("tflite-runtime cannot run it") and "version '12'" in refusal for refusal in report.refusals)


@needs_micro
def test_a_model_with_an_operator_that_a_microcontroller_lacks_is_refused(soil: Path) -> None:
    report = judge(with_model(soil, float_model(with_clipping)), probes=FEW)
    assert [refusal.split()[0] for refusal in report.refusals] == [MICRO]


def test_a_model_with_changed_weights_is_refused_for_its_golden_cases(soil: Path) -> None:
    network = (Layer(-np.ones((20, 3), np.float32), np.full(3, 7, np.float32), rectified=False),)
    changed = write(network, [Grid.over(-1, 1), Grid.over(0, 14)], "changed")
    report = judge(with_model(soil, changed), probes=FEW)
    here = [name for name, reason in REASONS.items() if not reason]
    assert all(any(refusal.startswith("golden case") and f"{name} " in refusal for refusal in report.refusals) for name in here)


def test_a_model_that_is_not_the_one_of_its_manifest_cannot_be_judged(soil: Path) -> None:
    (soil / "model.tflite").write_bytes((soil / "model.tflite").read_bytes() + b"x")
    with pytest.raises(BundleError, match="SHA-256"):
        judge(soil, probes=FEW)


def faked(offsets: dict[str, float]) -> Any:
    """Runtimes whose score is the first input, more or less."""
    bundle = Bundle.load(SOIL)

    def run(runtime: str, directory: Path, rows: Any) -> RuntimeOutputs:
        scores = np.abs(rows[:, 0]) * 10
        for number, case in enumerate(bundle.golden):
            scores[number] = case.outputs[1]
        outputs = np.stack([scores] * 3, axis=1)
        outputs[: len(bundle.golden)] = [case.outputs for case in bundle.golden]
        outputs[len(bundle.golden) :] += offsets.get(runtime, 0.0)
        return RuntimeOutputs(runtime, outputs)

    return run


def test_runtimes_that_decide_differently_on_a_probe_are_refused() -> None:
    report = judge(SOIL, faked({MICRO: 5.0}), lambda _: 1024)
    assert any("decide differently on" in refusal and f"{MICRO} " in refusal for refusal in report.refusals)


def test_rows_near_a_threshold_are_left_out_and_counted() -> None:
    report = judge(SOIL, faked({MICRO: 0.3}), lambda _: 1024)
    assert report.passed, report.refusals
    assert 0 < report.left_out < report.probes


def test_a_gate_in_which_a_verdict_never_occurs_proves_nothing_and_refuses() -> None:
    report = judge(SOIL, faked(dict.fromkeys(RUNTIMES, 100.0)), lambda _: 1024)
    assert any("no probe is decided now or soon" in refusal for refusal in report.refusals)


def test_a_runtime_that_crashes_is_a_refusal_and_not_a_crash_of_the_gate() -> None:
    def run(runtime: str, directory: Path, rows: Any) -> RuntimeOutputs:
        return RuntimeOutputs(runtime, None, "it ended with signal 11") if runtime == MICRO else faked({})(runtime, directory, rows)

    assert judge(SOIL, run).refusals == (f"{MICRO} cannot run it: it ended with signal 11",)


def without(*missing: str) -> Any:
    """The faked runtimes on a Python that cannot have these."""

    def run(runtime: str, directory: Path, rows: Any) -> RuntimeOutputs:
        if runtime in missing:
            raise RuntimeMissing(f"{runtime}: it has no wheels")
        return faked({})(runtime, directory, rows)

    return run


def test_a_runtime_that_is_not_here_does_not_judge_and_report_summary_page_and_json_say_so() -> None:
    report = judge(SOIL, without(MICRO), lambda _: 1024)
    assert report.passed
    assert (report.runtimes, report.missing, report.arena_bytes) == (RUNTIMES[:2], {MICRO: f"{MICRO}: it has no wheels"}, None)
    assert f"Not judged by {MICRO}: it has no wheels." in list(summary(report))
    section = gate_section(report, Bundle.load(SOIL))
    assert "## In two runtimes" in section
    assert f"It was not judged by every runtime. {MICRO}: it has no wheels." in section
    assert json.loads(report.as_json())["missing"] == report.missing


def test_one_runtime_alone_reproduces_golden_cases_and_its_page_claims_no_more() -> None:
    report = judge(SOIL, without(RUNTIMES[0], MICRO), lambda _: 1024)
    assert report.passed
    section = gate_section(report, Bundle.load(SOIL))
    assert f"on {RUNTIMES[1]} alone" in section
    assert "alike" not in section
    assert "arena" not in section


def test_who_demands_all_runtimes_is_refused_without_one() -> None:
    report = demand_all(judge(SOIL, without(MICRO), lambda _: 1024))
    assert report.refusals == (f"not judged by {MICRO}: it has no wheels",)
    assert demand_all(judge(SOIL, faked({}), lambda _: 1024)).passed


def test_a_gate_without_any_runtime_is_not_held() -> None:
    with pytest.raises(NoRuntime, match=f"{MICRO}: it has no wheels"):
        judge(SOIL, without(*RUNTIMES))


def test_a_runtime_that_nobody_has_is_missing_by_name() -> None:
    with pytest.raises(RuntimeMissing, match="tflite-nano: there is no such runtime"):
        run_child("tflite-nano", SOIL, np.zeros((1, 20)))


@pytest.mark.parametrize("need", [1, 16, 17, 2352, 100_000, (1 << 24) - 5, 1 << 24])
def test_the_smallest_arena_is_found(need: int) -> None:
    found = smallest_arena(lambda size: size >= need)
    assert need <= found < need + 16
    assert found % 16 == 0


def test_a_model_that_no_arena_holds_is_refused() -> None:
    with pytest.raises(BundleError, match="arena"):
        smallest_arena(lambda _: False)


@needs_micro
def test_the_arena_of_a_larger_model_is_larger(soil: Path) -> None:
    def sized(width: int) -> Network:
        shapes = ((20, width), (width, 3))
        return tuple(Layer(np.full(shape, 0.01, np.float32), np.zeros(shape[1], np.float32), rectified=False) for shape in shapes)

    grids = [Grid.over(-1, 1), Grid.over(-1, 1), Grid.over(0, 14)]
    small, large = (arena_child(with_model(soil, write(sized(width), grids, "sized"))) for width in (8, 512))
    assert small < large


def test_probes_are_the_same_every_time_and_around_the_golden_cases() -> None:
    bundle = Bundle.load(SOIL)
    rows = probe_rows(bundle, 500)
    np.testing.assert_array_equal(rows, probe_rows(bundle, 500))
    assert rows.shape == (500, len(bundle.recipe.inputs))
    assert np.isfinite(rows).all()


def test_the_command_writes_its_section_and_says_what_it_found_as_json(tmp_path: Path) -> None:
    page = tmp_path / "soil.md"
    page.write_text("# Soil\n")
    shown = CliRunner().invoke(cli, ["gate", str(SOIL), "--json", "--page", str(page)])
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.output)
    assert report["passed"] is True
    assert report["missing"] == {name: reason for name, reason in REASONS.items() if reason}
    assert all(name in section(page, "gate") for name in RUNTIMES)


def test_the_command_refuses_with_status_1_and_takes_no_bundle_that_is_not_there(soil: Path) -> None:
    refused = CliRunner().invoke(cli, ["gate", str(with_model(soil, b"no model")), "--json"])
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["passed"] is False
    assert "cannot run it" in refused.stderr
    assert CliRunner().invoke(cli, ["gate", str(soil / "none")]).exit_code == 2


def test_a_section_is_replaced_in_its_place_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    for name, text in (("gate", "first"), ("recordings", "other"), ("gate", "second")):
        put_section(page, name, text)
    assert section(page, "gate") == "second"
    assert section(page, "recordings") == "other"
    assert page.read_text().startswith("# Page\n\n<!-- gate")
    assert "first" not in page.read_text()
    assert section(tmp_path / "none.md", "gate") == ""
