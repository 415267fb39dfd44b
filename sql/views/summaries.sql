-- What did each channel of each device measure in each window?
--
-- One row per device_id, channel, unit, window_start and window_seconds. A row that arrived repeatedly counts once; partial summaries of
-- a window (readings that came after it was cut) are added up, so a late reading changes the row and never adds one.
-- A device that several gateways hear counts once: what the gateway with the most values heard counts, and of each other one the rows whose
-- sensor numbers meet those of no gateway before it (a device that moved from one to the other). What only a gateway heard that does not count is
-- readings_uncounted; seq_ranges and seq_missing are of what any of them heard. Where gateways held windows (deadband) of other lengths,
-- these are rows of their own: to add up over windows, ask counted_summaries, which counts them once, too.
-- A row that makes no sense gives nulls, not an error, and leaves the others of its window as they are: one gateway gone mad must not take
-- the view from everybody.
-- sketch is for tinybeam.quantile(array_concat_agg(sketch), 0.95) over any rows. Values of a part that came without one (from a gateway that
-- makes none yet) are in it as an entry below 0, so that the quantile of rows of which a part is not known is NULL.
-- stddev is that of all values (sqrt(m2 / count)). clock_offset_ms is that of the partial with the most values of gateway_id: medians do not add up.
-- Filter on window_start: it is in every `partition by` and `group by` here, so the filter reaches the table and reads only those days.
create or replace view tinybeam.summaries
options (description = "What each channel of each device measured in each window: one row per device, channel, unit and window, late readings included, a device heard by several gateways once")
as
with
  each_row_once as (
    select
      *,
      count between 1 and (1 << 40) and abs(sum) < 1e100 and abs(m2) < 1e200 and abs(min) < 1e100 and abs(max) < 1e100 as makes_sense
    from tinybeam.summaries_v1
    where true
    qualify row_number() over (partition by window_start, batch_id, `row` order by received_time) = 1
  ),
  with_what_its_gateway_heard as (
    select
      *,
      sum(if(makes_sense, count, 0)) over (partition by device_id, channel, unit, window_start, window_seconds, gateway_id) as heard,
      min(gateway_id) over (partition by device_id, channel, unit, window_start, window_seconds)
      != max(gateway_id) over (partition by device_id, channel, unit, window_start, window_seconds) as is_shared
    from each_row_once
  ),
  with_the_rows_before as (
    select
      *,
      first_value(gateway_id) over (
        partition by device_id, channel, unit, window_start, window_seconds order by heard desc, gateway_id
      ) as first_gateway,
      -- Nearly every window has one gateway, of which nothing needs to be kept.
      array_agg(struct(gateway_id as gateway_id, if(is_shared, seq_ranges, []) as ranges)) over (
        partition by device_id, channel, unit, window_start, window_seconds
        order by heard desc, gateway_id rows between unbounded preceding and 1 preceding
      ) as rows_before
    from with_what_its_gateway_heard
  ),
  judged as (
    select
      *,
      gateway_id = first_gateway
      or tinybeam.heard_apart(gateway_id, if(gateway_id != first_gateway, seq_ranges, []), if(gateway_id != first_gateway, rows_before, [])) as counts
    from with_the_rows_before
  ),
  windows as (
    select
      device_id,
      channel,
      unit,
      window_start,
      window_seconds,
      any_value(first_gateway) as gateway_id,
      count(distinct gateway_id) as gateways,
      array_agg(struct(site_id as site_id) order by counts desc, received_time desc, batch_id desc limit 1)[offset(0)] as newest,
      array_agg(
        struct(last as value, last_time as time) order by counts desc, makes_sense desc, last_time desc, received_time desc limit 1
      )[offset(0)] as latest,
      array_agg(struct(clock_offset_ms as clock_offset_ms) order by counts desc, makes_sense desc, count desc, batch_id limit 1)[offset(0)] as largest,
      array_agg(
        struct(if(counts and makes_sense, count, 0) as count, if(counts and makes_sense, sum, null) as sum, if(counts and makes_sense, m2, null) as m2)
      ) as parts,
      sum(if(counts and makes_sense, count, 0)) as total_count,
      sum(if(counts and makes_sense, sum, null)) as total_sum,
      min(if(counts and makes_sense, min, null)) as smallest,
      max(if(counts and makes_sense, max, null)) as greatest,
      array_concat_agg(seq_ranges) as seq_ranges_heard,
      array_concat_agg(if(counts, seq_ranges, [])) as seq_ranges_counted,
      logical_or(not counts) as is_partly_uncounted,
      logical_or(not counts and array_length(seq_ranges) = 0) as is_uncounted_without_numbers,
      array_concat_agg(
        if(counts, if(array_length(sketch) > 0, sketch, [-least(greatest(coalesce(count, 1), 1), 1 << 40)]), [])
      ) as sketch_of_parts,
      tinybeam.worst_time_quality(array_agg(distinct if(counts, time_quality, 'synced'))) as time_quality,
      count(*) as partials_heard,
      countif(counts) as partials,
      countif(counts and late) as late_partials,
      max(if(counts, received_time, null)) as received_time
    from judged
    group by device_id, channel, unit, window_start, window_seconds
  ),
  merged as (
    select
      *,
      safe_divide(total_sum, total_count) as mean,
      -- Nearly every window has one part, whose ranges are merged already; handing over [] for it makes all those calls one.
      if(partials_heard = 1, seq_ranges_heard, tinybeam.merged_ranges(if(partials_heard > 1, seq_ranges_heard, []))) as seq_ranges,
      if(partials = 1, sketch_of_parts, tinybeam.merged_sketch(if(partials > 1, sketch_of_parts, []))) as sketch,
      tinybeam.merged_ranges(if(is_partly_uncounted, seq_ranges_counted, [])) as seq_ranges_of_counted,
      (
        select sum(part.m2 + part.count * pow(safe_divide(part.sum, part.count) - safe_divide(total_sum, total_count), 2))
        from unnest(parts) as part
      ) as total_m2
    from windows
  )
select
  device_id,
  channel,
  unit,
  newest.site_id as site_id,
  gateway_id,
  gateways,
  window_start,
  timestamp_add(window_start, interval if(window_seconds between 0 and 366 * 86400, window_seconds, null) second) as window_end,
  window_seconds,
  total_count as count,
  mean,
  sqrt(greatest(safe_divide(total_m2, total_count), 0)) as stddev,
  smallest as min,
  greatest as max,
  latest.value as last,
  latest.time as last_time,
  total_sum as sum,
  total_m2 as m2,
  seq_ranges,
  tinybeam.missing_in_ranges(seq_ranges) as seq_missing,
  case
    when is_uncounted_without_numbers then null
    when is_partly_uncounted then tinybeam.numbers_in_ranges(if(is_partly_uncounted, seq_ranges, [])) - tinybeam.numbers_in_ranges(seq_ranges_of_counted)
    else 0
  end as readings_uncounted,
  sketch,
  partials,
  late_partials,
  time_quality,
  largest.clock_offset_ms as clock_offset_ms,
  received_time
from merged;
