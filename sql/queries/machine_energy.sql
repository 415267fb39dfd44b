-- How has the vibration energy of a machine grown over its life?
--
-- Per device, unit and day: the mean square of the channel (for root-mean-square readings that is the vibration's power), its root, the energy
-- (mean square times the hours that were measured, each moment once), the energy of the life so far, and how many times the first day's power this is.
-- A machine at rest is measured too, so compare days of like work.
--
-- @from_time timestamp = now - 365 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @channel string = acceleration_rms: the channel with the level of vibration
-- @device string = %: the device, or a pattern for several
with
  windows as (
    select device_id, unit, window_start, window_seconds, sum(m2 + sum * sum / count) as squares, sum(count) as count
    from tinybeam.counted_summaries(@from_time, @to_time)
    where counts and window_start >= @from_time and window_start < @to_time and channel = @channel and device_id like @device
    group by device_id, unit, window_start, window_seconds
  ),
  with_the_end_of_those_before as (
    select
      *,
      timestamp_add(window_start, interval least(window_seconds, 366 * 86400) second) as window_end,
      max(timestamp_add(window_start, interval least(window_seconds, 366 * 86400) second)) over (
        partition by device_id, unit order by window_start, window_seconds rows between unbounded preceding and 1 preceding
      ) as end_before
    from windows
  ),
  power_of_each_day as (
    select
      device_id,
      unit,
      timestamp_trunc(window_start, day) as day,
      sum(squares) / sum(count) as mean_square,
      -- A late minute within a longer window (held by a gateway and sent as one) is no time more.
      sum(greatest(timestamp_diff(window_end, greatest(window_start, coalesce(end_before, window_start)), second), 0)) / 3600 as hours
    from with_the_end_of_those_before
    group by device_id, unit, day
  )
select
  device_id as machine,
  day,
  round(sqrt(mean_square), 4) as rms,
  unit,
  round(mean_square, 4) as mean_square,
  round(hours, 2) as hours,
  round(mean_square * hours, 3) as energy,
  round(sum(mean_square * hours) over (partition by device_id, unit order by day), 3) as energy_of_life,
  round(safe_divide(mean_square, first_value(mean_square) over (partition by device_id, unit order by day)), 2) as times_first_day
from power_of_each_day
order by machine, unit, day;
