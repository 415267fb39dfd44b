-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.rules_v1 (
  `name` string not null options (description = "Name of the rule, part of the identity of its alerts"),
  `definition` string not null options (description = "JSON object of its settings but the name, as [[rules]] of the registry's file has them")
)
cluster by name
options (description = "A row is a rule of alerts. It holds from when the pipeline sees it.");
