-- Of which sites was each gateway at a moment, and when did it hear them last?
--
-- A row for each gateway_id and site_id: the site where the gateway stood, by the newest of its keys in the registry, and those whose devices it heard
-- there (last_heard_at), if that was no more than 90 days before. Asking costs a row for each device.
create or replace table function tinybeam.gateway_sites_at(moment timestamp)
options (description = "The sites of each gateway at a moment: where it stood, and whose devices it heard")
as
select gateway_id, site_id, max(last_time) as last_time, max(received_time) as received_time
from (
  select gateway_id, site_id, last_time, received_time
  from tinybeam.last_heard_at(moment)
  where last_time >= timestamp_sub(moment, interval 90 day)
  union all
  select gateway_id, site_id, cast(null as timestamp) as last_time, cast(null as timestamp) as received_time
  from (
    select gateway_id, site_id
    from tinybeam.gateways_v1
    where valid_from <= moment and (revoked_time is null or revoked_time > moment)
    qualify row_number() over (partition by gateway_id order by valid_from desc, public_key) = 1
  )
  where site_id is not null
)
group by gateway_id, site_id;
