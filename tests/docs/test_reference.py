"""The reference pages know everything that the code knows: reasons of rejects, metrics, views, queries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import metrics
from docs.generate.__main__ import GENERATED, ROOT
from pipeline.authenticate import Fault

REJECTING = {"Fault", "PayloadError", "Rejected", "RejectedRows", "Undecodable", "_refused"}


def reasons_of(file: Path) -> Iterator[str]:
    """Reasons that a module writes out: the first argument of what rejects, the words of its table of checks, and of that of its texts."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REJECTING and node.args:
            yield from words(node.args[0])
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "_CHECKS":
            yield from (check.elts[0].value for check in node.value.elts if isinstance(check, ast.Tuple))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and ast.unparse(node.targets[0]) == "_TEXTS":
            yield from (word for key in node.value.keys for word in words(key))
        if isinstance(node, ast.FunctionDef) and node.name == "_checks":
            yields = (each.value for each in ast.walk(node) if isinstance(each, ast.Yield) and isinstance(each.value, ast.Tuple))
            yield from (word for each in yields for word in words(each.elts[0]))


def words(node: ast.expr) -> Iterator[str]:
    """The constant, or both of a choice."""
    if isinstance(node, ast.Constant):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from (*words(node.body), *words(node.orelse))


def test_every_reason_of_a_reject_is_on_its_page_and_no_other():
    files = [file for room in ("edge", "pipeline") for file in (ROOT / room).rglob("*.py")]
    written = {reason for file in files for reason in reasons_of(file)} | set(Fault)
    explained = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "rejects.md").read_text(), re.MULTILINE))
    assert len(written) > 20
    assert explained == written


def test_every_metric_that_a_page_names_is_one():
    shown = set(re.findall(r"^\| `(\w+)` \| (?:gauge|counter) \|", metrics.page(), re.MULTILINE))
    named = {name for page in ROOT.rglob("docs/**/*.md") for name in re.findall(r"`(tinybeam_\w+)`", page.read_text())}
    assert {"tinybeam_store_full", "tinybeam_readings_stored_total"} <= shown
    assert named - shown == set()


def test_a_page_of_a_view_that_is_no_more_is_found_and_deleted(tmp_path: Path):
    GENERATED.write(tmp_path)
    (tmp_path / "docs/views/of_before.md").write_text("")
    assert GENERATED.stale(tmp_path) == [Path("docs/views/of_before.md")]
    GENERATED.write(tmp_path)
    assert GENERATED.stale(tmp_path) == []


@pytest.mark.parametrize(
    "page", [Path("docs/metrics.md"), Path("docs/views.md"), Path("docs/views/alerts.md"), Path("docs/queries/driest_fields.md")]
)
def test_a_page_that_was_changed_by_hand_is_found(page: Path, tmp_path: Path):
    GENERATED.write(tmp_path)
    assert GENERATED.stale(tmp_path) == []
    (tmp_path / page).write_text("changed")
    assert GENERATED.stale(tmp_path) == [page]


def test_the_pages_are_fresh():
    assert GENERATED.stale(ROOT) == []
