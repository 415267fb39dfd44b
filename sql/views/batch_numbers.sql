-- Which numbers did the batches have that each store of a gateway cut on a day?
--
-- A row for each gateway_id, epoch and day, by cut_time. BigQuery keeps it up to date by itself, so that completeness and stores know what lies
-- before and after the days they read. Repeats change nothing.
create or replace materialized view tinybeam.batch_numbers
options (description = "The lowest and highest number and time of the batches of each store by day; kept up to date by BigQuery")
as
select
  gateway_id,
  epoch,
  timestamp_trunc(cut_time, day) as day,
  min(seq) as lowest,
  max(seq) as highest,
  min(cut_time) as first_time,
  max(cut_time) as last_time
from tinybeam.batches_v1
where seq between 1 and 1000000000000
group by gateway_id, epoch, day;
