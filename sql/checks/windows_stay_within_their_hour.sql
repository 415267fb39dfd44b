-- Does a window reach into the next hour, so that an hour of the rollups has values of the one after it? Each row returned is a gateway whose windows do.
--
-- A gateway's configuration refuses such lengths since 0.2; rows of before count in the hour in which they start.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
select gateway_id, window_seconds, count(*) as times, min(window_start) as first_time, max(window_start) as last_time
from tinybeam.summaries_v1
where
  window_start >= @from_time
  and timestamp_diff(window_start, timestamp_trunc(window_start, hour), second) + least(window_seconds, 7200) > 3600
group by gateway_id, window_seconds;
