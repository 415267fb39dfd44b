-- What water do people say they gave to a field?
--
-- One row for each answer, once.
--
-- @site_id string = : the field
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select site_id, event_time as time, amount as amount_mm, labelled_by
from tinybeam.placed_labels_between(@from_time, @to_time)
where answer = 'irrigated_mm' and amount is not null and site_id = @site_id and (@all_sites or site_id in unnest(@sites))
order by event_time;
