-- How is each gateway at a moment, and of which sites is it?
--
-- One row for each gateway and site, as gateway_sites_at has them; a gateway of no known site has a row without one. Its state is that of its latest
-- heartbeat, of the 30 days before; nulls where there is none.
--
-- @moment timestamp = now: the moment
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  registered as (
    select gateway_id, max_by(name, valid_from) as name
    from tinybeam.gateways_v1
    where valid_from <= @moment and (revoked_time is null or revoked_time > @moment)
    group by gateway_id
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
    select *
    from tinybeam.gateway_sites_at(@moment)
  ),
  known as (
    select gateway_id from states
    union distinct
    select gateway_id from registered
    union distinct
    select gateway_id from places
  )
select
  known.gateway_id,
  coalesce(registered.name, known.gateway_id) as name,
  places.site_id,
  places.last_time as newest,
  states.heartbeat_time,
  greatest(coalesce(states.received_time, places.received_time), coalesce(places.received_time, states.received_time)) as received_time,
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
left join states on known.gateway_id = states.gateway_id
where @all_sites or places.site_id in unnest(@sites)
order by known.gateway_id, places.site_id;
