-- Of which sites was each gateway at a moment, and when did it hear them last?
--
-- A row for each gateway_id and site_id: the site where the gateway stood, by the registry, and those whose devices it heard, if that was no more than
-- 90 days before. A device counts for the site where it stood at the moment. Asking costs a row for each device.
create or replace table function tinybeam.gateway_sites_at(moment timestamp)
options (description = "The sites of each gateway at a moment: where it stood, and whose devices it heard")
as
select gateway_id, site_id, max(last_time) as last_time, max(received_time) as received_time
from (
  select heard.gateway_id, device.site_id, heard.last_time, heard.received_time
  from tinybeam.last_heard as heard
  inner join tinybeam.devices_v1 as device on heard.device_id = device.device_id
  where
    heard.last_time >= timestamp_sub(moment, interval 90 day)
    and device.valid_from <= moment
    and (device.valid_to is null or device.valid_to > moment)
  union all
  select gateway_id, site_id, cast(null as timestamp) as last_time, cast(null as timestamp) as received_time
  from tinybeam.gateways_v1
  where site_id is not null and valid_from <= moment and (revoked_time is null or revoked_time > moment)
)
group by gateway_id, site_id;
