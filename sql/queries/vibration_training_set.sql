-- What did a model look at in each window of a machine, and was its bearing sound, as far as was known at a time?
--
-- What the vibration model is trained on (`tinybeam train vibration --from=warehouse`): a row is a window of which inferences_v1 or samples_v1 has what the
-- model was given, with the RMS of the summary that it lies in. Only models whose inputs are alike belong into one set: name their files in models.
-- outcome is damaged in the 30 days before people said that they replaced a part. It is sound if the machine then went on for 30 days without an
-- alarm that lasted, a word of work done, or a replacement within 90 days; or if people said of an alarm that it was false, from it until they said so.
-- Else it is null: not known. An alarm lasts on a day of which more than half of the windows are called worn or failing. What people answer to an
-- alert of another source than event is not about the bearing. What came from until on is not looked at, so that a set can be asked for again.
--
-- @from_time timestamp = now - 400 days: windows from when, inclusive
-- @until timestamp = now: the snapshot: what came from then on is not known, exclusive
-- @models array<string> = : SHA-256 of the model files whose inputs are wanted, with commas between; empty: of every vibration model
with
  told as (
    select device_id, site_id, gateway_id, window_start, window_seconds, batch_id, `row`, label, features
    from tinybeam.inferences_v1
    where
      window_start >= @from_time
      and window_start < @until
      and received_time < @until
      and model = 'vibration'
      and not coalesce(shadow, false)
      and (array_length(@models) = 0 or model_sha256 in unnest(@models))
    union all
    select device_id, site_id, gateway_id, window_start, window_seconds, batch_id, `row`, label, features
    from tinybeam.samples_v1
    where
      window_start >= @from_time
      and window_start < @until
      and received_time < @until
      and model = 'vibration'
      and (array_length(@models) = 0 or model_sha256 in unnest(@models))
  ),
  windows as (
    select
      * except (batch_id, `row`),
      timestamp_trunc(window_start, hour) as hour,
      timestamp_trunc(window_start, day) as day,
      timestamp_add(window_start, interval window_seconds second) as window_end
    from told
    where array_length(features) > 0
    qualify row_number() over (partition by device_id, window_start, window_seconds order by gateway_id, batch_id, `row`) = 1
  ),
  summaries_once as (
    select *
    from tinybeam.summaries_v1
    where
      window_start >= @from_time
      and window_start < @until
      and received_time < @until
      and channel = 'acceleration_rms'
      and window_seconds between 1 and 86400
      and count > 0
    qualify row_number() over (partition by window_start, batch_id, `row` order by received_time) = 1
  ),
  levels as (
    select
      device_id,
      gateway_id,
      window_start,
      timestamp_trunc(window_start, hour) as hour,
      timestamp_add(window_start, interval window_seconds second) as window_end,
      sum(sum) / sum(count) as rms
    from summaries_once
    group by device_id, gateway_id, window_start, window_seconds
  ),
  with_their_level as (
    select windows.*, levels.rms
    from windows
    left join levels
      on
        windows.device_id = levels.device_id
        and windows.gateway_id = levels.gateway_id
        and windows.hour = levels.hour
        and windows.window_start >= levels.window_start
        and windows.window_end <= levels.window_end
    where true
    qualify row_number() over (
      partition by windows.device_id, windows.window_start, windows.window_seconds order by levels.window_end, levels.window_start desc
    ) = 1
  ),
  said as (
    select
      device_id,
      answer,
      event_time,
      if(alert_id is null and answer = 'replaced', event_time, greatest(event_time, labelled_time)) as settled_time
    from tinybeam.labels_between(@from_time, @until)
    where labelled_time < @until and answer in ('replaced', 'done', 'false_alarm') and coalesce(source, 'event') = 'event'
  ),
  days_alarmed as (
    select device_id, day
    from with_their_level
    group by device_id, day
    having 2 * countif(label != 'normal') > count(*)
  ),
  alarms as (
    select days_alarmed.device_id, days_alarmed.day
    from days_alarmed
    left join said
      on
        days_alarmed.device_id = said.device_id
        and said.answer = 'false_alarm'
        and days_alarmed.day >= timestamp_trunc(said.event_time, day)
        and days_alarmed.day <= said.settled_time
    where said.device_id is null
  ),
  with_answers as (
    select
      sounded.device_id,
      sounded.window_start,
      sounded.window_seconds,
      min(if(said.answer = 'replaced' and said.settled_time >= sounded.window_end, said.settled_time, null)) as replaced_time,
      countif(
        said.answer = 'done' and said.settled_time >= sounded.window_end and said.event_time < timestamp_add(sounded.window_end, interval 30 day)
      ) > 0 as is_worked_on,
      countif(said.answer = 'false_alarm' and said.event_time <= sounded.window_end and said.settled_time >= sounded.window_start) > 0 as is_called_sound
    from with_their_level as sounded
    inner join said on sounded.device_id = said.device_id
    group by sounded.device_id, sounded.window_start, sounded.window_seconds
  ),
  with_alarms as (
    select distinct sounded.device_id, sounded.window_start, sounded.window_seconds
    from with_their_level as sounded
    inner join alarms
      on
        sounded.device_id = alarms.device_id
        and alarms.day >= sounded.day
        and alarms.day < timestamp_add(sounded.window_end, interval 30 day)
  ),
  with_what_came as (
    select
      sounded.*,
      timestamp_diff(with_answers.replaced_time, sounded.window_end, second) / 3600 as hours_to_replacement,
      coalesce(with_answers.is_worked_on, false) as is_worked_on,
      coalesce(with_answers.is_called_sound, false) as is_called_sound,
      with_alarms.device_id is not null as is_alarmed,
      max(sounded.window_end) over (partition by sounded.device_id) as heard_until
    from with_their_level as sounded
    left join with_answers
      on
        sounded.device_id = with_answers.device_id
        and sounded.window_start = with_answers.window_start
        and sounded.window_seconds = with_answers.window_seconds
    left join with_alarms
      on
        sounded.device_id = with_alarms.device_id
        and sounded.window_start = with_alarms.window_start
        and sounded.window_seconds = with_alarms.window_seconds
  )
select
  device_id,
  site_id,
  window_start,
  window_seconds,
  features,
  round(rms, 6) as rms,
  case
    when hours_to_replacement <= 720 then 'damaged'
    when hours_to_replacement <= 2160 then null
    when is_called_sound then 'sound'
    when not is_worked_on and not is_alarmed and heard_until >= timestamp_add(window_end, interval 30 day) then 'sound'
  end as outcome,
  if(hours_to_replacement <= 720, round(hours_to_replacement, 4), null) as hours_to_replacement
from with_what_came
order by device_id, window_start, window_seconds;
