-- How much did each gateway send up, in batches and bytes, and what is that a row and a day?
--
-- billed_bytes counts at least 1000 bytes for each batch, as Pub/Sub bills a publish request; the bytes of the attributes come on top.
-- Days are those on which the batches were cut, so that a backlog counts for the days it comes from.
--
-- @from_time timestamp = now - 7 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
select
  gateway_id,
  count(*) as batches,
  sum(row_count) as `rows`,
  sum(body_bytes) as body_bytes,
  sum(greatest(body_bytes, 1000)) as billed_bytes,
  round(safe_divide(sum(body_bytes), sum(row_count)), 1) as bytes_a_row,
  round(safe_divide(sum(body_bytes), count(*)), 1) as bytes_a_batch,
  round(safe_divide(sum(raw_bytes), sum(body_bytes)), 2) as times_compressed,
  round(safe_divide(sum(body_bytes), greatest(timestamp_diff(max(cut_time), min(cut_time), second), 86400) / 86400), 1) as bytes_a_day,
  sum(if(kind = 'summaries', body_bytes, 0)) as summaries_bytes,
  sum(if(kind = 'inferences', body_bytes, 0)) as inferences_bytes,
  sum(if(kind = 'events', body_bytes, 0)) as events_bytes,
  sum(if(kind = 'heartbeats', body_bytes, 0)) as heartbeats_bytes,
  sum(if(kind = 'rejects', body_bytes, 0)) as rejects_bytes
from tinybeam.batches_between(@from_time, @to_time)
group by gateway_id
order by body_bytes desc, gateway_id;
