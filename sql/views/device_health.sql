-- How is each device now: when was it last heard, how much of the last day is there, can its clock be trusted? (For another moment:
-- device_health_at.)
create or replace view tinybeam.device_health
options (description = "Each device of the registry now: last heard, windows and gaps of the last day, silence, time quality")
as
select *
from tinybeam.device_health_at(current_timestamp());
