-- What was not understood, why, and what of it came in by a replay since?
--
-- What the view rejects shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by the timestamp at which it
-- was first set aside. The 31 days before, as long as Pub/Sub keeps a message, are searched for that.
create or replace table function tinybeam.rejects_between(from_time timestamp, to_time timestamp)
options (description = "What was not understood, with its original bytes, and whether it was replayed: one row per reject_id")
as
select *
from (
  with first_rejects as (
    select *
    from tinybeam.rejects_v1
    where timestamp >= timestamp_sub(from_time, interval 31 day) and timestamp < to_time
    qualify row_number() over (partition by reject_id order by timestamp) = 1
  ),

  latest_replays as (
    select reject_id, replayed_time, rows_in, rows_left
    from tinybeam.replays_v1
    where replayed_time >= timestamp_sub(from_time, interval 31 day)
    qualify row_number() over (partition by reject_id order by rows_in desc, replayed_time) = 1
  )

  select
    first_rejects.*,
    latest_replays.replayed_time,
    latest_replays.rows_in as replayed_rows,
    latest_replays.rows_left
  from first_rejects
  left join latest_replays using (reject_id)
  where first_rejects.timestamp >= from_time
);
