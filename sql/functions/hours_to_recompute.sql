-- Which hours are to be compared with the facts, and how many sites had facts in each?
--
-- Those of sites that were marked since `marked_since` (dirty_windows_v1), or with every_hour those that have facts. From from_time to to_time,
-- exclusive.
create or replace table function tinybeam.hours_to_recompute(from_time timestamp, to_time timestamp, marked_since timestamp, every_hour bool)
options (description = "Hours whose rollups are to be compared with the facts, with the number of sites")
as
select *
from (
  with
    site_hours as (
      select site_id, window_start as hour
      from tinybeam.dirty_windows_v1
      where window_start >= from_time and window_start < to_time and marked_time >= marked_since and not every_hour
      union all
      select site_id, timestamp_trunc(window_start, hour) as hour
      from tinybeam.summaries_v1
      where window_start >= from_time and window_start < to_time and every_hour
    )
  select hour, count(distinct site_id) as sites
  from site_hours
  group by hour
);
