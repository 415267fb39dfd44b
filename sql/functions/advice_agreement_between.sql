-- How often and how far do water balance and soil model agree on each field, week by week?
--
-- One row per site_id and week (from Monday). A day is compared where both have an answer: the balance's last of the day, and the model's latest
-- verdict on the field's most urgent device up to then. same_decision counts the days on which both, or neither, see stress within two days.
-- Both times bound day and window_start, so only those days are read: from_time inclusive, to_time exclusive.
create or replace table function tinybeam.advice_agreement_between(from_time timestamp, to_time timestamp)
options (description = "How often and how far water balance and soil model agree on each field, by week")
as
select *
from (
  with
    balance_of_each_day as (
      select site_id, day, moisture_time, balance_days, probes
      from tinybeam.irrigation_between(from_time, to_time)
      where balance_days is not null
    ),
    devices_left_out as (
      select distinct balance_of_each_day.site_id, balance_of_each_day.day, probe.device_id
      from balance_of_each_day, unnest(balance_of_each_day.probes) as probe
      where probe.fault is not null and probe.channel in ('moisture', 'temperature')
    ),
    verdict_of_each_device_and_day as (
      select verdict.site_id, balance.day, verdict.device_id, verdict.score
      from tinybeam.inferences_between(from_time, to_time) as verdict
      inner join balance_of_each_day as balance
        on verdict.site_id = balance.site_id and verdict.window_start >= balance.day and verdict.window_start < balance.moisture_time
      where verdict.model = 'soil'
      qualify row_number() over (
        partition by verdict.device_id, verdict.site_id, balance.day
        order by verdict.window_start desc, verdict.gateway_id, verdict.batch_id, verdict.`row`
      ) = 1
    ),
    verdict_of_each_day as (
      select verdict.site_id, verdict.day, min(verdict.score) as model_days
      from verdict_of_each_device_and_day as verdict
      left join devices_left_out
        on verdict.site_id = devices_left_out.site_id and verdict.day = devices_left_out.day and verdict.device_id = devices_left_out.device_id
      where devices_left_out.device_id is null
      group by verdict.site_id, verdict.day
    )
  select
    balance.site_id,
    timestamp_trunc(balance.day, week(monday)) as week,
    count(*) as days,
    avg(if((verdict.model_days < 2) = (balance.balance_days < 2), 1.0, 0.0)) as same_decision,
    countif(balance.balance_days < 2 and verdict.model_days >= 2) as balance_alone,
    countif(verdict.model_days < 2 and balance.balance_days >= 2) as model_alone,
    avg(abs(verdict.model_days - balance.balance_days)) as days_apart,
    avg(verdict.model_days - balance.balance_days) as model_later
  from balance_of_each_day as balance
  inner join verdict_of_each_day as verdict on balance.site_id = verdict.site_id and balance.day = verdict.day
  group by balance.site_id, week
);
