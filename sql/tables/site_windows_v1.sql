-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.site_windows_v1 (
  `site_id` string not null options (description = "Site that the rollup is of"),
  `channel` string not null options (description = "Name of the measured quantity"),
  `unit` string not null options (description = "Unit of min, max and sum"),
  `window_start` timestamp not null options (description = "Start of the window, inclusive [UTC]"),
  `window_seconds` int64 not null options (description = "Length of the window: 60 or 3600 [s]"),
  `count` int64 not null options (description = "Number of values; 0 retracts the window: the view hides it"),
  `sum` float64 not null options (description = "Sum of the values [channel unit]"),
  `m2` float64 not null options (description = "Sum of squared differences from the mean [channel unit squared]"),
  `min` float64 not null options (description = "Smallest value [channel unit]"),
  `max` float64 not null options (description = "Largest value [channel unit]"),
  `summaries` int64 not null options (description = "Number of (partial) device summaries that overlap it, counted or not: the most is known of all facts"),
  `revision` int64 not null options (description = "0 for the first result of a window, then rising"),
  `timing` string not null options (description = "early, on_time, late, batch or recomputed: when the result was given, by the watermark, or that it comes from the facts"),
  `as_of` timestamp not null options (description = "When the result was computed; the latest wins [UTC]")
)
partition by timestamp_trunc(window_start, day)
cluster by site_id, channel
options (description = "A row rolls up one channel over one site and window. A later revision replaces an earlier one.");
