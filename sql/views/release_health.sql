-- How does each release of a model do beside the one before it?
--
-- One row per model and release that a gateway ran or refused. Its control is the lower release that judged most on its days; 0 is the bundle that the
-- configuration of a gateway names. compared_on says what is compared, the best that there is: what the control said in the shadow of the release, of the same
-- windows; of the same sites on the same days; of the same days on other sites, with allowance for how the gateways of the release differed from those others
-- while they ran the control themselves, from that time on (`same days, and those before`: ask for a time that begins before the release); or of the same days
-- alone, where the sites may differ as much as the releases (compared_verdicts_between has the rows and their weights). A label change counts as an event;
-- inferences_failed of a heartbeat counts for every model that its gateway runs.
-- The last 14 days; for other days release_health_between(from_time, to_time).
create or replace view tinybeam.release_health
options (description = "Each release of a model beside its control, the release before it; of the last 14 days, for others release_health_between")
as
select *
from tinybeam.release_health_between(timestamp_sub(current_timestamp(), interval 14 day), timestamp_add(current_timestamp(), interval 1 day));
