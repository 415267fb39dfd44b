-- Since when has each device had the verdict that it has?
--
-- One row for each device and model whose verdict changed in the 90 days before: when it last became what it is.
--
-- @moment timestamp = now: the moment
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select device_id, rule as model, max_by(site_id, event_time) as site_id, max_by(state, event_time) as label, max(event_time) as since
from tinybeam.events_between(timestamp_sub(@moment, interval 90 day), @moment)
where cause = 'label' and (@all_sites or site_id in unnest(@sites))
group by device_id, rule
order by device_id, rule;
