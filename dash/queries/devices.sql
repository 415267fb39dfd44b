-- When was each device of the registry heard last, and by which gateway?
--
-- One row for each device and gateway that heard it where it stands, the latest first; a device that was never heard there has one row, with nulls.
--
-- @moment timestamp = now: the moment
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select
  device.device_id,
  coalesce(device.name, device.device_id) as name,
  device.kind,
  device.site_id,
  heard.gateway_id,
  heard.last_time as last_heard
from tinybeam.devices_v1 as device
left join tinybeam.last_heard_at(@moment) as heard on device.device_id = heard.device_id and device.site_id = heard.site_id
where
  device.valid_from <= @moment
  and (device.valid_to is null or device.valid_to > @moment)
  and (@all_sites or device.site_id in unnest(@sites))
order by device.site_id, device.device_id, last_heard desc;
