"""Says under which names a project holds tables and views. All SQL of this repository says `tinybeam.`: settings put other names there.

The settings have the same names in every command, and stand here once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.records import TABLES
from schemas.warehouse import DATASET


@dataclass(frozen=True, slots=True)
class Setting:
    """Is a flag of every command that knows a warehouse, and the variable that stands for it; `field` is that of Datasets."""

    field: str
    flag: str
    variable: str
    default: str
    meaning: str

    @property
    def help(self) -> str:
        otherwise = self.default or ("--dataset" if self.field == "views" else "nothing")
        return f"{self.meaning}  [default: ${self.variable}, else {otherwise}]"


SETTINGS = (
    Setting("tables", "--dataset", "TINYBEAM_DATASET", DATASET, "Dataset of the tables."),
    Setting(
        "views",
        "--views_dataset",
        "TINYBEAM_VIEWS_DATASET",
        "",
        "Dataset of views and functions, so that analysts need rights on it alone.",
    ),
    Setting(
        "prefix",
        "--table_prefix",
        "TINYBEAM_TABLE_PREFIX",
        "",
        "What the name of every table, view and function begins with, in a shared dataset.",
    ),
)

_TABLES = frozenset(table.name for table in TABLES.values())
_IN_SQL = re.compile(rf"(?<![.\w]){DATASET}\.(\w+)\b(?!\.)")
"""Not in `project.tinybeam.table`: who names the project names all of it."""
_NAME = re.compile(r"[A-Za-z0-9_]{1,1024}")
_PREFIX = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,63})?")


@dataclass(frozen=True, slots=True)
class Datasets:
    """Names the dataset of the tables, that of views and functions (the same, if it is empty), and what every name begins with.

    `Datasets("farm", "farm_views").sql("select * from tinybeam.summaries")` is `select * from farm_views.summaries`.
    """

    tables: str = DATASET
    views: str = ""
    prefix: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError, naming the setting."""
        for setting, name in (("--dataset", self.tables), ("--views_dataset", self.views or self.tables)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{setting} is the name of a dataset, of letters, digits and underscores, not {name!r}")
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError(f"--table_prefix begins names: letters, digits and underscores, at most 64, not {self.prefix!r}")

    @staticmethod
    def of_environment(environment: Mapping[str, str] = os.environ) -> Datasets:
        """Returns what the variables say. Raises ValueError, naming the setting."""
        return Datasets(**{setting.field: environment.get(setting.variable) or setting.default for setting in SETTINGS})

    @property
    def apart(self) -> bool:
        """Returns whether views have a dataset of their own."""
        return self.views not in {"", self.tables}

    @property
    def flags(self) -> str:
        """Returns the flags that name them, each after a space; none for what is by default."""
        named = ((setting, getattr(self, setting.field)) for setting in SETTINGS)
        return "".join(f" {setting.flag} {name}" for setting, name in named if name != setting.default)

    @property
    def of_views(self) -> str:
        return self.views or self.tables

    def path(self, name: str) -> str:
        """Returns dataset and name of a table, view or function that the SQL calls so."""
        return f"{self.tables if name in _TABLES else self.of_views}.{self.prefix}{name}"

    def sql(self, text: str) -> str:
        """Returns the statement with the names as they are in this project."""
        return _IN_SQL.sub(lambda found: self.path(found[1]), text)
