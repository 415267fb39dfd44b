-- What did each channel of each device measure in each window?
--
-- One row per device_id, channel, unit, window_start and window_seconds. A row that arrived repeatedly counts once; partial summaries of
-- a window (readings that came after it was cut) are added up, so a late reading changes the row and never adds one.
-- A device that several gateways hear counts once, also where they held windows (deadband) of other lengths: of the rows that overlap within an hour
-- (a stretch) what the gateway with the most values heard counts, and of each other one the rows whose sensor numbers meet those of no gateway
-- before it (a device that moved from one to the other). So counts may be added up over any windows. What only a gateway heard that does not
-- count is readings_uncounted, on the first row of the stretch; a window of which nothing counts is not there. seq_ranges and seq_missing are of
-- what any gateway heard in windows of this start and length.
-- A row that makes no sense gives nulls, not an error, and leaves the others of its window as they are: one gateway gone mad must not take
-- the view from everybody.
-- sketch is for tinybeam.quantile(array_concat_agg(sketch), 0.95) over any rows. Values of a part that came without one (from a gateway that
-- makes none yet) are in it as an entry below 0, so that the quantile of rows of which a part is not known is NULL.
-- stddev is that of all values (sqrt(m2 / count)). clock_offset_ms is that of the partial with the most values: medians do not add up.
-- The last 90 days by window_start, from midnight UTC, and what is dated ahead; for other days summaries_between(from_time, to_time). A filter on day
-- reads only those days; one on window_start alone is right and reads the 90 days, for a row counts or not by its whole hour.
create or replace view tinybeam.summaries
options (description = "What each channel of each device measured in each window: one row per device, channel, unit and window, late readings included, a device heard by several gateways once; of the last 90 days, for others summaries_between")
as
select *
from tinybeam.summaries_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
