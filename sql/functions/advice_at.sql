-- What was to be done for each field at a moment, on what does that rest, and why?
--
-- One row per site that has a soil and a crop in the registry, or a verdict of the soil model within two days.
-- The water balance knows soil, crop and season, so the advice rests on it wherever it has an answer. The soil model knows none of them: it
-- foresees stress at half of the available water. It is asked only where the balance has no forecast (no temperatures, no latitude) and the
-- crop may use half or more, so that the model does not warn too late, or where the registry says no soil and crop. It cannot say how much.
-- Nothing is advised from a probe that cannot be believed. docs/adr/0025-advice-rests-on-the-balance.md has the figures behind these rules.
-- What was given, by a meter or by what people say (irrigated_mm), is taken off the need until the probes show it or the crop has used it (irrigation_unseen_between).
-- model_days is the latest verdict on the field's most urgent device that is not left out.
create or replace table function tinybeam.advice_at(moment timestamp)
options (description = "One recommendation for each field at a moment: what to do, what it rests on and why, with the figures of balance and model beside it")
as
select *
from (
  with
    balance_of_each_field as (
      select *
      from tinybeam.irrigation_at(moment)
    ),
    devices_left_out as (
      select distinct balance_of_each_field.site_id, probe.device_id
      from balance_of_each_field, unnest(balance_of_each_field.probes) as probe
      where probe.fault is not null and probe.channel in ('moisture', 'temperature')
    ),
    latest_verdict_of_each_device as (
      select device_id, site_id, score, uncertainty, timestamp_add(window_start, interval window_seconds second) as model_time
      from tinybeam.inferences_between(timestamp_sub(moment, interval 2 day), timestamp_add(moment, interval 1 microsecond))
      where window_start > timestamp_sub(moment, interval 2 day) and model = 'soil'
      qualify row_number() over (partition by device_id order by window_start desc, gateway_id, batch_id, `row`) = 1
    ),
    most_urgent_verdict_of_each_field as (
      select verdict.*
      from latest_verdict_of_each_device as verdict
      left join devices_left_out on verdict.device_id = devices_left_out.device_id and verdict.site_id = devices_left_out.site_id
      where verdict.site_id is not null and devices_left_out.device_id is null
      qualify row_number() over (partition by verdict.site_id order by verdict.score, verdict.device_id) = 1
    ),
    sites_then as (
      select site_id, name, crop, soil
      from tinybeam.sites_v1
      where valid_from <= moment and (valid_to is null or valid_to > moment)
    ),
    fields as (
      select site_id from sites_then where crop is not null and soil is not null
      union distinct
      select site_id from balance_of_each_field
      union distinct
      select site_id from most_urgent_verdict_of_each_field
    ),
    figures as (
      select
        fields.site_id,
        coalesce(sites_then.name, fields.site_id) as field,
        coalesce(balance.crop, sites_then.crop) as crop,
        coalesce(balance.soil, sites_then.soil) as soil,
        balance.need_mm,
        balance.need_m3,
        nullif(balance.irrigation_unseen_mm, 0) as irrigated_mm,
        balance.need_mm = 0 and balance.depletion_mm + balance.irrigation_unseen_mm > balance.readily_available_mm as is_watered,
        balance.depletion_mm,
        balance.balance_days,
        balance.no_advice,
        balance.assumed as assumed_by_balance,
        balance.moisture,
        balance.moisture_time,
        balance.probes,
        verdict.score as model_days,
        verdict.uncertainty as model_uncertainty,
        verdict.device_id as model_device,
        verdict.model_time,
        balance.site_id is not null as has_balance,
        sites_then.crop is not null and sites_then.soil is not null as is_registered,
        round(safe_divide(balance.readily_available_mm, balance.available_mm), 2) as share
      from fields
      left join sites_then on fields.site_id = sites_then.site_id
      left join balance_of_each_field as balance on fields.site_id = balance.site_id
      left join most_urgent_verdict_of_each_field as verdict on fields.site_id = verdict.site_id
    ),
    weighed as (
      select
        *,
        case
          when need_mm > 0 or balance_days is not null then 'balance'
          when no_advice is not null then 'nothing'
          when need_mm is not null and model_days is not null and share >= 0.5 then 'model'
          when need_mm is not null then 'balance'
          when not has_balance and not is_registered and model_days is not null then 'model'
          else 'nothing'
        end as rests_on
      from figures
    ),
    decided as (
      select
        *,
        case
          when rests_on = 'nothing' then 'unknown'
          when coalesce(need_mm, 0) > 0 or (rests_on = 'model' and not has_balance and model_days < 1) then 'water'
          else 'wait'
        end as action,
        case rests_on
          when 'balance' then balance_days
          when 'model' then model_days
        end as days
      from weighed
    )
  select
    field,
    site_id,
    crop,
    soil,
    case
      when rests_on = 'nothing' then format('%s: no advice', field)
      when action = 'water' and need_mm is null then format('%s: water today; how much is not known', field)
      when action = 'water' and need_m3 is not null
        then format('%s: %.0f mm today, %.*f m3', field, need_mm, if(need_m3 < 10, 1, 0), need_m3)
      when action = 'water' then format('%s: %.0f mm today', field, need_mm)
      when is_watered then format('%s: nothing today, %.0f mm were given', field, irrigated_mm)
      when days is null then format('%s: nothing today, and no forecast', field)
      when days < 2 then format('%s: nothing today, stress in 1 day without rain', field)
      when days < 7 then format('%s: nothing today, stress in %.0f days without rain', field, floor(days))
      else format('%s: nothing this week', field)
    end as advice,
    action,
    if(action = 'unknown', null, need_mm) as need_mm,
    if(action = 'unknown', null, need_m3) as need_m3,
    case
      when action = 'water' then moment
      when days < 14 then timestamp_add(moment, interval cast(floor(days) as int64) day)
    end as water_by,
    rests_on,
    case
      when rests_on = 'balance' and is_watered then 'water was given that the probes do not show yet; it is enough for today'
      when rests_on = 'balance' and need_mm > 0 and balance_days is null then 'the root zone lacks more than the crop can use without stress'
      when rests_on = 'balance' and balance_days is not null then 'the water balance knows the soil, the crop and its season; the soil model knows none of them'
      when rests_on = 'balance' and model_days is null then 'the water balance has no forecast without temperatures and latitude, and there is no verdict of the soil model'
      when rests_on = 'balance'
        then format('the water balance has no forecast, and the soil model foresees stress at 0.5 of the available water, too late for a crop that has it at %.2f', share)
      when rests_on = 'model' and has_balance
        then format('the water balance has no forecast; the soil model foresees stress at 0.5 of the available water, this crop has it at %.2f', share)
      when rests_on = 'model' then 'the registry says no soil and crop, so there is no water balance; the soil model takes half of the available water for the limit'
      when no_advice is not null then no_advice
      when has_balance then 'the water balance has no result'
      when is_registered then 'no moisture was heard in three days, or the crop is not planted yet'
      else 'nothing is known of the field'
    end as why,
    balance_days,
    model_days,
    model_uncertainty,
    model_device,
    depletion_mm,
    irrigated_mm,
    coalesce(moisture_time, model_time) as heard_time,
    timestamp_diff(moment, coalesce(moisture_time, model_time), minute) as age_minutes,
    case
      when rests_on = 'model' and not has_balance then 'stress begins at half of the available water'
      else assumed_by_balance
    end as assumed,
    moisture,
    probes
  from decided
);
