-- What did each channel of each device measure in each window?
--
-- One row per device_id, channel, window_start and window_seconds. A row that arrived repeatedly counts once; partial summaries of
-- a window (readings that came after it was cut) are added up, so a late reading changes the row and never adds one.
-- A row that makes no sense gives nulls, not an error: one gateway gone mad must not take the view from everybody.
-- sketch is for tinybeam.quantile(array_concat_agg(sketch), 0.95) over any rows. Values of a part that came without one (from a gateway that
-- makes none yet) are in it as an entry below 0, so that the quantile of rows of which a part is not known is NULL.
-- stddev is that of all values (sqrt(m2 / count)). clock_offset_ms is that of the partial with the most values: medians do not add up.
-- Filter on window_start: it is in every `partition by` and `group by` here, so the filter reaches the table and reads only those days.
create or replace view tinybeam.summaries
options (description = "What each channel of each device measured in each window: one row per device, channel and window, late readings included")
as
with
  each_row_once as (
    select *
    from tinybeam.summaries_v1
    where true
    qualify row_number() over (partition by window_start, batch_id, `row` order by received_time) = 1
  ),
  partials_of_each_window as (
    select
      device_id,
      channel,
      window_start,
      window_seconds,
      array_agg(struct(unit as unit, site_id as site_id, gateway_id as gateway_id) order by received_time desc, batch_id desc limit 1)[offset(0)] as newest,
      array_agg(struct(last as value, last_time as time) order by last_time desc, received_time desc limit 1)[offset(0)] as latest,
      array_agg(struct(clock_offset_ms as clock_offset_ms) order by count desc, batch_id limit 1)[offset(0)] as largest,
      array_agg(struct(count as count, sum as sum, m2 as m2)) as parts,
      sum(count) as total_count,
      sum(sum) as total_sum,
      min(min) as smallest,
      max(max) as greatest,
      array_concat_agg(seq_ranges) as seq_ranges_of_parts,
      array_concat_agg(if(array_length(sketch) > 0, sketch, [-greatest(coalesce(count, 1), 1)])) as sketch_of_parts,
      tinybeam.worst_time_quality(array_agg(distinct time_quality)) as time_quality,
      count(*) as partials,
      countif(late) as late_partials,
      max(received_time) as received_time
    from each_row_once
    group by device_id, channel, window_start, window_seconds
  ),
  merged as (
    select
      *,
      safe_divide(total_sum, total_count) as mean,
      -- Nearly every window has one part, whose ranges are merged already; handing over [] for it makes all those calls one.
      if(partials = 1, seq_ranges_of_parts, tinybeam.merged_ranges(if(partials > 1, seq_ranges_of_parts, []))) as seq_ranges,
      if(partials = 1, sketch_of_parts, tinybeam.merged_sketch(if(partials > 1, sketch_of_parts, []))) as sketch,
      (
        select sum(part.m2 + part.count * pow(safe_divide(part.sum, part.count) - safe_divide(total_sum, total_count), 2))
        from unnest(parts) as part
      ) as total_m2
    from partials_of_each_window
  )
select
  device_id,
  channel,
  newest.unit as unit,
  newest.site_id as site_id,
  newest.gateway_id as gateway_id,
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
  sketch,
  partials,
  late_partials,
  time_quality,
  largest.clock_offset_ms as clock_offset_ms,
  received_time
from merged;
