-- By how much did each counter rise, window by window?
--
-- One row per device_id, channel, unit and window. increase counts from the last reading before the window (since_time, of the day before at most) to
-- the last one in it, so increases of windows add up to what the counter rose by, whatever came late or again, and nothing counts twice. Without
-- a reading before, it counts from the first one of the window; null if there is but one. A value that falls is a reset: the counter began at 0
-- again; of one that wraps (wraps_at) a wrap, unless that were more than half of the way round.
-- Windows that overlap, as a late one and those that a full gateway merged, are one row over all their time.
-- A device that several gateways hear counts once, as in the view summaries.
-- The last 90 days by window_start, from midnight UTC, and what is dated ahead; for other days counters_between(from_time, to_time), which
-- reads only those days and the one before.
create or replace view tinybeam.counters
options (description = "By how much each counter rose in each window; of the last 90 days, for others counters_between")
as
select *
from tinybeam.counters_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
