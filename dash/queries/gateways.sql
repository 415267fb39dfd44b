-- How is each gateway at a moment, and of which sites is it?
--
-- One row for each gateway and site: the site where it stands, by the registry, and those whose devices it heard last. A gateway of which neither is
-- known has a row without a site. Its state is that of its latest heartbeat, of the 30 days before; nulls where there is none.
--
-- @moment timestamp = now: the moment
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  registered as (
    select gateway_id, max(name) as name, max(site_id) as site_id
    from tinybeam.gateways_v1
    where valid_from <= @moment and (revoked_time is null or revoked_time > @moment)
    group by gateway_id
  ),
  hearing as (
    select heard.gateway_id, device.site_id, max(heard.last_time) as newest, max(heard.received_time) as received_time
    from tinybeam.last_heard as heard
    inner join tinybeam.devices_v1 as device on heard.device_id = device.device_id
    where device.valid_from <= @moment and (device.valid_to is null or device.valid_to > @moment)
    group by heard.gateway_id, device.site_id
  ),
  states as (
    select
      gateway_id,
      heartbeat_time,
      received_time,
      started_time,
      version,
      time_quality,
      uplink_state,
      broker_state,
      batches_pending,
      oldest_pending_time,
      batches_dropped,
      readings_dropped,
      readings_lost,
      store_bytes,
      store_bytes_max,
      devices_seen,
      certificate_end_time,
      models,
      model_releases,
      releases_refused,
      inferences_failed
    from tinybeam.gateways_at(@moment)
  ),
  places as (
    select gateway_id, site_id from hearing
    union distinct
    select gateway_id, site_id from registered where site_id is not null
  ),
  known as (
    select gateway_id from states
    union distinct
    select gateway_id from registered
    union distinct
    select gateway_id from hearing
  )
select
  known.gateway_id,
  coalesce(registered.name, known.gateway_id) as name,
  places.site_id,
  hearing.newest,
  states.heartbeat_time,
  greatest(coalesce(states.received_time, hearing.received_time), coalesce(hearing.received_time, states.received_time)) as received_time,
  states.started_time,
  states.version,
  states.time_quality,
  states.uplink_state,
  states.broker_state,
  states.batches_pending,
  states.oldest_pending_time,
  states.batches_dropped,
  states.readings_dropped,
  states.readings_lost,
  states.store_bytes,
  states.store_bytes_max,
  states.devices_seen,
  states.certificate_end_time,
  states.models,
  states.model_releases,
  states.releases_refused,
  states.inferences_failed
from known
left join registered on known.gateway_id = registered.gateway_id
left join places on known.gateway_id = places.gateway_id
left join hearing on places.gateway_id = hearing.gateway_id and places.site_id = hearing.site_id
left join states on known.gateway_id = states.gateway_id
where @all_sites or places.site_id in unnest(@sites)
order by known.gateway_id, places.site_id;
