-- What was to be done for each field at a moment, and how moist was it?
--
-- One row for each field, as advice_at has it, with its area and time zone.
--
-- @moment timestamp = now: the moment
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with zones as (
  select site_id, time_zone, area_m2
  from tinybeam.sites_v1
  where valid_from <= @moment and (valid_to is null or valid_to > @moment)
)
select
  advice.site_id,
  advice.field as name,
  advice.crop,
  advice.soil,
  advice.action,
  advice.need_mm,
  advice.need_m3,
  advice.water_by,
  advice.rests_on,
  advice.why,
  advice.assumed,
  advice.balance_days,
  advice.model_days,
  advice.model_uncertainty,
  advice.irrigated_mm,
  advice.heard_time,
  zones.time_zone,
  zones.area_m2,
  advice.moisture,
  advice.probes
from tinybeam.advice_at(@moment) as advice
left join zones on advice.site_id = zones.site_id
where @all_sites or advice.site_id in unnest(@sites)
order by advice.field, advice.site_id;
