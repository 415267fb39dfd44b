-- Is there a fact of a device that the registry does not place at that time? Each row returned is such a device.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
with
  heard as (
    select device_id, window_start as time from tinybeam.summaries_between(@from_time, timestamp '9000-01-01')
    union all
    select device_id, window_start as time from tinybeam.inferences_between(@from_time, timestamp '9000-01-01')
    union all
    select device_id, event_time as time from tinybeam.events_between(@from_time, timestamp '9000-01-01')
  )
select heard.device_id, count(*) as times, min(heard.time) as first_time, max(heard.time) as last_time
from heard
left join tinybeam.devices_v1 as registered
  on
    heard.device_id = registered.device_id
    and heard.time >= registered.valid_from
    and (registered.valid_to is null or heard.time < registered.valid_to)
where registered.device_id is null
group by heard.device_id;
