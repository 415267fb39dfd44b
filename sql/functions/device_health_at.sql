-- How was each device of the registry at a moment? A device that was never heard is listed with nulls.
-- readings_missing_last_day is what missing_readings_between finds. A gateway may merge the windows of a channel that does not change and send
-- them as one longer summary, so windows of a device overlap: minutes_covered_last_day, the time in which something was heard, counts overlaps
-- once and says more than the number of windows. Until a pending summary is sent, at most an hour, a device that is heard looks silent; when a
-- device falls silent its pending summary is sent at once. No more than the last 30 days are searched for a device's newest window: the bound
-- keeps the price down. Reads summaries_v1 itself: here it does not matter how often a row came, and a window was heard whether it counts or not.
create or replace table function tinybeam.device_health_at(as_of timestamp)
options (description = "Each device of the registry at a moment: last heard, windows and gaps of the day before, silence, time quality")
as
select *
from (
  with
    windows_of_each_device as (
      select
        device_id,
        window_start,
        array_agg(struct(gateway_id as gateway_id) order by last_time desc, gateway_id limit 1)[offset(0)].gateway_id as gateway_id,
        max(last_time) as last_time,
        max(timestamp_add(window_start, interval if(window_seconds between 1 and 604800, window_seconds, 0) second)) as window_end,
        logical_or(late) as has_late_readings,
        tinybeam.worst_time_quality(array_agg(distinct time_quality)) as time_quality
      from tinybeam.summaries_v1
      where window_start > timestamp_sub(as_of, interval 30 day) and window_start <= as_of
      group by device_id, window_start
    ),
    with_the_end_of_those_before as (
      select
        *,
        window_start > timestamp_sub(as_of, interval 1 day) as of_last_day,
        max(window_end) over (partition by device_id order by window_start rows between unbounded preceding and 1 preceding) as end_before
      from windows_of_each_device
    ),
    with_the_number_of_their_stretch as (
      select
        *,
        countif(end_before is null or window_start >= end_before) over (partition by device_id order by window_start) as stretch
      from with_the_end_of_those_before
    ),
    stretches as (
      select
        device_id,
        min(window_start) as begin_time,
        max(window_end) as end_time,
        array_agg(struct(gateway_id as gateway_id, time_quality as time_quality) order by window_start desc limit 1)[offset(0)] as newest,
        max(last_time) as last_time,
        countif(of_last_day) as windows_of_last_day,
        countif(of_last_day and has_late_readings) as late_windows_of_last_day,
        logical_or(of_last_day) as of_last_day
      from with_the_number_of_their_stretch
      group by device_id, stretch
    ),
    heard as (
      select
        device_id,
        array_agg(struct(newest as newest) order by begin_time desc limit 1)[offset(0)].newest as newest,
        max(last_time) as last_heard,
        sum(windows_of_last_day) as windows_last_day,
        sum(late_windows_of_last_day) as late_windows_last_day,
        div(coalesce(sum(if(of_last_day, timestamp_diff(end_time, begin_time, second), 0)), 0), 60) as minutes_covered_last_day
      from stretches
      group by device_id
    ),
    missing as (
      select device_id, sum(missing) as readings
      from tinybeam.missing_readings_between(timestamp_sub(as_of, interval 1 day), as_of)
      group by device_id
    ),
    registered as (
      select device_id, kind, site_id
      from tinybeam.devices_v1
      where valid_from <= as_of and (valid_to is null or valid_to > as_of)
    )
  select
    registered.device_id,
    registered.kind,
    registered.site_id,
    heard.newest.gateway_id as gateway_id,
    heard.last_heard,
    timestamp_diff(as_of, heard.last_heard, minute) as silent_minutes,
    coalesce(heard.windows_last_day, 0) as windows_last_day,
    coalesce(heard.late_windows_last_day, 0) as late_windows_last_day,
    coalesce(heard.minutes_covered_last_day, 0) as minutes_covered_last_day,
    coalesce(missing.readings, 0) as readings_missing_last_day,
    heard.newest.time_quality as time_quality
  from registered
  left join heard on registered.device_id = heard.device_id
  left join missing on registered.device_id = missing.device_id
);
