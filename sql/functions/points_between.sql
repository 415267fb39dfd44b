-- What is known of each window of each state and counter? One row for each point: its time and value, the last one before the window among them.
--
-- Windows that start from from_time (inclusive) to to_time (exclusive). The points of all rows of a window that count (counted_summaries) are one set,
-- whatever came late or again, so nothing is ever added to anything: states_between and counters_between read off the set. Windows of an hour that
-- overlap are one, over all their time: a late minute lies in the quarter of an hour to which the others were thinned. The point before a
-- window is the latest that its gateway or an earlier window knew, of the day before it; without one it is not known what was before. Of one time
-- the greater value is the later. value_before, state_before and next_time are those of the neighbours, null where there is none. The SQL twin
-- of schemas/points.py.
create or replace table function tinybeam.points_between(from_time timestamp, to_time timestamp)
options (description = "The points of the windows of states and counters, the last one before each window among them")
as
select *
from (
  with
    with_the_end_of_those_before as (
      select
        *,
        -- As in counted_summaries, what overlaps ends with its hour.
        max(least(window_end, timestamp_add(hour, interval 1 hour))) over (
          partition by device_id, channel, unit, channel_kind, day order by window_start rows between unbounded preceding and 1 preceding
        ) as end_before
      from tinybeam.counted_summaries(timestamp_sub(from_time, interval 1 day), to_time)
      where counts and channel_kind is not null
    ),
    with_their_window as (
      select
        *,
        countif(end_before is null or window_start >= end_before) over (
          partition by device_id, channel, unit, channel_kind, day order by window_start
        ) as span
      from with_the_end_of_those_before
    ),
    points_of_each_row as (
      select distinct
        device_id,
        channel,
        unit,
        channel_kind,
        day,
        span,
        window_start,
        timestamp_add(window_start, interval window_seconds second) as window_end,
        timestamp_add(window_start, interval offset_us microsecond) as time,
        value,
        if(channel_kind = 'state', name, null) as state,
        site_id,
        states,
        wraps_at,
        last_time,
        batch_id
      from
        with_their_window,
        unnest(point_offsets_us) as offset_us with offset as place,
        unnest(point_values) as value with offset as place_of_value,
        unnest(split(coalesce(states, ''), ',')) as name with offset as place_of_name
      where place = place_of_value and (states is null or place_of_name = value)
    ),
    windows as (
      select
        device_id,
        channel,
        unit,
        channel_kind,
        min(window_start) as window_start,
        timestamp_diff(max(window_end), min(window_start), second) as window_seconds,
        array_agg(distinct struct(time as time, value as value, state as state)) as points,
        array_agg(
          struct(site_id as site_id, states as states, wraps_at as wraps_at) order by last_time desc, batch_id desc limit 1
        )[offset(0)] as newest,
        array_agg(struct(time as time, value as value, state as state) order by time desc, value desc limit 1)[offset(0)] as latest
      from points_of_each_row
      group by device_id, channel, unit, channel_kind, day, span
    ),
    with_the_window_before as (
      select *, lag(latest) over (partition by device_id, channel, unit, channel_kind order by window_start, window_seconds) as before
      from windows
    ),
    known_points as (
      select
        device_id,
        channel,
        unit,
        channel_kind,
        window_start,
        window_seconds,
        newest,
        point
      from with_the_window_before, unnest(array_concat(points, [before])) as point
      where
        window_start >= from_time
        and window_start < to_time
        and point.time >= timestamp_sub(window_start, interval 1 day)
        and point.time < timestamp_add(window_start, interval window_seconds second)
      qualify
        point.time >= window_start
        or row_number() over (
          partition by device_id, channel, unit, channel_kind, window_start, window_seconds, point.time < window_start
          order by point.time desc, point.value desc
        ) = 1
    )
  select
    device_id,
    newest.site_id as site_id,
    channel,
    unit,
    channel_kind,
    window_start,
    timestamp_add(window_start, interval window_seconds second) as window_end,
    window_seconds,
    newest.states as states,
    newest.wraps_at as wraps_at,
    point.time as time,
    point.value as value,
    point.state as state,
    point.time < window_start as is_before,
    lag(point.value) over neighbours as value_before,
    lag(point.state) over neighbours as state_before,
    lead(point.time) over neighbours as next_time
  from known_points
  window neighbours as (
    partition by device_id, channel, unit, channel_kind, window_start, window_seconds order by point.time, point.value, point.state
  )
);
