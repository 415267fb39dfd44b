"""`tinybeam edge try`: a recording through the gateway's own code, shown and written to export files."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.__main__ import cli
from edge.recording import BadLines, read_recording
from schemas.envelope import entries
from tests.edge.gateways import config

SETTINGS = """
[gateway]
id = "gw-1"
state_dir = "state"
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[[sensors]]
name = "air"
devices = ["air-*"]
channels = { co2 = "ppm" }
[[sensors.thresholds]]
name = "stuffy"
channel = "co2"
above = 1200
"""
READINGS = """\
{"device": "air-1", "time": "2026-05-01T12:00:00Z", "seq": 1, "values": {"co2": 600}}
{"device": "air-1", "time": 1777636830, "seq": 2, "values": {"co2": 1600}}

{"device": "air-1", "time": "2026-05-01T12:01:30Z", "seq": 3, "values": {"co2": "much"}}
{"device": "water-1", "time": "2026-05-01T12:01:40Z", "values": {"level": 1}}
"""


def tried(folder: Path, readings: str, *options: str) -> Result:
    file = folder / "gateway.toml"
    file.write_text(SETTINGS)
    return CliRunner().invoke(cli, ["try", "-", "--config", str(file), *options], input=readings)


def test_what_the_gateway_would_send_is_told(tmp_path: Path) -> None:
    result = tried(tmp_path, READINGS)
    assert result.exit_code == 0
    assert "summaries  air-1 co2: 2 values, mean 1100 ppm, 600 to 1600, in the 60 s from 2026-05-01 12:00:00" in result.stdout
    assert "events     air-1 stuffy: normal -> high at 1600, warning, 2026-05-01 12:00:30" in result.stdout
    assert "rejects    air-1: wrong_type" in result.stdout
    assert "rejects    water-1: no_sensor_class" in result.stdout
    assert "2 readings stored, 2 summarised, 2 rejected" in result.stdout
    assert not (tmp_path / "state").exists()


def test_a_line_may_carry_the_payload_of_another_format(tmp_path: Path) -> None:
    line = {"device": "air-1", "time": "2026-05-01T12:00:00Z"}
    payload = b'{"values": {"co2": 700}}'
    lines = [{**line, "payload": payload.decode()}, {**line, "payload_base64": b64encode(payload).decode()}, {**line, "payload": "7"}]
    result = tried(tmp_path, "\n".join(map(json.dumps, lines)))
    assert "summaries  air-1 co2: 2 values, mean 700 ppm, 700 to 700" in result.stdout
    assert "rejects    air-1: wrong_type" in result.stdout


def test_json_has_every_column_of_every_row(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in tried(tmp_path, READINGS, "--json").stdout.splitlines()]
    [summary] = [row for row in rows if row["kind"] == "summaries"]
    assert summary["window_start"].startswith("2026-05-01T12:00:00")
    assert summary["seq_ranges"] == [1, 2]
    assert {row["kind"] for row in rows} == {"summaries", "events", "rejects", "heartbeats"}


def test_the_export_file_holds_every_batch(tmp_path: Path) -> None:
    assert tried(tmp_path, READINGS, "--export", str(tmp_path / "exported")).exit_code == 0
    [path] = (tmp_path / "exported").glob("*.tbb")
    with path.open("rb") as file:
        kinds = [head["kind"] for head, _ in entries(file)]
    assert set(kinds) == {"summaries", "events", "rejects", "heartbeats"}


def test_the_option_of_earlier_versions_is_refused_with_its_new_name(tmp_path: Path) -> None:
    refused = tried(tmp_path, READINGS, "--card", str(tmp_path / "cards"))
    assert (refused.exit_code, "--card is --export now" in refused.output) == (2, True)


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"device": "d"}', b'{"device": "d", "time": "noon"}', b'{"device": "d", "time": 1e300}', b"\xff", b"a/b {}"]
)
def test_a_line_that_is_no_message_is_named_and_the_next_is_read(line: bytes, tmp_path: Path) -> None:
    bad = BadLines()
    lines = [b'{"device": "d1", "time": 0}', line, b"sensors/d1/readings 7"]
    messages = list(read_recording(lines, config(tmp_path), bad))
    assert [message.topic for message in messages] == ["sensors/d1/readings"] * 2
    assert (bad.count, bad.sentences[0].startswith("line 2: ")) == (1, True)


def test_17_what_mosquitto_sub_prints_is_read_and_bad_lines_are_counted(tmp_path: Path) -> None:
    lines = (
        'sensors/air-1/readings {"time": "2026-05-01T12:00:00Z", "values": {"co2": 600}}\n'
        'sensors/air-1/readings {"values": \n'
        "}}\n"
        '2026-05-01T14:00:30+0200 sensors/air-1/readings {"values": {"co2": 800}}\n'
        '1777636840.5 sensors/air-1/readings {"values": {"co2": 1000}}\n'
    )
    result = tried(tmp_path, lines)
    assert result.exit_code == 0
    assert "summaries  air-1 co2: 3 values, mean 800 ppm, 600 to 1000, in the 60 s from 2026-05-01 12:00:00" in result.stdout
    assert "rejects    air-1: malformed_json" in result.stdout
    assert "1 lines are no messages: line 3: " in result.stderr


def test_a_wrong_line_is_a_usage_error(tmp_path: Path) -> None:
    result = tried(tmp_path, "no reading\n")
    assert result.exit_code == 2
    assert "line 1" in result.stderr


def test_no_readings_are_no_rows(tmp_path: Path) -> None:
    assert tried(tmp_path, "").stdout == ""


def test_values_that_no_channel_takes_are_named_once(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(SETTINGS + '[sensors.payload]\npreset = "zigbee2mqtt"\n')
    tried = CliRunner().invoke(cli, ["try", "-", "--config", str(file)], input='zigbee2mqtt/air-1 {"linkquality": 9}\n' * 2)
    assert tried.stderr.count("'linkquality' in messages of the class 'air' is none of its channels and left out: channels or") == 1
