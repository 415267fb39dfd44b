-- When was each device heard last on the site where it stood at a moment, and by which gateways?
--
-- A row for each device_id, site_id and gateway_id: what the view last_heard has, but for gateways that heard the device last while it stood on another
-- site: they are none of the site's. Asking costs a row for each device.
create or replace table function tinybeam.last_heard_at(moment timestamp)
options (description = "When each device was heard last on the site where it stood at a moment, by gateway")
as
select *
from (
  with
    standing as (
      select device_id, site_id
      from tinybeam.devices_v1
      where valid_from <= moment and (valid_to is null or valid_to > moment)
      group by device_id, site_id
    ),
    came as (
      select standing.device_id, standing.site_id, max(elsewhere.valid_to) as came_time
      from standing
      left join tinybeam.devices_v1 as elsewhere
        on standing.device_id = elsewhere.device_id and standing.site_id != elsewhere.site_id and elsewhere.valid_to <= moment
      group by standing.device_id, standing.site_id
    )
  select came.device_id, came.site_id, heard.gateway_id, heard.last_time, heard.received_time
  from came
  inner join tinybeam.last_heard as heard on came.device_id = heard.device_id
  where came.came_time is null or heard.last_time >= came.came_time
);
