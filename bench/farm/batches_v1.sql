-- The batches of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.batches_v1 (
  batch_id, gateway_id, epoch, seq, kind, schema_version, row_count, body_bytes, raw_bytes, priority, cut_time, time_min, time_max, received_time
)
{{devices}}
select
  concat(store, cast(seq as string)), gateway_id, 1000 + site, seq, kind, '1.9', if(kind = 'heartbeats', 1, @devices), 1200, 9000, 1,
  timestamp_add(start_time, interval 930 second), start_time, timestamp_add(start_time, interval 900 second),
  timestamp_add(start_time, interval 931 + if(mod(first_number + quarter, 50) = 0, 7200, 0) second)
from (
  select
    sites.*,
    quarter,
    kind,
    3 * (first_number + quarter) + if(kind = 'summaries', 1, if(kind = 'inferences', 2, 3)) as seq,
    timestamp_add(@day, interval quarter * 900 second) as start_time
  from sites, unnest(generate_array(0, 95)) as quarter, unnest(['summaries', 'inferences', 'heartbeats']) as kind
)
order by gateway_id, seq
