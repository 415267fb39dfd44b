-- How long was each state in each of its states, window by window, and how often did it come into it?
--
-- One row per device_id, channel, window and declared state, also with 0 seconds. A state lasts from the reading that says it to the next one, whatever
-- the order in which they came, the last one to the end of the window; a window begins in the state of the last reading before it, of the day
-- before at most. Before the first reading that is known nothing is: known_seconds is then less than window_seconds, and shares add up to less than 1.
-- entered counts how often it came into the state from another. A device that several gateways hear counts once, as in the view summaries.
-- Windows that overlap, as a late one and those that a full gateway merged, are one row over all their time.
-- A window without a reading has no row: over longer times divide the sum of seconds by the sum of known_seconds.
-- The last 90 days by window_start, from midnight UTC, and what is dated ahead; for other days states_between(from_time, to_time), which
-- reads only those days and the one before.
create or replace view tinybeam.states
options (description = "How long each state channel was in each of its states, window by window, and how often it came into it; of the last 90 days, for others states_between")
as
select *
from tinybeam.states_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
