-- How many numbers are in these intervals? [1, 3, 7, 9] has six.
-- Takes the flat form [first, last, first, last, ...], ascending and disjoint, as merged_ranges returns it; nonsense counts as nothing.
create or replace function tinybeam.numbers_in_ranges(ranges array<int64>)
returns int64
options (description = "Count of the numbers in ascending, disjoint intervals [first, last, first, last, ...]")
as ((
  select coalesce(sum(if(low between 0 and high and high < (1 << 53), high - low + 1, 0)), 0)
  from (
    select low, if(place + 1 < array_length(ranges), ranges[offset(place + 1)], null) as high
    from unnest(ranges) as low with offset as place
    where mod(place, 2) = 0
  )
));
