-- Which numbers are in any of these intervals? [1, 3, 7, 9] and [4, 5] together are [1, 5, 7, 9].
-- Takes the flat form [first, last, first, last, ...], inclusive, in any order, overlapping or not; returns it ascending and disjoint.
-- The SQL twin of schemas/intervals.py. What is no interval is left out, so that a forged row costs only itself: one that descends or lacks its
-- end, and numbers below 0 or from 2^62.
create or replace function tinybeam.merged_ranges(ranges array<int64>)
returns array<int64>
options (description = "Union of intervals given and returned as [first, last, first, last, ...]")
as ((
  with
    intervals as (
      select first_number, if(place + 1 < array_length(ranges), ranges[offset(place + 1)], null) as last_number
      from unnest(ranges) as first_number with offset as place
      where mod(place, 2) = 0
    ),
    sound_intervals as (
      select first_number, last_number
      from intervals
      where first_number >= 0 and last_number >= first_number and last_number < (1 << 62)
    ),
    with_the_end_of_those_before as (
      select
        first_number,
        last_number,
        max(last_number) over (order by first_number, last_number rows between unbounded preceding and 1 preceding) as end_before
      from sound_intervals
    ),
    numbered_islands as (
      select
        first_number,
        last_number,
        countif(end_before is null or first_number > end_before + 1) over (order by first_number, last_number) as island
      from with_the_end_of_those_before
    ),
    islands as (
      select min(first_number) as first_number, max(last_number) as last_number
      from numbered_islands
      group by island
    )
  select coalesce(array_agg(bound order by bound), [])
  from islands, unnest([first_number, last_number]) as bound
));
