-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.release_decisions_v1 (
  `decided_time` timestamp not null options (description = "When it was decided [UTC]"),
  `model` string not null options (description = "Name of the model"),
  `release` int64 not null options (description = "Number of the release"),
  `control` int64 options (description = "Release that it was compared with, 0 for the bundle of a configuration; null if with none"),
  `action` string not null options (description = "advance, wait or halt"),
  `share` float64 not null options (description = "Share of the gateways that run it from then on [%]"),
  `reasons` array<string> options (description = "Why, a sentence each"),
  `figures` string options (description = "The row of release_health by which it was decided, as a JSON object; null if no gateway had run it")
)
cluster by model, release
options (description = "A row is what `tinybeam release advance` decided about a release of a model, and by which figures.");
