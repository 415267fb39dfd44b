-- What did each channel of each device measure in each window?
--
-- One row per device_id, channel, unit, window_start and window_seconds. A row that arrived repeatedly counts once; partial summaries of
-- a window (readings that came after it was cut) are added up, so a late reading changes the row and never adds one.
-- A device that several gateways hear counts once, also where they held windows (deadband) of other lengths: of the rows that overlap within an hour
-- (a stretch) what the gateway with the most values heard counts, and of each other one the rows whose sensor numbers meet those of no gateway
-- before it (a device that moved from one to the other). So counts may be added up over any windows. What only a gateway heard that does not
-- count is readings_uncounted, on the first row of the stretch; a window of which nothing counts is not there. seq_ranges and seq_missing are of
-- what any gateway heard in windows of this start and length.
-- A row that makes no sense gives nulls, not an error, and leaves the others of its window as they are: one gateway gone mad must not take
-- the view from everybody.
-- sketch is for tinybeam.quantile(array_concat_agg(sketch), 0.95) over any rows. Values of a part that came without one (from a gateway that
-- makes none yet) are in it as an entry below 0, so that the quantile of rows of which a part is not known is NULL.
-- stddev is that of all values (sqrt(m2 / count)). clock_offset_ms is that of the partial with the most values: medians do not add up.
-- Filter on day, the partition of the table: it is in every `partition by` and `group by`, so the filter reaches the table and reads only those
-- days. A filter on window_start alone is right and reads everything, for a row counts or not by its whole hour.
create or replace view tinybeam.summaries
options (description = "What each channel of each device measured in each window: one row per device, channel, unit and window, late readings included, a device heard by several gateways once")
as
with
  rows_of_each_window as (
    select
      *,
      if(counts, count, 0) as counted,
      safe_divide(
        sum(if(counts, sum, null)) over (partition by device_id, channel, unit, day, window_start, window_seconds),
        sum(if(counts, count, 0)) over (partition by device_id, channel, unit, day, window_start, window_seconds)
      ) as mean
    from tinybeam.counted_summaries(timestamp '1900-01-01', timestamp '9000-01-01')
  ),
  windows as (
    select
      device_id,
      channel,
      unit,
      day,
      window_start,
      window_seconds,
      max(gateways) as gateways,
      array_agg(struct(site_id as site_id) order by counts desc, last_time desc, batch_id desc, `row` desc limit 1)[offset(0)] as newest,
      array_agg(
        struct(last as value, last_time as time) order by counts desc, last_time desc, batch_id desc, `row` desc limit 1
      )[offset(0)] as latest,
      array_agg(
        struct(gateway_id as gateway_id, clock_offset_ms as clock_offset_ms) order by counts desc, makes_sense desc, count desc, batch_id, `row` limit 1
      )[offset(0)] as largest,
      sum(counted) as count,
      any_value(mean) as mean,
      sum(if(counts, sum, null)) as sum,
      sum(if(counts, m2 + count * pow(sum / count - mean, 2), null)) as m2,
      min(if(counts, min, null)) as min,
      max(if(counts, max, null)) as max,
      array_concat_agg(seq_ranges) as seq_ranges_heard,
      if(countif(readings_uncounted is null) = 0, sum(readings_uncounted), null) as readings_uncounted,
      array_concat_agg(if(counts, if(array_length(sketch) > 0, sketch, [-count]), [])) as sketch_of_parts,
      tinybeam.worst_time_quality(array_agg(distinct if(counts, time_quality, 'synced'))) as time_quality,
      count(*) as partials_heard,
      countif(counts) as partials,
      countif(counts and late) as late_partials,
      coalesce(max(if(counts, received_time, null)), max(received_time)) as received_time
    from rows_of_each_window
    group by device_id, channel, unit, day, window_start, window_seconds
    having countif(counts) > 0 or countif(makes_sense) = 0
  ),
  merged as (
    select
      *,
      -- Nearly every window has one part, whose ranges are merged already; handing over [] for it makes all those calls one.
      if(partials_heard = 1, seq_ranges_heard, tinybeam.merged_ranges(if(partials_heard > 1, seq_ranges_heard, []))) as seq_ranges,
      if(partials = 1, sketch_of_parts, tinybeam.merged_sketch(if(partials > 1, sketch_of_parts, []))) as sketch
    from windows
  )
select
  device_id,
  channel,
  unit,
  newest.site_id as site_id,
  largest.gateway_id as gateway_id,
  gateways,
  day,
  window_start,
  timestamp_add(window_start, interval if(window_seconds between 0 and 366 * 86400, window_seconds, null) second) as window_end,
  window_seconds,
  count,
  mean,
  sqrt(greatest(safe_divide(m2, count), 0)) as stddev,
  min,
  max,
  latest.value as last,
  latest.time as last_time,
  sum,
  m2,
  seq_ranges,
  tinybeam.missing_in_ranges(seq_ranges) as seq_missing,
  readings_uncounted,
  sketch,
  partials,
  late_partials,
  time_quality,
  largest.clock_offset_ms as clock_offset_ms,
  received_time
from merged;
