-- The alerts, of which one site in five resolves none of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.alerts_v1 (
  alert_id, rule, source, subject, site_id, device_id, severity, state, opened_time, event_time, value, threshold, message, historical, revision, as_of,
  notified, unit, site_name, device_name, to_do
)
{{devices}}
select
  concat('dry:', device_id, ':', cast(unix_micros(@day) as string)), 'dry', 'event', device_id, site_id, device_id, 'warning',
  if(revision = 0, 'opened', 'resolved'), @day, timestamp_add(@day, interval revision * 5 hour), 0.14, 0.15, 'the soil is dry', false, revision,
  timestamp_add(@day, interval revision * 5 hour), true, 'm3/m3', site_id, device_id, 'look at the field'
from devices, unnest([0, 1]) as revision
where mod(site * 7 + device + div(first_number, 96), 31) = 0 and (revision = 0 or mod(site, 5) > 0)
order by device_id, revision
