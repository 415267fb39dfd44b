"""Rejects are shown and exported whatever bytes they hold."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import rejects
from pipeline.refused import Refused
from pipeline.replay import export, show
from schemas.envelope import entries
from schemas.remedies import REMEDIES
from tests.pipeline.bodies import NOW, message, summary
from tests.pipeline.replay.test_recover import MIXED, assign_rejects

ROOT = Path(__file__).parents[3]


def sensor(body: bytes, **changes: str) -> dict[str, object]:
    return {
        "reject_id": "gw1:7:1:0",
        "stage": "edge.intake",
        "reason": "malformed_json",
        "payloadBytes": body,
        "payloadString": None,
        "attributes": [],
        "errorMessage": "not JSON",
        "timestamp": NOW,
        **changes,
    }


def lines(row: dict[str, object], most_bytes: int = 100) -> str:
    return "\n".join(show.reject(row, most_bytes, 2))


def test_bytes_are_shown_as_what_they_are() -> None:
    assert '"moisture": 3' in lines(sensor(b'{"moisture":3}'))
    assert lines(sensor(b"hot!")).endswith("hot!")
    assert lines(sensor(b"\xff\x00")).endswith("ff 00")
    [unknown] = assign_rejects(MIXED)
    assert "rows           4" in lines(unknown)
    assert '"device_id": "stranger"' in lines(unknown)
    assert "... 2 more" in lines(unknown)
    [undecodable] = rejects.of_message(Refused(message([summary()], gateway_id="?"), "bad_envelope", "no"), NOW).rows.to_pylist()
    assert "attribute      gateway_id = ?" in lines(undecodable)
    assert '"device_id": "d1"' in lines(undecodable)


@given(st.binary(max_size=500), st.text(max_size=300))
def test_nothing_that_a_stranger_sent_moves_a_cursor_or_floods_the_screen(body: bytes, reason: str) -> None:
    shown = lines(sensor(body, reason=reason, errorMessage="\x1b[2J" + reason))
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert len(shown) < 3000
    [_, row] = show.table([{"reason": reason, "rejects": 1}])
    assert row.isprintable()


def test_a_message_is_exported_as_an_export_file_and_a_payload_as_it_came(tmp_path: Path) -> None:
    sent = message([summary()], gateway_id="?")
    [row] = rejects.of_message(Refused(sent, "bad_envelope", "no"), NOW).rows.to_pylist()
    for _ in range(2):
        path = export.write(row, tmp_path)
        assert list(entries(io.BytesIO(path.read_bytes()))) == [(sent.attributes, sent.body)]
        assert export.write(sensor(b"{bad"), tmp_path).read_bytes() == b"{bad"
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4
    assert json.loads(path.with_suffix(".json").read_text())["reason"] == "bad_envelope"


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "", "..", "a\x00b", "x" * 999])
def test_what_a_stranger_wrote_leads_to_no_other_folder(tmp_path: Path, name: str) -> None:
    path = export.write(sensor(b"", reason=name, stage="edge.intake"), tmp_path / "exported")
    assert path.resolve().is_relative_to((tmp_path / "exported").resolve())


def test_every_reason_of_the_page_has_a_remedy_and_every_remedy_a_reason() -> None:
    page = (ROOT / "docs/rejects.md").read_text()
    reasons = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and "." not in line.split("`")[1]}
    assert reasons == set(REMEDIES)
