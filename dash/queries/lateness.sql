-- How long after its newest reading did a batch of summaries arrive, by gateway and day?
--
-- One row for each gateway, site and day, of the hundred gateways at most that are latest: the middle batch, and one in a hundred.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  days as (
    select
      gateway_id,
      timestamp_trunc(cut_time, day) as day,
      count(*) as batches,
      approx_quantiles(timestamp_diff(received_time, time_max, second), 100) as seconds
    -- Of the table: a batch that was written twice changes no quantile.
    from tinybeam.batches_v1
    where cut_time >= @from_time and cut_time < @to_time and kind = 'summaries'
    group by gateway_id, day
  ),
  with_their_place as (
    select
      days.gateway_id,
      place.site_id,
      days.day,
      days.batches,
      days.seconds[offset(50)] as middle_seconds,
      days.seconds[offset(99)] as late_seconds,
      max(days.seconds[offset(99)]) over (partition by days.gateway_id) as latest_seconds
    from days
    left join tinybeam.gateway_sites_at(@to_time) as place on days.gateway_id = place.gateway_id
    where @all_sites or place.site_id in unnest(@sites)
  )
select gateway_id, site_id, day, batches, middle_seconds, late_seconds
from with_their_place
qualify dense_rank() over (order by latest_seconds desc, gateway_id) <= 100
order by gateway_id, site_id, day;
