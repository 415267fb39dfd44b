-- Does a view show a window twice? Each row returned is a window that it does.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
with
  windows as (
    select 'summaries' as view_name, device_id as name, channel, window_start, window_seconds
    from tinybeam.summaries
    where window_start >= @from_time
    union all
    select 'site_windows' as view_name, site_id as name, channel, window_start, window_seconds
    from tinybeam.site_windows
    where window_start >= @from_time
  )
select view_name, name, channel, window_start, window_seconds, count(*) as times
from windows
group by view_name, name, channel, window_start, window_seconds
having count(*) > 1;
