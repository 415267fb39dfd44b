"""Asks one of the two warehouses: which columns a relation has, what its days add up to, and the rows of a day in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from schemas.datasets import Datasets
from schemas.warehouse import ALL_TIME, DATASET
from sql.certify.relations import Relation

PAGE_ROWS = 2000
"""How many rows of a differing day are in memory at once, of each warehouse."""
_FLOATS = {"FLOAT", "FLOAT64"}


class NoRelation(LookupError):
    """The warehouse lacks a table or view; the text names it and says what to run."""


class Columns(NamedTuple):
    """Names the columns of a relation that are compared, and those of them that hold floats."""

    names: tuple[str, ...]
    floats: frozenset[str]


class Bucket(NamedTuple):
    """Holds how many rows a day has, and what their fingerprints add up to."""

    rows: int
    fingerprint: int


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Asks the datasets of a project: `Warehouse(client, "my-project").buckets(relation, columns)`. The client is Google's own."""

    client: bigquery.Client
    project: str
    datasets: Datasets = field(default_factory=Datasets)

    @property
    def name(self) -> str:
        """Returns what `tinybeam certify` calls it."""
        apart = f".{self.datasets.views}" if self.datasets.apart else ""
        return f"{self.project}.{self.datasets.tables}{apart}" if apart or self.datasets.tables != DATASET else self.project

    def columns(self, relation: Relation) -> Columns:
        """Returns the columns that are compared. Raises NoRelation."""
        try:
            schema = self.client.get_table(f"{self.project}.{self.datasets.path(relation.name)}").schema
        except NotFound as error:
            raise NoRelation(
                f"{self.name} has no {relation.name}: run `tinybeam sql apply --project {self.project}{self.datasets.flags}`"
            ) from error
        wanted = [column for column in schema if column.name not in relation.ignored]
        floats = frozenset(column.name for column in wanted if column.field_type in _FLOATS and column.mode != "REPEATED")
        return Columns(tuple(column.name for column in wanted), floats)

    def stored(self, relation: Relation) -> int:
        """Counts the rows, each as often as it is stored."""
        sql = f"select count(*) as total from {self._path(relation)} where {relation.where}"
        return next(row.total for row in self.client.query_and_wait(sql))

    def buckets(self, relation: Relation, columns: Columns) -> dict[str, Bucket]:
        """Returns each day's rows and fingerprint; fingerprints of the same rows are the same in any order."""
        values = ", ".join(_value(name, relation, columns) for name in columns.names)
        sql = f"""
            select bucket, count(*) as total, bit_xor(farm_fingerprint(to_json_string(struct({values})))) as fingerprint
            from ({self._rows(relation)})
            group by bucket
        """
        return {row.bucket: Bucket(row.total, row.fingerprint) for row in self.client.query_and_wait(sql)}

    def rows(self, relation: Relation, columns: Columns, bucket: str) -> Iterator[Mapping[str, Any]]:
        """Yields the rows of a day in the order of their key, a page at a time."""
        names = _listed(columns.names)
        next_day = "timestamp_add(timestamp(@bucket), interval 1 day)"
        within = f"{relation.day} >= timestamp(@bucket) and {relation.day} < {next_day}" if relation.day else "true"
        sql = f"select {names} from ({self._rows(relation, within)}) where bucket = @bucket order by {_listed(relation.key)}"
        parameters = [bigquery.ScalarQueryParameter("bucket", "STRING", bucket)]
        job = self.client.query(sql, job_config=bigquery.QueryJobConfig(query_parameters=parameters))
        return (dict(row) for row in job.result(page_size=PAGE_ROWS))

    def _rows(self, relation: Relation, within: str = "true") -> str:
        """Selects each row once, with its bucket."""
        path, key = self._path(relation), _listed(relation.key)
        bucket = f"format_timestamp('%Y-%m-%d', {relation.day})" if relation.day else f"substr(to_hex(md5(`{relation.key[0]}`)), 1, 2)"
        once = f"qualify row_number() over (partition by {key} order by {relation.first_by}) = 1" if relation.first_by else ""
        return f"select *, {bucket} as bucket from {path} where {relation.where} and {within} {once}"

    def _path(self, relation: Relation) -> str:
        """Returns the table or view, or the function that shows of any time what the view shows of the last days."""
        if relation.of_any_time:
            return f"`{self.project}.{self.datasets.path(f'{relation.name}_between')}`({ALL_TIME})"
        return f"`{self.project}.{self.datasets.path(relation.name)}`"


def _value(name: str, relation: Relation, columns: Columns) -> str:
    if name in columns.floats and not relation.exact:
        return f"format('%.6e', `{name}`) as `{name}`"
    return f"`{name}` as `{name}`"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
