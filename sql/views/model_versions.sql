-- How do the versions of each model compare, day by day, over the last 90 days? (For other days: model_versions_between.)
create or replace view tinybeam.model_versions
options (description = "Each version of each model by day of the last 90 days: label shares, scores and uncertainty")
as
select *
from tinybeam.model_versions_between(timestamp_sub(current_timestamp(), interval 90 day), timestamp_add(current_timestamp(), interval 1 day));
