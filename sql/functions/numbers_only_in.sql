-- How many of a row's sensor numbers are in no row before it? [1, 5] after [3, 9] has two; null if the row or one before it has no numbers.
-- Takes the row's ranges [first, last, first, last, ...] and the rows before it, of whatever gateway.
create or replace function tinybeam.numbers_only_in(ranges array<int64>, rows_before array<struct<gateway_id string, ranges array<int64>>>)
returns int64
options (description = "How many of a row's sensor numbers are in no row before it; null where a row has none")
as ((
  select
    if(
      array_length(ranges) > 0 and shortest > 0,
      tinybeam.numbers_in_ranges(tinybeam.merged_ranges(array_concat(ranges_before, ranges)))
      - tinybeam.numbers_in_ranges(tinybeam.merged_ranges(ranges_before)),
      null
    )
  from (
    select coalesce(array_concat_agg(one.ranges), []) as ranges_before, coalesce(min(array_length(one.ranges)), 1) as shortest
    from unnest(rows_before) as one
  )
));
