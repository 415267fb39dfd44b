-- Up to when are rollups what the facts say?
--
-- One row. Facts that arrived before rollups_as_of are in site_windows, irrigation and their alerts as if all had been there at once; of what came
-- later there is the pipeline's first answer. hours_marked_since counts the hours of sites that got such facts. Nulls where `tinybeam sql recompute`
-- never ran. Of hours of the last 366 days.
create or replace view tinybeam.rollups_as_of
options (description = "Up to when rollups are what the facts say: when the last `tinybeam sql recompute` began, and what came since")
as
with
  last_run as (
    select
      max(started_time) as rollups_as_of,
      array_agg(struct(site_hours as site_hours, site_windows as site_windows) order by started_time desc limit 1)[offset(0)] as newest
    from tinybeam.recomputes_v1
    where by_marks
  ),
  marks as (
    select distinct dirty.site_id, dirty.window_start
    from tinybeam.dirty_windows_v1 as dirty
    cross join last_run
    where
      dirty.window_start >= timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 366 day)
      and (last_run.rollups_as_of is null or dirty.marked_time >= last_run.rollups_as_of)
  )
select
  rollups_as_of,
  newest.site_hours as site_hours,
  newest.site_windows as site_windows,
  (select count(*) from marks) as hours_marked_since
from last_run;
