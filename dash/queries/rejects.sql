-- What was not understood, by reason, and what of it came in by a replay?
--
-- One row for each reason, stage and site, the most frequent first, 200 at most. The site is that where the device stood; what names no device that is known
-- has none.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select
  place.site_id,
  refused.reason,
  refused.stage,
  count(*) as rejects,
  countif(refused.replayed_rows > 0) as replayed,
  count(distinct refused.device_id) as devices,
  min(refused.timestamp) as first_time,
  max(refused.timestamp) as last_time,
  max_by(refused.errorMessage, refused.timestamp) as newest_message
from tinybeam.rejects_between(@from_time, @to_time) as refused
left join tinybeam.devices_v1 as place
  on
    refused.device_id = place.device_id
    and place.valid_from <= refused.timestamp
    and (place.valid_to is null or place.valid_to > refused.timestamp)
where @all_sites or place.site_id in unnest(@sites)
group by place.site_id, refused.reason, refused.stage
order by rejects desc, refused.reason, place.site_id
limit 200;
