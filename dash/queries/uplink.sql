-- How much did the gateways of each site send up, day by day?
--
-- One row for each site, day and kind of rows; a gateway counts for the first of its sites. billed_bytes counts at least 1000 bytes for each batch, as Pub/Sub
-- bills a request.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  places as (
    select gateway_id, min(site_id) as site_id
    from tinybeam.gateway_sites_at(@to_time)
    where @all_sites or site_id in unnest(@sites)
    group by gateway_id
  ),
  days as (
    select
      gateway_id,
      timestamp_trunc(cut_time, day) as day,
      kind,
      count(*) as batches,
      sum(row_count) as row_count,
      sum(body_bytes) as body_bytes,
      sum(greatest(body_bytes, 1000)) as billed_bytes
    from tinybeam.batches_between(@from_time, @to_time)
    group by gateway_id, day, kind
  )
select
  places.site_id,
  days.day,
  days.kind,
  count(distinct days.gateway_id) as gateways,
  sum(days.batches) as batches,
  sum(days.row_count) as row_count,
  sum(days.body_bytes) as body_bytes,
  sum(days.billed_bytes) as billed_bytes
from days
left join places on days.gateway_id = places.gateway_id
where @all_sites or places.site_id is not null
group by places.site_id, days.day, days.kind
order by days.day, places.site_id, days.kind;
