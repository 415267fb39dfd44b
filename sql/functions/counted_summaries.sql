-- Which summaries that begin in a time count, where several gateways hear a device? Each row of the table once, with counts and its hour.
--
-- counted_summaries_of, of all channels. Both times are taken to full hours: from_time downwards, to_time (exclusive) upwards.
create or replace table function tinybeam.counted_summaries(from_time timestamp, to_time timestamp)
options (description = "Summaries that begin in a time, each row once, with whether it counts where several gateways heard its device")
as
select *
from tinybeam.counted_summaries_of(from_time, to_time, cast(null as array<string>));
