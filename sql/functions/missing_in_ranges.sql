-- How many numbers are missing between the smallest and the largest? [1, 3, 7, 9] lacks 4, 5 and 6: 3.
-- Takes the flat form [first, last, first, last, ...], ascending and disjoint, as merged_ranges returns it.
create or replace function tinybeam.missing_in_ranges(ranges array<int64>)
returns int64
options (description = "Count of the numbers missing between ascending, disjoint intervals [first, last, first, last, ...]")
as ((
  select coalesce(sum(first_number - ranges[offset(place - 1)] - 1), 0)
  from unnest(ranges) as first_number with offset as place
  where mod(place, 2) = 0 and place > 0
));
