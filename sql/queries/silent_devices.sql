-- Which devices are silent, since when, and is it the device or its gateway?
--
-- A device of the registry that was never heard is listed first. If its gateway has been silent for about as long, look at the gateway.
-- The last 30 days are searched, no more.
--
-- @as_of timestamp = now: the moment to look from
-- @silent_minutes int64 = 60: a device heard within so many minutes is not silent
select
  health.device_id,
  health.kind,
  coalesce(sites.name, health.site_id) as site,
  health.last_heard,
  health.silent_minutes,
  health.gateway_id,
  gateways.silent_minutes as gateway_silent_minutes,
  case
    when health.last_heard is null then 'never heard in 30 days'
    when gateways.silent_minutes is null then 'its gateway has not been heard in 30 days'
    when gateways.silent_minutes > @silent_minutes then 'its gateway is silent'
    when gateways.broker_state != 'online' then 'its gateway has lost the broker'
    else 'the device itself'
  end as cause
from tinybeam.device_health_at(@as_of) as health
left join tinybeam.gateways_at(@as_of) as gateways on health.gateway_id = gateways.gateway_id
left join (
  select site_id, name
  from tinybeam.sites_v1
  where valid_from <= @as_of and (valid_to is null or valid_to > @as_of)
) as sites
  on health.site_id = sites.site_id
where health.last_heard is null or health.silent_minutes > @silent_minutes
order by health.last_heard is not null, health.silent_minutes desc, health.device_id;
