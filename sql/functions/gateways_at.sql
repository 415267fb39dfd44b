-- How was each gateway at a moment? Its latest heartbeat then, and the epoch (the store) that the ledger in it is of.
-- A gateway that had been silent for 30 days is not listed: the bound keeps the question from reading all heartbeats ever sent.
create or replace table function tinybeam.gateways_at(as_of timestamp)
options (description = "The latest heartbeat of each gateway at a moment, if it was heard in the 30 days before")
as
select
  gateway_id,
  safe_cast(split(batch_id, ':')[safe_offset(1)] as int64) as epoch,
  timestamp_diff(as_of, heartbeat_time, minute) as silent_minutes,
  * except (gateway_id, site_id, extras)
from tinybeam.heartbeats_v1
where heartbeat_time > timestamp_sub(as_of, interval 30 day) and heartbeat_time <= as_of
qualify row_number() over (partition by gateway_id order by heartbeat_time desc, batch_id desc, `row` desc, received_time) = 1;
