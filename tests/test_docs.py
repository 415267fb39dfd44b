"""The documents tell the truth: every link leads somewhere; every make target, command, option, module and query in them is there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import get_args, get_type_hints

import click
import pytest
from click.testing import CliRunner

from edge.config import Config as EdgeConfig
from notify.config import Config as NotifyConfig
from pipeline.command import cli as pipeline
from pipeline.dataflow.choices import job_options
from pipeline.flags import UsageError
from pipeline.options import parse
from schemas.records import TABLES
from sql.questions import ask
from sql.scripts import scripts
from tinybeam import main

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
SPOKEN = [page for page in PAGES if page.parent not in {ROOT / "docs" / "tables", ROOT / "docs" / "adr"}]


def code(page: Path) -> Iterator[str]:
    """Lines in fenced blocks, continued ones joined, and words between backticks."""
    text = page.read_text().replace("\\\n", " ")
    fenced = re.findall(r"^```[^\n`]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for block in fenced:
        yield from filter(None, (line.partition(" #")[0].strip() for line in block.splitlines()))
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```[^\n`]*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def spoken(first: str) -> list[tuple[str, list[str]]]:
    """(page, words) of every command in the documents that begins with this word."""
    found = []
    for page in SPOKEN:
        for line in code(page):
            words = shlex.split(line) if first in line else []
            if words and Path(words[0]).name == first:
                found.append((page.name, words[1:]))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page):
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())]
    assert [link for link in links if link and "://" not in link and not (page.parent / link).exists()] == []


def test_every_file_of_ours_that_is_named_is_there():
    """In backticks, from the root. Pages that tell how to add a file name files that are not there yet."""
    file = re.compile(r"`((?:[a-z]+/)+[\w.-]+\.(?:py|toml|sql|md|j2))`")
    pages = [page for page in PAGES if page.parent.name != "how-to"]
    named = [(page, name) for page in pages for name in file.findall(page.read_text()) if (ROOT / name.partition("/")[0]).is_dir()]
    assert len(named) >= 10
    assert [f"{page.name}: {name}" for page, name in named if not (ROOT / name).is_file()] == []


def test_every_decision_is_in_the_list_of_decisions():
    folder = ROOT / "docs" / "adr"
    listed = set(re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {page.name for page in folder.glob("0*.md")}


def test_every_make_target_is_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words[0] for _, words in spoken("make") if words}
    assert named >= {"demo", "test", "check", "lock"}
    assert named - targets == set()


def test_the_makefile_tells_of_every_target():
    text = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split())
    assert phony == set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))


def test_every_command_and_option_is_there():
    told = spoken("tinybeam")
    assert len(told) > 15
    for page, words in told:
        check(page, words)


def check(page: str, words: list[str]) -> None:
    if words[:1] == ["pipeline"] and len(words) > 1 and words[1] != "--help" and words[1] not in pipeline.commands:
        check_flags(page, words, parse, words[1:])
        return
    command: click.Command = main
    context = click.Context(main)
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"{page}: tinybeam has no {words[0]!r}"
        command, words = found, words[1:]
    known = {option for parameter in command.get_params(context) for option in parameter.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    if command.context_settings.get("ignore_unknown_options") and unknown:
        check_flags(page, words, job_options, unknown)
    else:
        assert unknown == [], page


def check_flags(page: str, words: list[str], read: Callable[[list[str]], object], flags: list[str]) -> None:
    try:
        read(flags)
    except UsageError as error:
        pytest.fail(f"{page}: tinybeam {' '.join(words)}: {error}")


def test_every_query_is_there():
    queries = {path.stem for path in (ROOT / "sql" / "queries").glob("*.sql")}
    named = {words[2] for _, words in spoken("tinybeam") if words[:2] == ["sql", "query"] and len(words) > 2}
    assert named
    assert named - queries == set()


def test_every_query_that_is_named_runs_as_it_is_written(applied):
    """`tinybeam sql query NAME --param ...` with its parameters, against the local warehouse."""
    questions = {script.name: script for script in scripts("queries")}
    asked = [words[2:] for _, words in spoken("tinybeam") if words[:2] == ["sql", "query"] and len(words) > 2]
    assert len(asked) > 8
    for name, *words in asked:
        given = dict(value.split("=", 1) for option, value in pairwise(words) if option == "--param")
        if given == {parameter.name: parameter.default for parameter in questions[name].parameters}:
            continue  # tests/sql/test_columns.py asks every query so
        list(ask(applied, questions[name], given, datetime.now(UTC)))


def test_every_make_target_can_be_made():
    for target in {words[0] for _, words in spoken("make") if words}:
        done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"make {target}: {done.stderr}"


def test_every_command_tells_how_it_is_used():
    paths = list(commands(main, ()))
    assert len(paths) > 15
    for path in paths:
        result = CliRunner().invoke(main, [*path, "--help"])
        assert result.exit_code == 0, f"tinybeam {' '.join(path)} --help: {result.output}"
        assert len(result.output) > 200, path


def commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_every_setting_that_is_named_is_one():
    """`section.setting` between backticks, where the section is one of a configuration file."""
    sections: dict[str, set[str]] = defaultdict(set)
    for name, keys in (*settings(EdgeConfig), *settings(NotifyConfig)):
        sections[name] |= keys
    named = [
        (page.name, section, key)
        for page in SPOKEN
        for section, key in re.findall(r"`(\w+)\.([a-z_]+)(?: = [^`]+)?`", page.read_text())
        if section in sections and key not in {"py", "toml"}
    ]
    assert len(named) > 3
    assert [f"{page}: {section}.{key}" for page, section, key in named if key not in sections[section]] == []


def settings(config: type) -> Iterator[tuple[str, set[str]]]:
    """(section, its settings) of a configuration's dataclass; lists of tables too."""
    for name, hint in get_type_hints(config).items():
        for section in (hint, *get_args(hint)):
            if is_dataclass(section):
                yield name, {field.name for field in fields(section)}
            elif hasattr(section, "__struct_fields__"):
                yield name, set(section.__struct_fields__)


