-- Does a device stand on a site that is not in the registry? Each row returned is such a device.
select devices.device_id, devices.site_id
from tinybeam.devices_v1 as devices
left join tinybeam.sites_v1 as sites on devices.site_id = sites.site_id
where sites.site_id is null;
