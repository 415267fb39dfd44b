-- The water balances, hour by hour of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.irrigation_v2 (
  site_id, day, crop, soil, moisture, moisture_time, probes, temperature_min, temperature_max, reference_mm, rain_mm, rain_unseen_mm,
  crop_coefficient, root_depth, available_mm, readily_available_mm, depletion_mm, need_mm, need_m3, balance_days, readings, revision, as_of
)
{{devices}}
select
  site_id, @day, 'maize', 'loam', 0.22, timestamp_add(@day, interval hour hour), [], 8.0, 22.0, 5.0, 0.0, 0.0, 1.0, 0.8, 128.0, 70.0,
  50 + 30 * sin(site + first_number / 700), greatest(30 * sin(site + first_number / 700), 0), greatest(600 * sin(site + first_number / 700), 0),
  greatest(4 - 6 * sin(site + first_number / 700), 0), 1440, hour, timestamp_add(@day, interval hour hour)
from sites, unnest(generate_array(1, 24)) as hour
where not is_plant
order by site_id, hour
