"""Writes the certificate: a line for each table and view, the first difference of those that differ, and what was not compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sql import present
from sql.certify.comparison import Comparison, Difference
from sql.certify.relations import NOT_COMPARED, Relation

_MOST_LETTERS = 200


def line(comparison: Comparison) -> str:
    """Returns the line of one table or view, with its first difference below."""
    a, b = comparison.rows_a, comparison.rows_b
    counts = f"{a:,} rows" if a == b else f"{a:,} and {b:,} rows"
    head = f"{comparison.relation.name:16} {counts}, {_verdict(comparison)}{_repeats(comparison)}"
    return "\n".join([head, *_details(comparison)])


def verdict(comparisons: Sequence[Comparison]) -> str:
    """Returns the last line."""
    different, total = sum(not comparison.equal for comparison in comparisons), f"{len(comparisons)} tables and views"
    return f"{different} of {total} differ" if different else f"0 differences in {total}"


def exclusions(relations: Iterable[Relation]) -> Iterator[str]:
    """Yields what was not compared, and why."""
    yield "not compared:"
    for relation in relations:
        if relation.ignored:
            yield f"  {relation.name}: " + "; ".join(f"{column} ({reason})" for column, reason in relation.ignored.items())
        if relation.where_reason:
            yield f"  {relation.name}: rows that are not `{relation.where}` ({relation.where_reason})"
    for name, reason in NOT_COMPARED.items():
        yield f"  {name}: {reason}"


def as_json(a: str, b: str, comparisons: Sequence[Comparison]) -> str:
    """Returns the certificate as one JSON object in a list."""
    relations = [_object(comparison) for comparison in comparisons]
    return present.as_json([{"a": a, "b": b, "equal": all(each["equal"] for each in relations), "relations": relations}])


def _verdict(comparison: Comparison) -> str:
    parts = [f"{comparison.different:,} differ"] if comparison.different else []
    parts += [f"{comparison.days_left} more days differ"] if comparison.days_left else []
    parts += [f"columns on one side only: {', '.join(comparison.columns_on_one_side)}"] if comparison.columns_on_one_side else []
    return "; ".join(parts) or "equal"


def _repeats(comparison: Comparison) -> str:
    """Says how often rows are stored more than once: that is allowed, and views show each once."""
    repeats = [
        f"{stored - rows:,} in {side}"
        for side, stored, rows in (("A", comparison.stored_a, comparison.rows_a), ("B", comparison.stored_b, comparison.rows_b))
        if stored > rows
    ]
    return f" (stored repeatedly: {', '.join(repeats)})" if repeats else ""


def _details(comparison: Comparison) -> Iterator[str]:
    if comparison.first:
        key = ", ".join(f"{name} = {_text(value)}" for name, value in comparison.first.key.items())
        yield f"    first: {key}"
        yield f"    {_values(comparison.first)}"


def _values(difference: Difference) -> str:
    if difference.column is None:
        return f"A has {difference.a}, B has {difference.b}"
    return f"column {difference.column}: A has {_text(difference.a)}, B has {_text(difference.b)}"


def _text(value: Any) -> str:
    """Writes a value so that what differs in it is seen: floats and times to their last digit."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return value.isoformat()
    text = repr(value)
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}..."


def _object(comparison: Comparison) -> dict[str, Any]:
    first = comparison.first
    return {
        "name": comparison.relation.name,
        "equal": comparison.equal,
        "rows_a": comparison.rows_a,
        "rows_b": comparison.rows_b,
        "stored_a": comparison.stored_a,
        "stored_b": comparison.stored_b,
        "different": comparison.different,
        "days_left": comparison.days_left,
        "columns_on_one_side": list(comparison.columns_on_one_side),
        "first": first and {"key": dict(first.key), "column": first.column, "a": first.a, "b": first.b},
        "not_compared": dict(comparison.relation.ignored),
    }
