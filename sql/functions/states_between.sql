-- How long was each state in each of its states, window by window, and how often did it come into it?
--
-- What the view states shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. Both reach the
-- table before anything is compared, so only those days and the one before are read.
create or replace table function tinybeam.states_between(from_time timestamp, to_time timestamp)
options (description = "How long each state channel was in each of its states, window by window, and how often it came into it")
as
select
  device_id,
  site_id,
  channel,
  window_start,
  window_end,
  window_seconds,
  name as state,
  sum(if(state = name, timestamp_diff(coalesce(next_time, window_end), greatest(time, window_start), microsecond), 0)) / 1e6 as seconds,
  sum(if(state = name, timestamp_diff(coalesce(next_time, window_end), greatest(time, window_start), microsecond), 0)) / 1e6 / window_seconds as share,
  countif(state = name and state_before != name) as entered,
  countif(state = name and next_time is null) > 0 as is_last,
  timestamp_diff(window_end, greatest(min(time), window_start), microsecond) / 1e6 as known_seconds
from tinybeam.points_between(from_time, to_time), unnest(split(states, ',')) as name
where channel_kind = 'state'
group by device_id, site_id, channel, unit, window_start, window_end, window_seconds, name;
