-- How often and how far does a model in the shadow disagree with the one in force, day by day, over the last 90 days? (For other days: shadow_disagreement_between.)
create or replace view tinybeam.shadow_disagreement
options (description = "How often and how far each model in the shadow disagrees with the one in force, by day of the last 90 days")
as
select *
from tinybeam.shadow_disagreement_between(timestamp_sub(current_timestamp(), interval 90 day), timestamp_add(current_timestamp(), interval 1 day));
