-- The changes of a label of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.events_v1 (
  batch_id, `row`, gateway_id, site_id, received_time, device_id, event_time, cause, rule, previous_state, state, value, severity, time_quality
)
{{devices}}
select
  concat(store, cast(3 * first_number + 2 as string)), device, gateway_id, site_id, timestamp_add(@day, interval 930 second), device_id,
  timestamp_add(@day, interval 900 second), 'label', if(is_plant, 'vibration', 'soil'), if(is_plant, 'normal', 'fine'), if(is_plant, 'worn', 'soon'),
  0.9, 'warning', 'synced'
from devices
where mod(site + device + div(first_number, 96), 9) = 0
order by device_id
