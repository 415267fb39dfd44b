-- How does each release of a model do beside the one before it, over a time?
--
-- What the view release_health shows, which says what a row is. `tinybeam release advance --health` reads these rows as JSON.
--
-- @from_time timestamp = now - 14 days: from when, inclusive
-- @to_time timestamp = now + 1 days: until when, exclusive
select *
from tinybeam.release_health_between(@from_time, @to_time)
order by model, release;
