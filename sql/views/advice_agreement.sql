-- How often and how far did water balance and soil model agree on each field over the last 90 days? (For other days: advice_agreement_between.)
create or replace view tinybeam.advice_agreement
options (description = "How often and how far water balance and soil model agree on each field, by week of the last 90 days")
as
select *
from tinybeam.advice_agreement_between(timestamp_sub(current_timestamp(), interval 90 day), timestamp_add(current_timestamp(), interval 1 day));
