-- What came of the soil model's verdicts, by release and site?
--
-- One row for each release, site and outcome. Reads the summaries of 15 days more than the time.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select site_id, model_version, model_sha256, outcome, count(*) as verdicts
from tinybeam.soil_outcomes_between(@from_time, @to_time)
where @all_sites or site_id in unnest(@sites)
group by site_id, model_version, model_sha256, outcome
order by site_id, model_version, outcome;
