-- How was each site, minute by minute and hour by hour?
--
-- One row per site_id, channel, unit, window_start and window_seconds: the result that rests on the most partial summaries; of those on as
-- many, one that was computed anew from the facts, then the latest (as_of, then revision). So a run that knows only a part of a window never
-- hides one that knows more. A window that was taken back (count 0) is not there: a longer summary lies over the minute.
-- The last 90 days by window_start, from midnight UTC, and what is dated ahead; for other days site_windows_between(from_time, to_time). A filter on window_start
-- reaches the table and reads only those days.
create or replace view tinybeam.site_windows
options (description = "Each channel of each site by minute and hour: the result of each window that rests on the most facts; of the last 90 days, for others site_windows_between")
as
select *
from tinybeam.site_windows_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
