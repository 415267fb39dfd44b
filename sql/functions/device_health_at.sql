-- How was each device of the registry at a moment? A device that was never heard is listed with nulls.
-- Readings are missing when the sensor's own numbers have a gap, within a window or between two; a number that falls back is a sensor
-- that started anew, not a gap. The last 30 days are searched for a device's last word, no more: the bound keeps the price down.
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
        array_agg(struct(gateway_id as gateway_id) order by received_time desc limit 1)[offset(0)].gateway_id as gateway_id,
        max(last_time) as last_time,
        max(late_partials) as late_partials,
        tinybeam.merged_ranges(array_concat_agg(seq_ranges)) as seq_ranges,
        tinybeam.worst_time_quality(array_agg(distinct time_quality)) as time_quality
      from tinybeam.summaries
      where window_start > timestamp_sub(as_of, interval 30 day) and window_start <= as_of
      group by device_id, window_start
    ),
    with_their_last_number as (
      select
        *,
        (select max(number) from unnest(seq_ranges) as number) as last_seq
      from windows_of_each_device
    ),
    with_the_number_before as (
      select
        *,
        lag(last_seq) over (partition by device_id order by window_start) as seq_before
      from with_their_last_number
    ),
    with_missing_readings as (
      select
        *,
        window_start > timestamp_sub(as_of, interval 1 day) as of_last_day,
        tinybeam.missing_in_ranges(seq_ranges) + coalesce(greatest(seq_ranges[safe_offset(0)] - seq_before - 1, 0), 0) as missing
      from with_the_number_before
    ),
    heard as (
      select
        device_id,
        array_agg(struct(gateway_id as gateway_id) order by window_start desc limit 1)[offset(0)].gateway_id as gateway_id,
        max(last_time) as last_heard,
        countif(of_last_day) as windows_last_day,
        countif(of_last_day and late_partials > 0) as late_windows_last_day,
        coalesce(sum(if(of_last_day, missing, 0)), 0) as readings_missing_last_day,
        array_agg(struct(time_quality as time_quality) order by window_start desc limit 1)[offset(0)].time_quality as time_quality
      from with_missing_readings
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
    heard.gateway_id,
    heard.last_heard,
    timestamp_diff(as_of, heard.last_heard, minute) as silent_minutes,
    coalesce(heard.windows_last_day, 0) as windows_last_day,
    coalesce(heard.late_windows_last_day, 0) as late_windows_last_day,
    coalesce(heard.readings_missing_last_day, 0) as readings_missing_last_day,
    heard.time_quality
  from registered
  left join heard on registered.device_id = heard.device_id
);
