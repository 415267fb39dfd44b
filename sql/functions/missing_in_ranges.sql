-- How many numbers are missing between the smallest and the largest? [1, 3, 7, 9] lacks 4, 5 and 6: 3.
-- Takes the flat form [first, last, first, last, ...], ascending and disjoint, as merged_ranges returns it.
-- NULL if it is no such form, or if a billion numbers or more are missing: then the counter jumped, and nobody knows what was lost.
create or replace function tinybeam.missing_in_ranges(ranges array<int64>)
returns int64
options (description = "Count of the numbers missing between ascending, disjoint intervals [first, last, first, last, ...]")
as ((
  with
    neighbours as (
      select place, number, if(place > 0, ranges[offset(place - 1)], null) as before
      from unnest(ranges) as number with offset as place
    ),
    sizes as (
      -- In fractions, so that no difference or sum of forged numbers overflows.
      select
        coalesce(sum(if(mod(place, 2) = 0, cast(number as float64) - cast(before as float64) - 1, 0)), 0) as missing,
        coalesce(logical_and(number >= 0 and number < (1 << 62) and (before is null or number > before or (mod(place, 2) = 1 and number = before))), true)
        and mod(count(*), 2) = 0 as sound
      from neighbours
    )
  select if(sound and missing < 1000000000, cast(missing as int64), null)
  from sizes
));
