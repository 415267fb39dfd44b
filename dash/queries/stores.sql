-- What became of what the stores of each gateway held?
--
-- One row for each gateway and site: sums over its stores that were heard in the time, as the view stores has them.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select
  store.gateway_id,
  place.site_id,
  count(*) as stores,
  countif(store.replaced) as replaced,
  sum(store.missing) as missing,
  sum(store.lost) as lost,
  sum(store.waiting) as waiting,
  sum(store.readings_lost) as readings_lost
from tinybeam.stores_between(@from_time, @to_time) as store
left join tinybeam.gateway_sites_at(@to_time) as place on store.gateway_id = place.gateway_id
where @all_sites or place.site_id in unnest(@sites)
group by store.gateway_id, place.site_id
order by store.gateway_id, place.site_id;
