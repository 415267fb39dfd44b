"""docs/views.md and a page for each view and query: what it answers, its parameters and columns, what it reads, and an example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.records import TABLES
from sql.columns import Shown, columns, of_any_time
from sql.scripts import Script, scripts

_GENERATED = "<!-- Generated from sql/ by `python -m docs.generate`. Do not edit. -->\n"
_INTRODUCTION = """\
# Views and queries

Views are the interface to the warehouse: they have no version and show each fact once. A view shows the last 90 days, and
`NAME_between(from_time, to_time)` the same of any time:
`select * from tinybeam.summaries_between(timestamp '2026-05-01', timestamp '2026-05-03')`
reads those two days. `tinybeam sql query` lists the queries, and with a name it asks one; with `--dry_run` it says how many bytes that
would read and what they cost, and `--maximum_bytes_billed` bounds it. What the tables hold is in [tables](tables/README.md), and how
datasets and views are named by setting in [settings of the warehouse](warehouse.md).
All times are UTC. "Channel unit" is the row's own `unit`; "as the score" is the unit that the model's bundle declares.
"""
_PARTITIONS = {table.name: table.partition for table in TABLES.values()}
_CREATING = {script.name: script for script in scripts("tables", "functions", "views")}


def pages() -> dict[Path, str]:
    """Returns the pages by path. Raises KeyError for a view or query that sql/columns.toml does not know."""
    listed = [(folder, script) for folder in ("views", "queries") for script in scripts(folder)]
    return {Path("docs/views.md"): _index()} | {Path(f"docs/{folder}/{script.name}.md"): page(script) for folder, script in listed}


def page(script: Script) -> str:
    """Returns the Markdown of one view or query."""
    parts = (
        f"# {script.name}\n\n" + "\n".join(_prose(script)) + "\n" + _parameters(script),
        f"## Columns\n{_table(columns()[script.folder][script.name])}",
        f"## What it reads\n\n{_reads(script)}",
        f"## Example\n\n{_example_of_query(script) if script.folder == 'queries' else _example_of_view(script)}",
    )
    return _GENERATED + "\n".join(parts)


def example_of_view(script: Script) -> str:
    """Returns a statement that asks the view for its last two days, by a column that is a table's partition."""
    days = {partition for name in _read_in_all(script) if (partition := _PARTITIONS.get(name))} | {"hour", "day"}
    by = next((one.name for one in columns()["views"][script.name] if one.name in days and one.type == "timestamp"), None)
    where = f"\nwhere {by} >= timestamp_sub(current_timestamp(), interval 2 day)" if by else ""
    return f"select *\nfrom tinybeam.{script.name}{where};"


def _index() -> str:
    tables = [
        f"\n## {title}\n\n| {folder} | answers |\n|---|---|\n"
        + "".join(f"| [{script.name}]({folder}/{script.name}.md) | {script.question} |\n" for script in scripts(folder))
        for folder, title in (("views", "Views"), ("queries", "Queries"))
    ]
    return _GENERATED + _INTRODUCTION + "".join(tables)


def _prose(script: Script) -> Iterator[str]:
    """Yields the header without its parameters; the question stands out."""
    question, *rest = [line for line in script.header if not line.startswith("@")]
    yield f"**{question}**"
    yield from "\n".join(rest).rstrip().splitlines()


def _parameters(script: Script) -> str:
    rows = "".join(f"| `{one.name}` | {one.type} | `{one.default}` | {one.meaning} |\n" for one in script.parameters)
    return f"\n| parameter | type | default | meaning |\n|---|---|---|---|\n{rows}" if rows else ""


def _table(shown: tuple[Shown, ...]) -> str:
    rows = "".join(f"| `{one.name}` | {one.type} | {one.unit} | {one.meaning} |\n" for one in shown)
    return f"\n| column | type | unit | meaning |\n|---|---|---|---|\n{rows}"


def _reads(script: Script) -> str:
    """Says which tables it reads, directly or through views and functions, and by which column their days are told apart."""
    direct = ", ".join(_linked(name) for name in sorted(script.references - {script.name}))
    tables = sorted(name for name in _read_in_all(script) if name in _PARTITIONS)
    rows = "".join(f"| [{name}](../tables/{name}.md) | {_partition(name)} |\n" for name in tables)
    bounds = [f"`@{one.name}`" for one in script.parameters if one.type == "timestamp"]
    bounded = f" Days outside of {' to '.join(bounds)} and what an answer needs around them are not read." if len(bounds) > 1 else ""
    return f"It asks {direct}.{bounded}\n\n| table in the end | a partition is a day of |\n|---|---|\n{rows}"


def _partition(name: str) -> str:
    return f"`{_PARTITIONS[name]}`" if _PARTITIONS[name] else "nothing: it is small, and read whole"


def _linked(name: str) -> str:
    script = _CREATING[name]
    return f"[{name}](../{script.folder}/{name}.md)" if script.folder in {"tables", "views"} else f"`{name}`"


def _read_in_all(script: Script) -> set[str]:
    """Returns the names of all that is read, however deep."""
    found, left = set[str](), [script]
    while left:
        names = (left.pop().references & _CREATING.keys()) - found - {script.name}
        found |= names
        left += [_CREATING[name] for name in names]
    return found


def _example_of_query(script: Script) -> str:
    given = "".join(f" --param '{one.name}={one.default}'" for one in script.parameters)
    call = f"tinybeam sql query {script.name}{given}"
    return f"```sh\n{call}\n{call} --dry_run\n```\n\nWithout `--param` it takes these defaults.\n"


def _example_of_view(script: Script) -> str:
    example, function = f"```sql\n{example_of_view(script)}\n```\n", of_any_time(script)
    if function is None:
        return example
    between = f"select *\nfrom tinybeam.{function.name}(timestamp '2026-05-01', timestamp '2026-05-03');"
    return f"{example}\nThe same of any time, here of two days:\n\n```sql\n{between}\n```\n"
