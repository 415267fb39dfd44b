-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.recomputes_v1 (
  `started_time` timestamp not null options (description = "When the run began; facts that arrived before are in the hours it looked at [UTC]"),
  `ended_time` timestamp not null options (description = "When it ended [UTC]"),
  `by_marks` bool not null options (description = "True if it looked at every marked hour, false if at the hours of a time"),
  `from_time` timestamp options (description = "Start of the first hour it looked at, null if it looked at none [UTC]"),
  `to_time` timestamp options (description = "End of the last hour it looked at, null if it looked at none [UTC]"),
  `site_hours` int64 not null options (description = "Hours of sites it looked at"),
  `site_windows` int64 not null options (description = "Site windows that were not what the facts say and were written anew"),
  `irrigation_days` int64 not null options (description = "Water balances of a field and day that were written anew"),
  `alert_rows` int64 not null options (description = "Rows of alerts that were added or closed")
)
cluster by started_time
options (description = "A row is a run of `tinybeam sql recompute` that came to its end: the rollups of the hours it looked at are what the facts say.");
