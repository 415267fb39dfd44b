-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.irrigation_v2 (
  `site_id` string not null options (description = "Site that has a soil and a crop"),
  `day` timestamp not null options (description = "Start of the day, inclusive [UTC]"),
  `crop` string not null options (description = "Crop of the registry"),
  `soil` string not null options (description = "Soil texture of the registry"),
  `moisture` float64 options (description = "Mean over the field's probes of their latest hour, each with the same weight, taken for the root zone [m3/m3]"),
  `moisture_time` timestamp not null options (description = "End of the latest hour of the day in which moisture was heard [UTC]"),
  `probes` array<struct<`device_id` string, `channel` string, `value` float64, `unit` string, `time` timestamp, `fault` string>> options (description = "What each device said last, left out or not"),
  `temperature_min` float64 options (description = "Lowest hourly mean of the day so far [degC]"),
  `temperature_max` float64 options (description = "Highest hourly mean of the day so far [degC]"),
  `reference_mm` float64 options (description = "Reference evapotranspiration ET0 of the day [mm]"),
  `rain_mm` float64 options (description = "Rain of the day so far, null without a gauge [mm]"),
  `rain_unseen_mm` float64 options (description = "Rain of the last day that moisture does not show yet; depletion_mm knows of it [mm]"),
  `crop_coefficient` float64 not null options (description = "Crop coefficient Kc of the day"),
  `root_depth` float64 not null options (description = "Depth of the root zone [m]"),
  `available_mm` float64 not null options (description = "Total available water TAW of the root zone [mm]"),
  `readily_available_mm` float64 not null options (description = "Readily available water RAW: a greater depletion is stress [mm]"),
  `depletion_mm` float64 options (description = "Root-zone depletion Dr: what is missing to field capacity [mm]"),
  `need_mm` float64 options (description = "Net irrigation need: the depletion once the stress is near, else 0; null without advice [mm]"),
  `need_m3` float64 options (description = "The need over the area of the site, null without an area [m3]"),
  `balance_days` float64 options (description = "Days until stress by the water balance, without rain: 0 in stress, at most 14, null if unknown [d]"),
  `no_advice` string options (description = "Why there is no balance: no probe can be believed; null if there is one"),
  `assumed` string options (description = "What was not known and was assumed, and which devices were left out and why; null if nothing"),
  `readings` int64 not null options (description = "Readings of moisture, temperature and rain of the day that were heard"),
  `revision` int64 not null options (description = "0 for the first result of a day, then rising"),
  `as_of` timestamp not null options (description = "When the result was computed; the latest wins [UTC]")
)
partition by timestamp_trunc(day, day)
cluster by site_id
options (description = "A row is the water balance of one field and day after FAO-56, from measured moisture. A later revision replaces an earlier one.");
