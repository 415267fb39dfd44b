-- What is the one sketch of all the values in these? Takes concatenated sketches, in any order; returns each bucket once, ascending.
--
-- Values that came without a sketch (entries below 0, their number negated) are added up and kept in front, so that quantile still knows.
-- The SQL twin of `merged` in schemas/sketch.py; 2^40 values in a bucket, more than an entry can count, become such an entry too.
create or replace function tinybeam.merged_sketch(sketch array<int64>)
returns array<int64>
options (description = "Concatenated quantile sketches as one: each bucket once, ascending, as bucket * 2^40 + count")
as ((
  with
    parts as (
      select if(entry < 0, -1, div(entry, 1 << 40)) as bucket, if(entry < 0, -greatest(entry, -(1 << 40)), mod(entry, 1 << 40)) as values_in_it
      from unnest(sketch) as entry
    ),
    buckets as (
      select bucket, sum(values_in_it) as values_in_it
      from parts
      group by bucket
    ),
    entries as (
      select if(bucket < 0 or values_in_it >= (1 << 40), -values_in_it, bucket * (1 << 40) + values_in_it) as entry
      from buckets
    )
  select coalesce(array_agg(entry order by entry), [])
  from entries
));
