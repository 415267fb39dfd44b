-- By how much did each counter rise, window by window?
--
-- What the view counters shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. Both reach the
-- table before anything is compared, so only those days and the one before are read. A wrap that were more than half of the way round is none.
create or replace table function tinybeam.counters_between(from_time timestamp, to_time timestamp)
options (description = "By how much each counter rose in each window, from the last reading before it on")
as
select
  device_id,
  site_id,
  channel,
  unit,
  window_start,
  window_end,
  window_seconds,
  sum(
    case
      when value >= value_before then value - value_before
      when wraps_at - value_before + value between 0 and wraps_at / 2 then wraps_at - value_before + value
      when value < value_before then value
    end
  ) as increase,
  countif(value < value_before and not coalesce(wraps_at - value_before + value between 0 and wraps_at / 2, false)) as resets,
  min(time) as since_time,
  max(if(next_time is null, value, null)) as last,
  max(time) as last_time
from tinybeam.points_between(from_time, to_time)
where channel_kind = 'counter'
group by device_id, site_id, channel, unit, window_start, window_end, window_seconds;
