-- Which devices are there, and where do they stand now?
create or replace view tinybeam.devices
options (description = "The devices of the registry as they stand now")
as
select *
from tinybeam.devices_v1
where valid_from <= current_timestamp() and (valid_to is null or valid_to > current_timestamp());
