-- How was each site, minute by minute and hour by hour?
--
-- What the view site_windows shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. Both reach the
-- table before anything is compared, so only those days are read.
create or replace table function tinybeam.site_windows_between(from_time timestamp, to_time timestamp)
options (description = "Each channel of each site by minute and hour: the result of each window that rests on the most facts")
as
select *
from (
  with
    best_result_of_each_window as (
      select *
      from tinybeam.site_windows_v1
      where window_start >= from_time and window_start < to_time
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
  where count > 0
);
