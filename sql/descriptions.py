"""Describes the columns of views at the service, by name: whoever opens a view in a console or a dashboard reads what each one means."""

from __future__ import annotations

from google.cloud import bigquery

from sql.client import datasets_of
from sql.columns import columns


def describe(client: bigquery.Client, view: str) -> None:
    """Describes a view's columns, if sql/columns.toml knows the view. Raises GoogleAPICallError from the service.

    Not by a list of columns in `create view`: that goes by position, and would give a column the name of another.
    """
    known = {column.name: column.description for column in columns()["views"].get(view, ())}
    table = client.get_table(datasets_of(client).path(view))
    described = [_described(field, known.get(field.name, "")) for field in table.schema]
    if described != list(table.schema):
        table.schema = described
        client.update_table(table, ["schema"])


def _described(field: bigquery.SchemaField, description: str) -> bigquery.SchemaField:
    return bigquery.SchemaField.from_api_repr({**field.to_api_repr(), "description": description}) if description else field
