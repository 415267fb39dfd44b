-- What was decided about the releases of models, and why?
--
-- One row for each decision of the view release_decisions, the newest first, 20 for each model at most. It is of the whole fleet and has no site, so it is for
-- who may see every site.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select cast(null as string) as site_id, model, release, decided_time, action, share, reasons
from tinybeam.release_decisions
where decided_time >= @from_time and decided_time < @to_time and @all_sites and array_length(@sites) = 0
qualify row_number() over (partition by model order by decided_time desc, release desc) <= 20
order by model, decided_time desc, release desc;
