-- What stands where a statement of this folder says {{devices}}: every device of the farm, and every site.
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
  ),
  sites as (
    select *
    from devices
    where device = 0
  )
