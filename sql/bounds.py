"""Finds reads of a partitioned table that begin with all of it: a bound must stand in the `where` of the very select that names the table.

There it is before any join, aggregation or window function, so BigQuery reads the days that are asked for and no others. A bound is a
comparison of the partition column, downwards, with what is known before the query runs: parameters, the arguments of the function, the
clock, a literal. A materialised view is left out, since BigQuery keeps it without reading its table anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from schemas.records import TABLES
from schemas.warehouse import DATASET
from sql.scripts import Script, open_brackets, split

PARTITIONS: Mapping[str, str] = {table.name: table.partition for table in TABLES.values() if table.partition} | {"batch_numbers": "day"}
"""What is read by its days, and the column that has them."""

_READ = re.compile(rf"\b(?:from|join)\s+{DATASET}\.(\w+)(?:\s+as\s+(\w+))?(?!\w|\()")
_CALL = re.compile(rf"\b(?:from|join)\s+{DATASET}\.\w+_between\(")
_ARGUMENT = re.compile(r"[(,]\s*(\w+) (?:timestamp|bool|string|int64|float64)\b")
_CLAUSE = re.compile(r"\b(?:group by|having|qualify|window|order by|limit)\b")
_SET = re.compile(r"\b(?:union all|union distinct|intersect distinct|except distinct)\b")
_LITERAL = re.compile(r"'[^'\n]*'")
_KNOWN = {
    "timestamp_trunc",
    "timestamp_sub",
    "timestamp_add",
    "current_timestamp",
    "timestamp",
    "interval",
    "day",
    "hour",
    "microsecond",
    "days",
}


def unbounded(script: Script) -> Iterator[str]:
    """Yields, for each read without a bound, a sentence that names what is read."""
    if script.is_materialized:
        return
    arguments = _arguments(script.code)
    for read in _READ.finditer(script.code):
        table = read[1]
        if table in PARTITIONS and not _is_bounded(_own_select(script.code, read.start()), PARTITIONS[table], arguments):
            yield f"it reads {table} without a lower bound of {PARTITIONS[table]} in the same select"
    for call in _CALL.finditer(script.code):
        begin = script.code[call.end() : _closing(script.code, call.end())]
        if not _is_known(split(begin, ",")[0], arguments):
            yield f"it asks {call[0].split('.')[-1].rstrip('(')} from a time that is not known before the query runs: {begin.strip()}"


def _arguments(code: str) -> frozenset[str]:
    """Returns the names of a function's arguments."""
    head = code.partition(")")[0]
    return frozenset(_ARGUMENT.findall(head)) if "function" in head else frozenset()


def _own_select(code: str, at: int) -> str:
    """Returns the select around a place, with what is in brackets in it left out: neither subqueries nor the query around it."""
    begin, depth = at, 0
    while begin and depth >= 0:
        begin -= 1
        depth += (code[begin] == ")") - (code[begin] == "(")
    text, offset = code[begin + 1 : _closing(code, at)], at - begin - 1
    parts, start = [], 0
    for end in [*(place.start() for place in _SET.finditer(text) if not open_brackets(text[: place.start()])), len(text)]:
        parts.append((start, end))
        start = end
    first, last = next(part for part in parts if part[0] <= offset <= part[1])
    return text[first:last]


def _is_bounded(select: str, column: str, arguments: frozenset[str]) -> bool:
    condition = _flat_where(select)
    if condition is None or re.search(r"\bor\b", _bare(condition)):
        return False
    lower = re.compile(rf"(?:\w+\.)?`?{column}`? >=? (.+)", re.DOTALL)
    found = (lower.fullmatch(one.strip()) for one in split(condition, " and "))
    return any(match and _is_known(match[1], arguments) for match in found)


def _flat_where(select: str) -> str | None:
    """Returns the condition of the select's own `where`."""
    for place in re.finditer(r"\bwhere\b", select):
        if not open_brackets(select[: place.start()]):
            rest = " ".join(select[place.end() :].split())
            end = next((clause.start() for clause in _CLAUSE.finditer(rest) if not open_brackets(rest[: clause.start()])), len(rest))
            return rest[:end]
    return None


def _is_known(expression: str, arguments: frozenset[str]) -> bool:
    words = set(re.findall(r"(?<!@)\b[a-z_]\w*", _LITERAL.sub("", expression)))
    return words <= _KNOWN | arguments


def _bare(text: str) -> str:
    """Leaves out what is in brackets."""
    return "".join(char for at, char in enumerate(text) if not open_brackets(text[: at + 1]))


def _closing(code: str, at: int) -> int:
    """Returns where the bracket closes in which a place stands, or the end."""
    depth = 0
    for place in range(at, len(code)):
        depth += (code[place] == "(") - (code[place] == ")")
        if depth < 0:
            return place
    return len(code)
