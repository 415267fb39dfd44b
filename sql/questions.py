"""Runs a query or a check with its parameters: values as text, and the defaults in the header of the file for the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import bigquery
from google.cloud.bigquery.table import RowIterator

from sql.scripts import Parameter, Script

QueryParameter = bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter

_RELATIVE = re.compile(r"now(?: ([+-]) (\d+) (second|minute|hour|day)s?)?")
_ARRAY = re.compile(r"array<(\w+)>")


class ParameterError(ValueError):
    """A parameter is unknown or its value does not fit its type; the text names it."""


def ask(client: bigquery.Client, script: Script, values: Mapping[str, str], now: datetime) -> RowIterator:
    """Returns the rows; `values` are texts. Raises ParameterError, and GoogleAPICallError from the service."""
    config = bigquery.QueryJobConfig(query_parameters=bind(script, values, now))
    return client.query_and_wait(script.text, job_config=config)


def bind(script: Script, values: Mapping[str, str], now: datetime) -> list[QueryParameter]:
    """Binds values to parameters. Raises ParameterError for a parameter that the script does not have or a value that does not fit."""
    known = {parameter.name: parameter for parameter in script.parameters}
    if unknown := sorted(values.keys() - known.keys()):
        raise ParameterError(f"{script.name} has no parameter {unknown[0]!r}; it has {', '.join(known) or 'none'}")
    return [_bound(parameter, values.get(parameter.name, parameter.default), now) for parameter in known.values()]


def moment(text: str, now: datetime) -> datetime:
    """Reads `now`, `now - 7 days`, `2026-05-01` or `2026-05-01T12:00:00Z`; UTC unless it says otherwise. Raises ValueError."""
    if relative := _RELATIVE.fullmatch(text.strip()):
        sign, amount, unit = relative.groups()
        distance = timedelta(**{f"{unit}s": int(amount)}) if unit else timedelta()
        return now - distance if sign == "-" else now + distance
    time = datetime.fromisoformat(text.strip())
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def bound(parameter: Parameter, value: Any) -> QueryParameter:
    """Binds a value of the parameter's own type."""
    if item := _ARRAY.fullmatch(parameter.type):
        return bigquery.ArrayQueryParameter(parameter.name, item[1].upper(), value)
    return bigquery.ScalarQueryParameter(parameter.name, parameter.type.upper(), value)


def _bound(parameter: Parameter, text: str, now: datetime) -> QueryParameter:
    try:
        return bound(parameter, _value(parameter.type, text, now))
    except (ValueError, KeyError, OverflowError) as error:
        raise ParameterError(f"{parameter.name} must be a {parameter.type}, not {text!r}: {error}") from error


def _value(kind: str, text: str, now: datetime) -> Any:
    match kind:
        case "timestamp":
            return moment(text, now)
        case "int64":
            return int(text)
        case "float64":
            return float(text)
        case "string":
            return text
        case "bool":
            return {"true": True, "false": False}[text]
        case "array<string>":
            return text.split(",") if text else []
    raise ValueError(f"the type {kind} is not supported in a header")