def test_every_table_has_its_page_and_every_page_is_listed():
    pages = {page.stem for page in (ROOT / "docs" / "tables").glob("*_v*.md")}
    assert pages == {table.name for table in TABLES.values()}
    assert pages <= set(re.findall(r"\((\w+)\.md\)", (ROOT / "docs" / "tables" / "README.md").read_text()))


def test_each_change_that_contributing_places_touches_five_files_at_most():
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where do I put ...")[2].partition("\n## ")[0]
    changes = [row.split("|")[1:] for row in table.splitlines() if row.startswith(("| a", "| the "))][1:]
    files = {change.strip(): re.findall(r"\]\(([^)]+)\)", begins + line) for change, begins, line, *_ in changes}
    assert len(files) == 13
    assert {change: len(named) for change, named in files.items() if not 1 <= len(named) <= 5} == {}
    assert [file for named in files.values() for file in named if not (ROOT / file).is_file()] == []


def test_every_module_that_is_run_is_there():
    named = {words[1] for _, words in spoken("python") if words[:1] == ["-m"]}
    assert "schemas" in named
    assert [name for name in sorted(named) if find_spec(name) is None] == []


def test_every_component_of_the_architecture_is_a_module():
    """`store/journal` is that module of the room, `formats` is a module or folder anywhere in it."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    for room in ("edge", "pipeline"):
        section = text.partition(f"\n## {room}: ")[2].partition("\n## ")[0]
        named = [name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`([\w/]+?)/?`", row)]
        assert named
        paths = [
            path.relative_to(ROOT / room).with_suffix("") for path in (ROOT / room).rglob("*") if path.is_dir() or path.suffix == ".py"
        ]
        modules = {str(path) for path in paths} | {path.name for path in paths}
        assert [name for name in named if name not in modules] == []


def test_the_picture_says_in_words_what_it_shows():
    picture = (ROOT / "docs" / "path.svg").read_text()
    assert 'role="img"' in picture
    assert re.search(r"<desc[^>]*>.{80,}</desc>", picture)
