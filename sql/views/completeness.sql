-- How much of what each gateway sent has arrived, hour by hour?
--
-- A gateway numbers its batches 1, 2, 3, ... within an epoch (the life of its store). In each hour
--   received  batches that are here, by their cut_time;
--   declared  batches that are not here and that the gateway's ledger says it dropped (dropped_ranges of its newest heartbeat);
--   thinned   batches that are not here since the gateway merged them into others with longer windows, for want of room (thinned_ranges): what
--             they held is in those, so nothing is lost by it;
--   missing   batches that are not here and of which no ledger says so: waiting on the gateway, on their way, or lost (the view stores says which).
--             Known from the numbers between 1 and the highest one seen, in a batch or in a ledger (batches_cut).
-- When an absent batch was cut is not known: the numbers of a gap are spread evenly over the time between its two neighbours. Where those
-- lie more than 31 days apart, the gateway's clock was set or it stood still: its numbers count in the hour of the upper neighbour, and
-- unplaced says how many of missing, declared and thinned these are.
-- readings_lost are readings that the gateway had acknowledged and that were lost to damage of its store, in the hour of the first heartbeat that
-- says so; the batches lost with them are missing.
-- Numbers below 1 or above 10^12, more than any gateway cuts, and ranges that descend or lack their end are nonsense and left out, so that
-- one gateway gone mad does not take the view from everybody.
-- The last 90 days, from midnight UTC, and what is dated ahead; for other days completeness_between(from_time, to_time).
create or replace view tinybeam.completeness
options (description = "Batches received, missing, declared dropped and thinned, per gateway and hour; of the last 90 days, for others completeness_between")
as
select *
from tinybeam.completeness_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
