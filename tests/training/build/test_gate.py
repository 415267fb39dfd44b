"""The gate: a good bundle passes in three runtimes, and each kind of bad one is refused with a sentence that says why."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner

from edge.models.bundle import Bundle, BundleError
from training.__main__ import cli
from training.build.dense import Layer, Network
from training.build.gate import MICRO, RUNTIMES, Answer, Unjudged, arena_child, judge, probe_rows, run_child, smallest_arena
from training.build.int8 import Grid, write
from training.build.page import held, put

ROOT = Path(__file__).parents[3]
SOIL = ROOT / "models" / "soil"
FEW = 200


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
    graph.inputs, graph.outputs = [tensor(model, graph, "features", [1, 20])], [tensor(model, graph, "said", [1, 3])]
    operators(model, graph)
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1 << 14)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def tensor(model: Any, graph: Any, name: str, shape: list[int], data: Any = None, scales: Any = None) -> int:
    made = schema.TensorT()
    made.name, made.shape, made.buffer = name, shape, 0
    made.type = schema.TensorType.INT8 if scales is not None else schema.TensorType.FLOAT32
    if data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        model.buffers.append(buffer)
        made.buffer = len(model.buffers) - 1
    if scales is not None:
        grid = schema.QuantizationParametersT()
        grid.scale, grid.zeroPoint, grid.quantizedDimension = scales, np.zeros(len(scales), np.int64), 0
        made.quantization = grid
    graph.tensors.append(made)
    return len(graph.tensors) - 1


def operator(model: Any, graph: Any, builtin: int, code_version: int, inputs: list[int], outputs: list[int]) -> None:
    code, made = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), code_version
    model.operatorCodes.append(code)
    made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes) - 1, inputs, outputs
    if builtin == schema.BuiltinOperator.FULLY_CONNECTED:
        made.builtinOptionsType, made.builtinOptions = schema.BuiltinOptions.FullyConnectedOptions, schema.FullyConnectedOptionsT()
    graph.operators.append(made)


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


@pytest.mark.parametrize("name", ["soil", "vibration"])
def test_the_committed_bundles_pass_and_their_pages_say_what_the_gate_found(name: str) -> None:
    verdict = judge(ROOT / "models" / name)
    assert verdict.passed, verdict.refusals
    assert [told.split()[0] for told in verdict.runtimes] == list(RUNTIMES)
    page = held(ROOT / "docs" / "models" / f"{name}.md", "gate")
    assert f"arena of {verdict.arena_bytes} bytes" in page
    assert f"{verdict.probes - verdict.left_out} of {verdict.probes} probes" in page
    assert all(count > 100 for count in (verdict.labels or {}).values())


def test_a_model_in_dynamic_range_quantisation_is_refused(soil: Path) -> None:
    verdict = judge(with_model(soil, float_model(dynamic_range)), probes=FEW)
    assert not verdict.passed
    assert any(said.startswith("tflite-runtime cannot run it") and "version '12'" in said for said in verdict.refusals)


def test_a_model_with_an_operator_that_a_microcontroller_lacks_is_refused(soil: Path) -> None:
    verdict = judge(with_model(soil, float_model(with_clipping)), probes=FEW)
    assert [said.split()[0] for said in verdict.refusals] == [MICRO]


def test_a_model_with_changed_weights_is_refused_for_its_golden_cases(soil: Path) -> None:
    network = (Layer(-np.ones((20, 3), np.float32), np.full(3, 7, np.float32), rectified=False),)
    changed = write(network, [Grid.over(-1, 1), Grid.over(0, 14)], "changed")
    verdict = judge(with_model(soil, changed), probes=FEW)
    assert all(any(said.startswith("golden case") and f"{name} " in said for said in verdict.refusals) for name in RUNTIMES)


def test_a_model_that_is_not_the_one_of_its_manifest_cannot_be_judged(soil: Path) -> None:
    (soil / "model.tflite").write_bytes((soil / "model.tflite").read_bytes() + b"x")
    with pytest.raises(BundleError, match="SHA-256"):
        judge(soil, probes=FEW)


def faked(offsets: dict[str, float]) -> Any:
    """Runtimes that say the first input, more or less."""
    bundle = Bundle.load(SOIL)

    def run(runtime: str, directory: Path, rows: Any) -> Answer:
        scores = np.abs(rows[:, 0]) * 10
        for number, case in enumerate(bundle.golden):
            scores[number] = case.outputs[1]
        said = np.stack([scores] * 3, axis=1)
        said[: len(bundle.golden)] = [case.outputs for case in bundle.golden]
        said[len(bundle.golden) :] += offsets.get(runtime, 0.0)
        return Answer(runtime, said)

    return run


def test_runtimes_that_decide_differently_on_a_probe_are_refused() -> None:
    verdict = judge(SOIL, faked({MICRO: 5.0}), lambda _: 1024)
    assert any("decide differently on" in said and f"{MICRO} " in said for said in verdict.refusals)


def test_rows_near_a_threshold_are_left_out_and_counted() -> None:
    verdict = judge(SOIL, faked({MICRO: 0.3}), lambda _: 1024)
    assert verdict.passed, verdict.refusals
    assert 0 < verdict.left_out < verdict.probes


def test_a_gate_in_which_a_verdict_never_occurs_proves_nothing_and_refuses() -> None:
    verdict = judge(SOIL, faked(dict.fromkeys(RUNTIMES, 100.0)), lambda _: 1024)
    assert any("no probe is decided now or soon" in said for said in verdict.refusals)


def test_a_runtime_that_crashes_is_a_refusal_and_not_a_crash_of_the_gate() -> None:
    def run(runtime: str, directory: Path, rows: Any) -> Answer:
        return Answer(runtime, None, "it ended with signal 11") if runtime == MICRO else faked({})(runtime, directory, rows)

    assert judge(SOIL, run).refusals == (f"{MICRO} cannot run it: it ended with signal 11",)


def test_a_runtime_that_is_missing_is_named_and_not_skipped() -> None:
    with pytest.raises(Unjudged, match="tflite-nano cannot be had on this Python"):
        run_child("tflite-nano", SOIL, np.zeros((1, 20)))


@pytest.mark.parametrize("need", [1, 16, 17, 2352, 100_000, (1 << 24) - 5, 1 << 24])
def test_the_smallest_arena_is_found(need: int) -> None:
    found = smallest_arena(lambda size: size >= need)
    assert need <= found < need + 16
    assert found % 16 == 0


def test_a_model_that_no_arena_holds_is_refused() -> None:
    with pytest.raises(BundleError, match="arena"):
        smallest_arena(lambda _: False)


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
    found = json.loads(shown.output)
    assert found["passed"] is True
    assert f"{found['arena_bytes']} bytes" in held(page, "gate")


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
        put(page, name, text)
    assert held(page, "gate") == "second"
    assert held(page, "recordings") == "other"
    assert page.read_text().startswith("# Page\n\n<!-- gate")
    assert "first" not in page.read_text()
    assert held(tmp_path / "none.md", "gate") == ""
