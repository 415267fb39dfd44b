-- How much of what each gateway sent has arrived, day by day?
--
-- One row for each gateway, site and day, of the hundred gateways at most of which most is missing.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  days as (
    select
      gateway_id,
      timestamp_trunc(hour, day) as day,
      sum(received) as received,
      sum(missing) as missing,
      sum(declared) as declared,
      sum(thinned) as thinned,
      sum(readings_lost) as readings_lost
    from tinybeam.completeness_between(@from_time, @to_time)
    group by gateway_id, day
  ),
  with_their_place as (
    select
      days.*,
      place.site_id,
      sum(days.missing + days.declared) over (partition by days.gateway_id) as absent
    from days
    left join tinybeam.gateway_sites_at(@to_time) as place on days.gateway_id = place.gateway_id
    where @all_sites or place.site_id in unnest(@sites)
  )
select gateway_id, site_id, day, received, missing, declared, thinned, readings_lost
from with_their_place
qualify dense_rank() over (order by absent desc, gateway_id) <= 100
order by gateway_id, site_id, day;
