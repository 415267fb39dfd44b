-- Which sites are there at a moment, and how many devices stand on each?
--
-- @moment timestamp = now: the moment
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with placed as (
  select site_id, count(distinct device_id) as devices
  from tinybeam.devices_v1
  where valid_from <= @moment and (valid_to is null or valid_to > @moment)
  group by site_id
)
select
  site.site_id,
  site.name,
  site.crop,
  site.soil,
  site.area_m2,
  site.time_zone,
  coalesce(placed.devices, 0) as devices
from tinybeam.sites_v1 as site
left join placed on site.site_id = placed.site_id
where
  site.valid_from <= @moment
  and (site.valid_to is null or site.valid_to > @moment)
  and (@all_sites or site.site_id in unnest(@sites))
order by site.name, site.site_id;
