"""Every command logs in one way: prefix, levels, and a form that Cloud Logging reads."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from program import logs

ROOT = Path(__file__).parents[2]

SCRIPT = """
import logging, sys
from program import logs
logs.set_up(*sys.argv[1:])
ours, library = logs.get("edge.run"), logging.getLogger("apache_beam")
ours.debug("failure %d", 1)
ours.info("gateway runs")
library.info("chatter")
library.warning("look here")
try:
    1 / 0
except ZeroDivisionError:
    ours.exception("a turn failed")
"""


def logged(*words: str) -> list[str]:
    """The lines that a program of its own writes to standard error: in ours, pytest has set handlers already."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_states_are_logged_by_default_and_libraries_only_when_they_warn():
    lines = [line.split(" ", 1)[1] for line in logged()]
    assert lines[:3] == ["INFO tinybeam.edge.run: gateway runs", "WARNING apache_beam: look here", "ERROR tinybeam.edge.run: a turn failed"]


def test_a_line_begins_with_the_time_in_utc():
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z INFO ", logged()[0])


def test_a_level_holds_for_ours_alone():
    assert [line.split()[1] for line in logged("debug")[:3]] == ["DEBUG", "INFO", "WARNING"]
    assert next(line.split()[1:3] for line in logged("error")) == ["WARNING", "apache_beam:"]


def test_json_is_an_object_a_line_in_the_fields_of_cloud_logging():
    entries = [json.loads(line) for line in logged("info", "json")]
    assert [entry["severity"] for entry in entries] == ["INFO", "WARNING", "ERROR"]
    assert [entry["message"] for entry in entries] == ["gateway runs", "look here", "a turn failed"]
    assert entries[0]["logging.googleapis.com/labels"] == {"logger": "tinybeam.edge.run"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", entries[0]["time"])
    assert "stack_trace" not in entries[0]
    assert entries[2]["stack_trace"].startswith("Traceback ")
    assert entries[2]["stack_trace"].endswith("ZeroDivisionError: division by zero")


@click.command()
@click.argument("name")
@logs.options
def greet(name: str) -> None:
    click.echo(f"{name} {logging.getLogger('tinybeam').level}")


def test_a_command_takes_the_level_and_keeps_its_own_arguments(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logging.getLogger("tinybeam"), "level", logging.NOTSET)
    result = CliRunner().invoke(greet, ["gateway", "--log_level=error"])
    assert result.output == f"gateway {logging.ERROR}\n"


def test_the_old_flag_names_the_new_one():
    result = CliRunner().invoke(greet, ["gateway", "--verbose"])
    assert result.exit_code == 2
    assert "--log_level=debug" in result.output


@pytest.mark.parametrize("room", ["edge", "lab", "notify", "pipeline", "program", "schemas", "sql", "training"])
def test_no_module_names_a_logger_of_ours_in_another_way(room: str):
    other = [str(file) for file in (ROOT / room).rglob("*.py") if "getLogger(__name__)" in file.read_text()]
    assert other == []
