-- Which alerts were there, and how does each of them stand?
--
-- One row per alert_id: its latest revision. `told` says whether people were notified of any of its revisions. What a run raised from a part of
-- the facts, and all of them do not support, was retracted by `tinybeam sql recompute` and is none; the table and the query retracted_alerts have it.
-- The last 90 days by opened_time, from midnight UTC, and what is dated ahead; for other days alerts_between(from_time, to_time). A filter on opened_time
-- reaches the table and reads only those days.
create or replace view tinybeam.alerts
options (description = "Alerts as they stand: the latest revision of each alert_id; of the last 90 days, for others alerts_between")
as
select *
from tinybeam.alerts_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
