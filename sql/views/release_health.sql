-- How does each release of a model do beside the one before it?
--
-- One row per model and release that a gateway ran or refused. Its control is the next lower release that ran in that time; 0 is the bundle that the
-- configuration of a gateway names. Where both judged devices of the same site on the same day, those alone are compared; else those of the same days.
-- A label change counts as an event. inferences_failed of a heartbeat counts for every model that its gateway runs.
-- The last 14 days; for other days release_health_between(from_time, to_time).
create or replace view tinybeam.release_health
options (description = "Each release of a model beside its control, the release before it; of the last 14 days, for others release_health_between")
as
select *
from tinybeam.release_health_between(timestamp_sub(current_timestamp(), interval 14 day), timestamp_add(current_timestamp(), interval 1 day));
