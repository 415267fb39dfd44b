-- The rejects of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.rejects_v1 (
  timestamp, payloadString, payloadBytes, attributes, errorMessage, reject_id, stage, reason, device_id, topic, gateway_id, batch_id, readings
)
with
  devices as (
    select
      site,
      device,
      mod(site, 3) = 2 as is_plant,
      concat('site-', lpad(cast(site as string), 3, '0')) as site_id,
      concat('site-', lpad(cast(site as string), 3, '0'), '-', lpad(cast(device as string), 2, '0')) as device_id,
      concat('gw-', lpad(cast(site as string), 3, '0')) as gateway_id,
      concat('gw-', lpad(cast(site as string), 3, '0'), ':', cast(1000 + site as string), ':') as store,
      @first_number as first_number
    from unnest(generate_array(0, @sites - 1)) as site, unnest(generate_array(0, @devices - 1)) as device
  )
select
  timestamp_add(@day, interval device hour), '{', b'{', [], 'it is no JSON', concat(device_id, cast(unix_seconds(@day) as string)), 'edge.intake',
  if(is_plant, 'out_of_range', 'malformed_json'), device_id, concat('sensors/', device_id, '/readings'), gateway_id, null, []
from devices
where mod(site + device, 6) = 0
order by device_id
