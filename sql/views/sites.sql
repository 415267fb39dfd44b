-- Which sites are there now?
create or replace view tinybeam.sites
options (description = "The sites of the registry as they are now")
as
select *
from tinybeam.sites_v1
where valid_from <= current_timestamp() and (valid_to is null or valid_to > current_timestamp());
