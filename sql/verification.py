"""Finds what is wrong in the SQL files: grammar and habits without a warehouse, names of columns and the facts themselves with one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from sql.bounds import PARTITIONS, unbounded
from sql.questions import bind
from sql.scripts import ASKING, CREATING, Script, ScriptError
from sql.service import reason


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault is what is wrong with a file."""

    path: str
    text: str


def grammar(wanted: Iterable[Script]) -> Iterator[Fault]:
    """Parses each file by sqlfluff's BigQuery grammar. Raises ImportError where sqlfluff is not installed."""
    from sqlfluff.core import Linter

    linter = Linter(dialect="bigquery")
    for script in wanted:
        for violation in linter.parse_string(script.text).violations:
            yield Fault(script.path, f"line {violation.line_no}: {violation.desc()}")


def habits(wanted: Iterable[Script]) -> Iterator[Fault]:
    """Asks of each file a question on top, readable parameters that are the ones used, one object that bears the file's name, and a filter
    on the partition that stands where the table is read.
    """
    for script in wanted:
        if script.folder != "tables" and "?" not in " ".join(script.header):
            yield Fault(script.path, "the comment at the top must ask the question that it answers")
        if script.folder in ASKING:
            yield from _habits_of_asking(script)
        yield from (Fault(script.path, text) for text in unbounded(script))
        if script.folder in CREATING and script.name not in script.references:
            yield Fault(script.path, f"it does not create {script.name}")
        for name in sorted(script.qualifying):
            yield Fault(script.path, f"{name}.column needs an alias, as in `tinybeam.{name} as {name}`: what it is called is a setting")
        if script.statements != 1 or not script.code.endswith(";"):
            yield Fault(script.path, "it must be one statement that ends with ;")


def columns(client: bigquery.Client, wanted: Iterable[Script], now: datetime) -> Iterator[Fault]:
    """Looks up every column by the service's own dry run. What the scripts read must have been applied.

    The local server looks into a function only where a view or query calls it.
    """
    for script in wanted:
        config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False, query_parameters=bind(script, {}, now))
        try:
            client.query(script.text, job_config=config)
        except GoogleAPICallError as error:
            yield Fault(script.path, reason(error))


def _habits_of_asking(script: Script) -> Iterator[Fault]:
    try:
        declared = {parameter.name for parameter in script.parameters}
    except ScriptError as error:
        yield Fault(script.path, str(error))
        return
    used = script.variables
    yield from (Fault(script.path, f"@{name} is used and not declared in the header") for name in sorted(used - declared))
    yield from (Fault(script.path, f"@{name} is declared and not used") for name in sorted(declared - used))
    if not script.reads_only_what_is_small and not script.filters(set(PARTITIONS.values())):
        yield Fault(script.path, "it must filter on the partition by a parameter")
