-- What did each model say of each device last?
--
-- A row for each device_id and model: the verdict on the window that began last, whichever gateway and version gave it; of several of one window that
-- of the version, gateway and batch whose names come last. BigQuery keeps it up to date by itself: asking costs a row for each device, not a scan.
-- Repeats and late verdicts change nothing but what they should. Models that run in the shadow of another do not count.
create or replace materialized view tinybeam.latest_verdicts
options (description = "The latest verdict of each model on each device; kept up to date by BigQuery")
as
select
  device_id,
  model,
  max(window_start) as window_start,
  max_by(window_seconds, concat(lpad(cast(unix_micros(window_start) as string), 20, '0'), model_sha256, gateway_id, batch_id)) as window_seconds,
  max_by(label, concat(lpad(cast(unix_micros(window_start) as string), 20, '0'), model_sha256, gateway_id, batch_id)) as label,
  max_by(score, concat(lpad(cast(unix_micros(window_start) as string), 20, '0'), model_sha256, gateway_id, batch_id)) as score,
  max_by(uncertainty, concat(lpad(cast(unix_micros(window_start) as string), 20, '0'), model_sha256, gateway_id, batch_id)) as uncertainty,
  max_by(model_version, concat(lpad(cast(unix_micros(window_start) as string), 20, '0'), model_sha256, gateway_id, batch_id)) as model_version,
  max_by(model_sha256, concat(lpad(cast(unix_micros(window_start) as string), 20, '0'), model_sha256, gateway_id, batch_id)) as model_sha256,
  max_by(gateway_id, concat(lpad(cast(unix_micros(window_start) as string), 20, '0'), model_sha256, gateway_id, batch_id)) as gateway_id
from tinybeam.inferences_v1
where not coalesce(shadow, false)
group by device_id, model;
