-- What did each channel of each device measure in each window?
--
-- What the view summaries shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. Both reach the
-- table before anything is compared, so only those days are read.
create or replace table function tinybeam.summaries_between(from_time timestamp, to_time timestamp)
options (description = "What each channel of each device measured in each window: one row per device, channel, unit and window, late readings included, a device heard by several gateways once")
as
select *
from (
  with
    rows_of_each_window as (
      select
        *,
        if(counts, count, 0) as counted,
        safe_divide(sum(if(counts, sum, null)) over of_window, sum(if(counts, count, 0)) over of_window) as mean,
        -- By ranks, not by the first of a sorted array: that sorts each of many small groups by itself.
        row_number() over (of_window order by counts desc, last_time desc, batch_id desc, `row` desc) = 1 as is_newest,
        row_number() over (of_window order by counts desc, makes_sense desc, count desc, batch_id, `row`) = 1 as is_largest
      from tinybeam.counted_summaries(from_time, to_time)
      where window_start >= from_time and window_start < to_time
      window of_window as (partition by device_id, channel, unit, day, window_start, window_seconds)
    ),
    windows as (
      select
        device_id,
        channel,
        unit,
        day,
        window_start,
        window_seconds,
        max(channel_kind) as channel_kind,
        max(gateways) as gateways,
        max(if(is_newest, site_id, null)) as site_id,
        max(if(is_newest, last, null)) as last,
        max(if(is_newest, last_time, null)) as last_time,
        max(if(is_largest, gateway_id, null)) as gateway_id,
        max(if(is_largest, clock_offset_ms, null)) as clock_offset_ms,
        sum(counted) as count,
        any_value(mean) as mean,
        sum(if(counts, sum, null)) as sum,
        sum(if(counts, m2 + count * pow(sum / count - mean, 2), null)) as m2,
        min(if(counts, min, null)) as min,
        max(if(counts, max, null)) as max,
        array_concat_agg(seq_ranges) as seq_ranges_heard,
        if(countif(readings_uncounted is null) = 0, sum(readings_uncounted), null) as readings_uncounted,
        array_concat_agg(if(counts, if(array_length(sketch) > 0, sketch, [-count]), [])) as sketch_of_parts,
        max(if(counts, fidelity, null)) as fidelity,
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
    channel_kind,
    site_id,
    gateway_id,
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
    last,
    last_time,
    sum,
    m2,
    seq_ranges,
    tinybeam.missing_in_ranges(seq_ranges) as seq_missing,
    readings_uncounted,
    sketch,
    partials,
    late_partials,
    time_quality,
    clock_offset_ms,
    fidelity,
    received_time
  from merged
);
