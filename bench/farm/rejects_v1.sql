-- The rejects of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.rejects_v1 (
  timestamp, payloadString, payloadBytes, attributes, errorMessage, reject_id, stage, reason, device_id, topic, gateway_id, batch_id, readings
)
{{devices}}
select
  timestamp_add(@day, interval device hour), '{', b'{', [], 'it is no JSON', concat(device_id, cast(unix_seconds(@day) as string)), 'edge.intake',
  if(is_plant, 'out_of_range', 'malformed_json'), device_id, concat('sensors/', device_id, '/readings'), gateway_id, null, []
from devices
where mod(site + device, 6) = 0
order by device_id
