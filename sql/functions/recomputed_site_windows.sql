-- Which site windows are not what the facts say, and what do the facts say? Each row returned is to be written to site_windows_v1.
--
-- Of the hours that begin from from_time to to_time (exclusive): of a site and hour that was marked since `marked_since`
-- (dirty_windows_v1), or of every one that has facts if every_hour. The same law as pipeline/rollup: a minute is made of the counted summaries
-- that lie within it, and is not there where a longer counted one lies over it; an hour is made of all that begin in it. A window that facts do not
-- support gets a row of count 0, which takes it back, now or if a run that knows less gives it later; where all facts of a site and hour are gone (a partition that expired), it stays.
-- Sums are taken as equal when they differ by rounding alone, so what was written once is not written again.
create or replace table function tinybeam.recomputed_site_windows(
  from_time timestamp,
  to_time timestamp,
  marked_since timestamp,
  every_hour bool,
  computed_at timestamp
)
options (description = "Rows for site_windows_v1 of the windows that are not what the facts say")
as
select *
from (
  with
    marked as (
      select distinct site_id, window_start as hour
      from tinybeam.dirty_windows_v1
      where window_start >= from_time and window_start < to_time and marked_time >= marked_since and not every_hour
    ),
    facts as (
      select
        facts.*,
        timestamp_trunc(facts.window_start, minute) as first_minute,
        timestamp_trunc(timestamp_sub(facts.window_end, interval 1 microsecond), minute) as last_minute
      from tinybeam.counted_summaries(from_time, to_time) as facts
      left join marked on facts.site_id = marked.site_id and facts.hour = marked.hour
      where facts.makes_sense and (every_hour or marked.site_id is not null)
    ),
    facts_of_each_window as (
      select
        site_id, channel, unit, hour as start_time, 3600 as seconds, true as lies_within, counts, count, sum, m2, min, max
      from facts
      union all
      select
        site_id, channel, unit, minute as start_time, 60 as seconds, first_minute = last_minute as lies_within, counts, count, sum, m2, min, max
      from facts, unnest(generate_timestamp_array(first_minute, least(last_minute, timestamp_add(hour, interval 59 minute)), interval 1 minute)) as minute
    ),
    with_what_lies_over as (
      select
        *,
        lies_within
        and counts
        and countif(counts and not lies_within) over (partition by site_id, channel, unit, start_time, seconds) = 0 as adds
      from facts_of_each_window
    ),
    with_the_mean as (
      select
        *,
        safe_divide(
          sum(if(adds, sum, 0)) over (partition by site_id, channel, unit, start_time, seconds),
          sum(if(adds, count, 0)) over (partition by site_id, channel, unit, start_time, seconds)
        ) as mean
      from with_what_lies_over
    ),
    true_windows as (
      select
        site_id,
        channel,
        unit,
        start_time,
        seconds,
        sum(if(adds, count, 0)) as count,
        sum(if(adds, sum, 0)) as sum,
        sum(if(adds, m2 + count * pow(sum / count - mean, 2), 0)) as m2,
        coalesce(min(if(adds, min, null)), 0) as min,
        coalesce(max(if(adds, max, null)), 0) as max,
        count(*) as summaries
      from with_the_mean
      group by site_id, channel, unit, start_time, seconds
      having countif(lies_within) > 0
    ),
    hours_with_facts as (
      select distinct site_id, hour
      from facts
    ),
    shown as (
      select
        *,
        timestamp_trunc(window_start, hour) as hour,
        max(revision) over (partition by window_start, window_seconds, site_id, channel, unit) as highest_revision
      from tinybeam.site_windows_v1
      where window_start >= from_time and window_start < to_time
      qualify row_number() over (
        partition by window_start, window_seconds, site_id, channel, unit
        order by summaries desc, timing = 'recomputed' desc, as_of desc, revision desc
      ) = 1
    ),
    shown_windows as (
      select shown.*
      from shown
      inner join hours_with_facts on shown.site_id = hours_with_facts.site_id and shown.hour = hours_with_facts.hour
    ),
    compared as (
      select
        coalesce(true_windows.site_id, shown_windows.site_id) as site_id,
        coalesce(true_windows.channel, shown_windows.channel) as channel,
        coalesce(true_windows.unit, shown_windows.unit) as unit,
        coalesce(true_windows.start_time, shown_windows.window_start) as window_start,
        coalesce(true_windows.seconds, shown_windows.window_seconds) as window_seconds,
        coalesce(true_windows.count, 0) as count,
        coalesce(true_windows.sum, 0) as sum,
        coalesce(true_windows.m2, 0) as m2,
        coalesce(true_windows.min, 0) as min,
        coalesce(true_windows.max, 0) as max,
        -- Never fewer than are shown: what is written must be what the view shows.
        greatest(coalesce(true_windows.summaries, 0), coalesce(shown_windows.summaries, 0)) as summaries,
        coalesce(shown_windows.highest_revision + 1, 0) as revision,
        shown_windows.site_id is not null as is_shown,
        coalesce(shown_windows.count, 0) as shown_count,
        shown_windows.sum as shown_sum,
        shown_windows.m2 as shown_m2,
        shown_windows.min as shown_min,
        shown_windows.max as shown_max,
        coalesce(shown_windows.summaries, 0) as shown_summaries
      from true_windows
      full join shown_windows
        on
          true_windows.site_id = shown_windows.site_id
          and true_windows.channel = shown_windows.channel
          and true_windows.unit = shown_windows.unit
          and true_windows.start_time = shown_windows.window_start
          and true_windows.seconds = shown_windows.window_seconds
    )
  select site_id, channel, unit, window_start, window_seconds, count, sum, m2, min, max, summaries, revision, 'recomputed' as timing, computed_at as as_of
  from compared
  where
    not is_shown
    or count != shown_count
    or summaries != shown_summaries
    or (
      count > 0
      and not (
        min = shown_min
        and max = shown_max
        and abs(sum - shown_sum) <= 1e-12 * count * greatest(abs(min), abs(max))
        and abs(m2 - shown_m2) <= 1e-9 * m2 + 1e-13 * count * pow(greatest(abs(min), abs(max)), 2)
      )
    )
);
