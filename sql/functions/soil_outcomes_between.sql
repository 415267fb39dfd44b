-- What came of each verdict on a soil: was stress foreseen when it came?
--
-- What the view soil_outcomes shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. What came of it is
-- read of 15 days more. All bounds reach the tables before anything is compared, so only those days are read.
create or replace table function tinybeam.soil_outcomes_between(from_time timestamp, to_time timestamp)
options (description = "Each verdict on a soil against what came within 14 days: right, early, late, missed, censored or open")
as
select *
from (
  with
    sites_with_soils as (
      select site.site_id, soil.field_capacity - soil.wilting_point as available, soil.stress_moisture
      from tinybeam.sites as site
      inner join tinybeam.soils as soil on regexp_replace(lower(site.soil), r'[\s_-]', '') = soil.soil
    ),
    heard as (
      select
        device_id,
        site_id,
        channel,
        hour,
        safe_divide(sum(sum), sum(count)) as mean,
        sum(sum) as total
      from
        tinybeam.counted_summaries_of(
          timestamp_sub(from_time, interval 1 day), timestamp_add(to_time, interval 15 day), ['moisture', 'rain']
        )
      where
        counts
        and window_start >= timestamp_sub(from_time, interval 1 day)
        and window_start < timestamp_add(to_time, interval 15 day)
        and ((channel = 'moisture' and unit = 'm3/m3') or (channel = 'rain' and unit = 'mm'))
      group by device_id, site_id, channel, hour
    ),
    rain_of_each_hour as (
      select site_id, hour, max(total) as rain_mm
      from heard
      where channel = 'rain'
      group by site_id, hour
    ),
    moisture_of_each_hour as (
      select
        heard.device_id,
        heard.site_id,
        heard.hour,
        unix_seconds(heard.hour) as second,
        heard.mean,
        sites_with_soils.available,
        sites_with_soils.stress_moisture
      from heard
      inner join sites_with_soils on heard.site_id = sites_with_soils.site_id
      where heard.channel = 'moisture' and heard.mean is not null
    ),
    compared as (
      select
        *,
        mean - min(mean) over (partition by device_id order by second range between 86400 preceding and current row) > available / 4 as is_wetter,
        lead(second) over (partition by device_id order by second) as next_second
      from moisture_of_each_hour
    ),
    changed as (
      select *, is_wetter and not coalesce(lag(is_wetter) over (partition by device_id order by second), false) as got_wetter
      from compared
    ),
    watered as (
      select changed.device_id, changed.hour as watered_time
      from changed
      left join rain_of_each_hour as rain
        on changed.site_id = rain.site_id and rain.hour >= timestamp_sub(changed.hour, interval 1 day) and rain.hour <= changed.hour
      where changed.got_wetter
      group by changed.device_id, changed.hour
      having coalesce(sum(rain.rain_mm), 0) < 2
      union distinct
      select device.device_id, label.event_time as watered_time
      from tinybeam.placed_labels_between(from_time, timestamp_add(to_time, interval 15 day)) as label
      inner join tinybeam.devices as device on label.site_id = device.site_id
      where label.answer = 'irrigated_mm'
    ),
    verdicts as (
      select verdict.*, timestamp_add(verdict.window_start, interval verdict.window_seconds second) as window_end
      from tinybeam.inferences_between(from_time, to_time) as verdict
      inner join sites_with_soils on verdict.site_id = sites_with_soils.site_id
      where verdict.model = 'soil'
    ),
    moments as (
      select
        device_id,
        timestamp_add(hour, interval 1 hour) as moment,
        if(mean < stress_moisture, hour, null) as stress_time,
        cast(null as timestamp) as watered_time,
        if(coalesce(next_second - second > 86400, true), timestamp_add(hour, interval 1 hour), null) as silent_time,
        cast(null as string) as batch_id,
        cast(null as int64) as `row`
      from changed
      union all
      select
        device_id,
        watered_time as moment,
        cast(null as timestamp) as stress_time,
        watered_time,
        cast(null as timestamp) as silent_time,
        cast(null as string) as batch_id,
        cast(null as int64) as `row`
      from watered
      union all
      select
        device_id,
        window_end as moment,
        cast(null as timestamp) as stress_time,
        cast(null as timestamp) as watered_time,
        cast(null as timestamp) as silent_time,
        batch_id,
        `row`
      from verdicts
    ),
    followed as (
      select
        batch_id,
        `row`,
        moment,
        min(stress_time) over (partition by device_id order by moment, batch_id desc rows between current row and unbounded following) as stress_time,
        min(watered_time) over (partition by device_id order by moment, batch_id desc rows between current row and unbounded following) as watered_time,
        min(silent_time) over (partition by device_id order by moment, batch_id desc rows between current row and unbounded following) as silent_time
      from moments
    ),
    known as (
      select
        *,
        least(
          coalesce(watered_time, timestamp '9000-01-01'), coalesce(silent_time, moment), timestamp_add(moment, interval 14 day)
        ) as known_until
      from followed
      where batch_id is not null
    ),
    judged as (
      select
        verdict.*,
        if(
          known.stress_time <= known.known_until, greatest(timestamp_diff(known.stress_time, known.moment, second), 0) / 86400, null
        ) as days_to_stress,
        greatest(timestamp_diff(known.known_until, known.moment, second), 0) / 86400 as days_known
      from known
      inner join verdicts as verdict on known.batch_id = verdict.batch_id and known.`row` = verdict.`row`
    ),
    labelled as (
      select
        *,
        case when coalesce(days_to_stress, days_known) < 2 then 'now' when coalesce(days_to_stress, days_known) < 5 then 'soon' else 'fine' end as came_at_least
      from judged
    ),
    compared_labels as (
      select
        *,
        if(days_to_stress is not null or came_at_least = 'fine', came_at_least, null) as came,
        case label when 'now' then 0 when 'soon' then 1 else 2 end as said_rank,
        case came_at_least when 'now' then 0 when 'soon' then 1 else 2 end as came_rank
      from labelled
    )
  select
    device_id,
    site_id,
    gateway_id,
    window_start,
    window_seconds,
    model_version,
    model_sha256,
    label,
    score,
    uncertainty,
    case
      when said_rank < came_rank then 'early'
      when came is null and window_end > timestamp_sub(current_timestamp(), interval 14 day) then 'open'
      when came is null then 'censored'
      when said_rank = came_rank then 'right'
      when label = 'fine' and came = 'now' then 'missed'
      else 'late'
    end as outcome,
    came,
    days_to_stress,
    days_known
  from compared_labels
);
