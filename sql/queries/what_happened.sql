-- What happened today? Every threshold crossed and every label changed, in order, and how soon it was known.
--
-- @from_time timestamp = now - 1 day: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
with
  site_names as (
    select site_id, name
    from tinybeam.sites_v1
    where valid_from < @to_time and (valid_to is null or valid_to >= @to_time)
  )
select
  events.event_time as time,
  events.severity,
  coalesce(site_names.name, events.site_id) as site,
  events.device_id,
  case events.cause
    when 'threshold' then concat(
      events.channel, ' ', coalesce(events.previous_state, 'unknown'), ' -> ', events.state, ' (', events.rule, ' at ', cast(events.threshold as string), ')'
    )
    else concat(events.rule, ' says ', events.state, coalesce(concat(', before ', events.previous_state), ''))
  end as what,
  round(events.value, 3) as value,
  timestamp_diff(events.received_time, events.event_time, second) as known_after_seconds,
  events.time_quality
from tinybeam.events_between(@from_time, @to_time) as events
left join site_names on events.site_id = site_names.site_id
order by time, device_id, what;
