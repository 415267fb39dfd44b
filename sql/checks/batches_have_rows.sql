-- Did a batch arrive of which no row is in its facts and none was set aside? Each row returned is such a batch.
--
-- @from_time timestamp = now - 30 days: from when (cut_time), inclusive
-- @to_time timestamp = now - 10 minutes: until when it was received, exclusive; rows and batch are not written in one stroke
-- @rows_from_time timestamp = now - 60 days: from when the rows are read, inclusive; earlier than from_time, for rows wait to be cut
with
  rows_that_came as (
    select batch_id from tinybeam.summaries_v1 where window_start >= @rows_from_time
    union distinct
    select batch_id from tinybeam.inferences_v1 where window_start >= @rows_from_time
    union distinct
    select batch_id from tinybeam.events_v1 where event_time >= @rows_from_time
    union distinct
    select batch_id from tinybeam.heartbeats_v1 where heartbeat_time >= @rows_from_time
    union distinct
    select batch_id from tinybeam.samples_v1 where window_start >= @rows_from_time
    union distinct
    select batch_id from tinybeam.rejects_v1 where timestamp >= @rows_from_time and batch_id is not null
  )
select batches.batch_id, batches.kind, batches.row_count, batches.cut_time
from tinybeam.batches_between(@from_time, timestamp '9000-01-01') as batches
left join rows_that_came on batches.batch_id = rows_that_came.batch_id
where batches.received_time < @to_time and rows_that_came.batch_id is null;
