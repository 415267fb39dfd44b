-- Which value do a share `q` of all the values in these sketches not exceed? tinybeam.quantile(array_concat_agg(sketch), 0.95) over any
-- summaries, whatever their devices, windows and window lengths, is the 95th percentile of their readings.
--
-- It is the smallest value that at least a share q of the values do not exceed, as percentile_disc defines it: within 1 % of that value,
-- of either sign; what is smaller than 1e-12 is 0. q = 0 is the smallest and q = 1 the greatest value, to 1 %.
-- NULL if there are no values, if q is not between 0 and 1, and if any value came without a sketch: from a gateway that makes none yet. The
-- view summaries marks those (an entry below 0), so the quantile of a part never passes for that of the whole; the bare table
-- summaries_v1 has empty arrays there, which an aggregation does not show: ask the view. To have the quantile of what is known nevertheless,
-- say so: where sketch[safe_offset(0)] > 0.
-- A group of more than ten million entries passes BigQuery's 100 MB for a value: merge in steps, merged_sketch(array_concat_agg(sketch)) of
-- each day first and the quantile of those.
-- The SQL twin of schemas/sketch.py: bucket 5496 + i holds values of g^(i - 1) to g^i with g = 1.01 / 0.99, and 0.99 * g^i stands for them;
-- bucket 4096 is 0, and 4096 - n the negative of 4096 + n.
create or replace function tinybeam.quantile(sketch array<int64>, q float64)
returns float64
options (description = "The q-quantile (0 to 1) of all values in concatenated sketches, to 1 %; null if empty or if a part came without a sketch")
as ((
  with
    buckets as (
      select if(entry < 0, -1, div(entry, 1 << 40)) as bucket, sum(if(entry < 0, 0, mod(entry, 1 << 40))) as values_in_it
      from unnest(sketch) as entry
      group by bucket
    ),
    with_the_share_up_to_it as (
      select
        bucket,
        safe_divide(sum(values_in_it) over (order by bucket), sum(values_in_it) over ()) as share,
        min(bucket) over () as lowest
      from buckets
    ),
    answer as (
      select min(bucket) as bucket
      from with_the_share_up_to_it
      where share >= q and q between 0 and 1 and lowest >= 0
    )
  select if(bucket = 4096, 0, sign(bucket - 4096) * 0.99e0 * pow(1.01e0 / 0.99e0, abs(bucket - 4096) - 1400))
  from answer
));
