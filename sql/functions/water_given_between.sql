-- How much water was each field given on each day, by people and by meters, and what counts?
--
-- Days from from_time (inclusive) to to_time (exclusive), which reach the tables first. A meter is a device of the site with a channel `irrigation` in mm (litres on a
-- square metre): what it let through since the reading before. Where a meter measured water on a day, its amount counts, and what people said of that day does not:
-- they tell of the same water, rounded. Several meters of a site add up, as their lines do.
-- Meters are read in the summaries of the last three days before to_time, and in the rollups of the site before those, which are fewer. What comes later
-- than that counts when the hour has been recomputed, as in site_windows.
create or replace table function tinybeam.water_given_between(from_time timestamp, to_time timestamp)
options (description = "Water given to each field, day by day: by people's answers, by meters, and which of the two counts")
as
select *
from (
  with
    said as (
      select site_id, timestamp_trunc(event_time, day) as day, sum(amount) as said_mm
      from tinybeam.placed_labels_between(from_time, to_time)
      where answer = 'irrigated_mm' and site_id is not null
      group by site_id, day
    ),
    let_through as (
      select site_id, window_start, unit, sum
      from tinybeam.counted_summaries_of(greatest(from_time, timestamp_trunc(timestamp_sub(to_time, interval 2 day), day)), to_time, ['irrigation'])
      where
        counts
        and window_start >= greatest(from_time, timestamp_trunc(timestamp_sub(to_time, interval 2 day), day))
        and window_start < to_time
        and site_id is not null
      union all
      select site_id, window_start, unit, sum
      from tinybeam.site_windows_between(from_time, timestamp_trunc(timestamp_sub(to_time, interval 2 day), day))
      where channel = 'irrigation' and window_seconds = 3600
    ),
    metered as (
      select site_id, timestamp_trunc(window_start, day) as day, nullif(sum(sum), 0) as metered_mm
      from let_through
      where unit in ('mm', 'l/m2', 'l/m²')
      group by site_id, day
    )
  select
    coalesce(metered.site_id, said.site_id) as site_id,
    coalesce(metered.day, said.day) as day,
    said.said_mm,
    metered.metered_mm,
    coalesce(metered.metered_mm, said.said_mm) as irrigated_mm
  from said
  full outer join metered on said.site_id = metered.site_id and said.day = metered.day
);
