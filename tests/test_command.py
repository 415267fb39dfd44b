"""The command: every help teaches, a gateway stays light, and what is missing is named in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tinybeam import main

ROOT = Path(__file__).parents[1]
ROOMS = ["edge", "check", "pipeline", "notify", "sql", "keys", "release", "label", "train", "lab"]
HEAVY = ["aquacrop", "apache_beam", "google.cloud.bigquery", "nanoarrow", "numba", "pandas", "pyarrow", "tensorflow"]


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_first_help_names_every_room_and_imports_none():
    result = python(
        "import sys, tinybeam; tinybeam.main(['--help'], standalone_mode=False); print({'edge', 'lab', 'sql'} & set(sys.modules))"
    )
    assert result.stdout.endswith("set()\n"), result.stderr
    assert all(f"\n  {room} " in result.stdout for room in ROOMS)


def test_every_command_has_a_help_that_says_what_it_does():
    for words, command in commands(main):
        if words == ("pipeline",):
            continue
        result = CliRunner().invoke(main, [*words, "--help"])
        assert result.exit_code == 0, (words, result.output)
        assert command.help, f"tinybeam {' '.join(words)} has no help text"


def test_no_help_shows_the_mark_that_keeps_its_lines_apart():
    marked = [" ".join(words) for words, _ in commands(main) if "\\b" in CliRunner().invoke(main, [*words, "--help"]).output]
    assert marked == []


def test_every_option_has_a_help_that_says_what_it_is_for():
    silent = [
        f"tinybeam {' '.join(words)} {parameter.opts[0]}"
        for words, command in commands(main)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


def test_the_pipeline_tells_its_own_flags_and_leaves_the_rest_to_beam():
    result = python("import tinybeam; tinybeam.main(['pipeline', '--help'])")
    assert result.returncode == 0, result.stderr
    assert "--input_subscription" in result.stdout


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["validate", "--help"]])
def test_a_gateway_imports_nothing_heavy(words):
    result = python(f"""if True:
        import importlib, json, pkgutil, sys, edge, tinybeam
        tinybeam.main(["edge", *{words!r}], standalone_mode=False)
        for module in pkgutil.iter_modules(edge.__path__):
            importlib.import_module("edge." + module.name)
        print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
    """)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == []


def test_the_notifier_imports_nothing_heavy():
    result = python(f"""if True:
        import importlib, json, pkgutil, sys, notify
        for module in pkgutil.iter_modules(notify.__path__):
            importlib.import_module("notify." + module.name)
        print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
    """)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == []


def test_a_missing_extra_is_told_in_one_sentence():
    result = python("import sys; sys.modules['apache_beam'] = None; import tinybeam; tinybeam.main(['pipeline'])")
    assert result.returncode == 1
    assert result.stderr == "Error: apache_beam is not installed: run `pip install 'tinybeam[pipeline]'`\n"


def test_a_missing_module_of_ours_is_a_fault_and_not_hidden():
    result = python("import sys; sys.modules['schemas.registry'] = None; import tinybeam; tinybeam.main(['sql'])")
    assert "ModuleNotFoundError" in result.stderr


def test_a_command_that_does_not_exist_is_told_with_those_that_do():
    result = CliRunner().invoke(main, ["egde"])
    assert result.exit_code == 2
    assert "edge, check, pipeline, alerts, rejects, notify, sql, certify, keys, release, cost, dash, label, train, lab" in result.output


def test_the_version_is_the_installed_one():
    result = CliRunner().invoke(main, ["--version"])
    assert result.output.startswith("tinybeam, version 0.")
