-- How does each release of a model do beside its control, over the whole fleet?
--
-- What the view release_health shows, of a time. It has no site, so it is for who may see every site.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select cast(null as string) as site_id, health.*
from tinybeam.release_health_between(@from_time, @to_time) as health
where @all_sites and array_length(@sites) = 0
order by health.model, health.release;
