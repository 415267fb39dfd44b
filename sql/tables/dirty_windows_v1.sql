-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.dirty_windows_v1 (
  `site_id` string not null options (description = "Site that got the late facts"),
  `window_start` timestamp not null options (description = "Start of the hour, inclusive [UTC]"),
  `window_seconds` int64 not null options (description = "Length of the window: 3600 [s]"),
  `marked_time` timestamp not null options (description = "received_time of the late batch [UTC]"),
  `batch_id` string not null options (description = "The batch that came too late")
)
partition by timestamp_trunc(window_start, day)
cluster by site_id
options (description = "A row is an hour of a site that got facts too late for its rollup: it is to be computed anew from the facts.");
