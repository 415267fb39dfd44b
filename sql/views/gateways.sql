-- How is each gateway now? Its latest heartbeat, if it was heard in the last 30 days (for another moment: gateways_at).
create or replace view tinybeam.gateways
options (description = "The latest heartbeat of each gateway heard in the last 30 days")
as
select *
from tinybeam.gateways_at(current_timestamp());
