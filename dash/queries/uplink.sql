-- How much did each gateway send up, day by day?
--
-- One row for each gateway and day, with the rows of each kind; site_id is the first of the sites that it hears. billed_bytes counts at least 1000 bytes for
-- each batch, as Pub/Sub bills a request.
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
  kinds as (
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
  kinds.gateway_id,
  places.site_id,
  kinds.day,
  sum(kinds.batches) as batches,
  sum(kinds.row_count) as row_count,
  sum(kinds.body_bytes) as body_bytes,
  sum(kinds.billed_bytes) as billed_bytes,
  array_agg(struct(kinds.kind as kind, kinds.row_count as row_count) order by kinds.kind) as kinds
from kinds
left join places on kinds.gateway_id = places.gateway_id
where @all_sites or places.site_id is not null
group by kinds.gateway_id, places.site_id, kinds.day
order by kinds.day, kinds.gateway_id;
