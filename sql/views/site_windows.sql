-- How was each site, minute by minute and hour by hour?
--
-- One row per site_id, channel, unit, window_start and window_seconds: the result that rests on the most partial summaries; of those on as
-- many, one that was computed anew from the facts, then the latest (as_of, then revision). So a run that knows only a part of a window never
-- hides one that knows more. A window that was taken back (count 0) is not there: a longer summary lies over the minute.
-- Filter on window_start: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.site_windows
options (description = "Each channel of each site by minute and hour: the result of each window that rests on the most facts")
as
with
  best_result_of_each_window as (
    select *
    from tinybeam.site_windows_v1
    where true
    qualify row_number() over (
      partition by window_start, window_seconds, site_id, channel, unit
      order by summaries desc, timing = 'recomputed' desc, as_of desc, revision desc
    ) = 1
  )
select
  site_id,
  channel,
  unit,
  window_start,
  timestamp_add(window_start, interval window_seconds second) as window_end,
  window_seconds,
  count,
  safe_divide(sum, count) as mean,
  sqrt(greatest(safe_divide(m2, count), 0)) as stddev,
  min,
  max,
  sum,
  m2,
  summaries,
  revision,
  timing,
  as_of
from best_result_of_each_window
where count > 0;
