-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.dirty_windows_v1 (
  `site_id` string not null options (description = "Site that got facts"),
  `window_start` timestamp not null options (description = "Start of the hour, inclusive [UTC]"),
  `window_seconds` int64 not null options (description = "Length of the window: 3600 [s]"),
  `marked_time` timestamp not null options (description = "When the run marked it; a run marks an hour again when it gets facts 12 h later [UTC]"),
  `batch_id` string not null options (description = "A batch that brought facts of the hour")
)
partition by timestamp_trunc(window_start, day)
cluster by site_id
options (description = "A row is an hour of a site that a run of the pipeline gave facts: its rollup is to be compared with all facts. Marks stay.");
