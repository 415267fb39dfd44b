-- When did the verdict on a device change, and to what?
--
-- One row for each change that a gateway told of, oldest first.
--
-- @device_id string = : the device, or nothing for all
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select site_id, device_id, rule as model, event_time as time, previous_state as label_before, state as label, value as score
from tinybeam.events_between(@from_time, @to_time)
where cause = 'label' and (@device_id = '' or device_id = @device_id) and (@all_sites or site_id in unnest(@sites))
order by event_time, device_id;
