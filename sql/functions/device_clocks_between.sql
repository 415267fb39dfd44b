-- Which devices' clocks lie, and which devices only keep their readings for a while? One row for each device that sends a time, from from_time
-- (inclusive) to to_time (exclusive).
--
-- clock_offset_ms of a window is how much later than dated its readings arrived: what the clock is off, plus how long the device kept them.
--   ahead     an offset below -60 s: dated after they arrived, so the clock is wrong for certain;
--   behind    an hour in which the offset is above 60 s and steady (all of it within 60 s): a clock that is slow, or a constant delay;
--   buffered  an hour in which the offset is above 60 s and not steady: readings that were kept and came later, the older the more; or whose
--             readings arrived together with those of the hour before or after (nearer than half the time between them), while neither of the two
--             has its offset: a sensor that measures hourly and sends once a day;
--   jumps     steady hours that follow a steady one with an offset of more than 60 s less or more: the clock was set. A clock that is hours slow for a
--             single hour and then set looks like a buffer, and counts as one.
-- skew_ms is the smallest offset of the steady hours' median hour; null without a steady hour. Hours are of event time.
create or replace table function tinybeam.device_clocks_between(from_time timestamp, to_time timestamp)
options (description = "Each device's clock from one time to another: skew, hours ahead, behind and buffered, jumps, doubtful times")
as
select *
from (
  with
    offsets as (
      select
        device_id,
        gateway_id,
        window_start,
        timestamp_trunc(window_start, hour) as hour,
        clock_offset_ms,
        if(time_quality in ('synced', 'corrected'), 0, 1) as doubtful
      from tinybeam.summaries_v1
      where window_start >= from_time and window_start < to_time and clock_offset_ms is not null
    ),
    hours as (
      select
        device_id,
        min(gateway_id) as gateway_id,
        hour,
        min(clock_offset_ms) as smallest,
        min_by(window_start, clock_offset_ms) as smallest_at,
        max(clock_offset_ms) - min(clock_offset_ms) <= 60000 as alike,
        max(clock_offset_ms) as largest,
        max(doubtful) as doubtful
      from offsets
      group by device_id, hour
    ),
    steps as (
      select
        *,
        smallest - lag(smallest) over (partition by device_id order by hour) as step,
        timestamp_diff(smallest_at, lag(smallest_at) over (partition by device_id order by hour), millisecond) as passed
      from hours
    ),
    both_sides as (
      select
        *,
        lead(step) over (partition by device_id order by hour) as next_step,
        lead(passed) over (partition by device_id order by hour) as next_passed
      from steps
    ),
    judged as (
      select
        *,
        alike
        and not (
          (coalesce(abs(passed + step) <= passed / 2, false) or coalesce(abs(next_passed + next_step) <= next_passed / 2, false))
          and not coalesce(abs(step) <= 60000, false)
          and not coalesce(abs(next_step) <= 60000, false)
        ) as steady
      from both_sides
    ),
    with_the_hour_before as (
      select
        *,
        lag(steady) over (partition by device_id order by hour) as steady_before
      from judged
    )
  select
    device_id,
    min(gateway_id) as gateway_id,
    count(*) as hours,
    approx_quantiles(if(steady, smallest, null), 2)[offset(1)] as skew_ms,
    countif(smallest < -60000) as hours_ahead,
    countif(steady and smallest > 60000) as hours_behind,
    countif(not steady and largest > 60000) as hours_buffered,
    countif(steady and steady_before and abs(step) > 60000) as jumps,
    sum(doubtful) as hours_doubtful
  from with_the_hour_before
  group by device_id
);
