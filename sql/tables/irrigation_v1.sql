-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.irrigation_v1 (
  `site_id` string not null options (description = "Site that has a soil and a crop"),
  `day` timestamp not null options (description = "Start of the day, inclusive [UTC]"),
  `crop` string not null options (description = "Crop of the registry"),
  `soil` string not null options (description = "Soil texture of the registry"),
  `moisture` float64 not null options (description = "Mean of the site's readings in the day's latest hour, taken for the root zone [m3/m3]"),
  `moisture_time` timestamp not null options (description = "End of the hour that `moisture` is of [UTC]"),
  `temperature_min` float64 options (description = "Lowest hourly mean of the day so far [degC]"),
  `temperature_max` float64 options (description = "Highest hourly mean of the day so far [degC]"),
  `reference_mm` float64 options (description = "Reference evapotranspiration ET0 of the day [mm]"),
  `crop_coefficient` float64 not null options (description = "Crop coefficient Kc of the day"),
  `root_depth` float64 not null options (description = "Depth of the root zone [m]"),
  `available_mm` float64 not null options (description = "Total available water TAW of the root zone [mm]"),
  `readily_available_mm` float64 not null options (description = "Readily available water RAW: a greater depletion is stress [mm]"),
  `depletion_mm` float64 not null options (description = "Root-zone depletion Dr: what is missing to field capacity [mm]"),
  `need_mm` float64 not null options (description = "Net irrigation need: the depletion once the stress is near, else 0 [mm]"),
  `need_m3` float64 options (description = "The need over the area of the site, null without an area [m3]"),
  `days_until_stress` float64 options (description = "Days until stress without rain, 0 in stress, at most 14, null if unknown [d]"),
  `assumed` string options (description = "What the registry or the sensors did not say and was assumed, null if nothing"),
  `revision` int64 not null options (description = "0 for the first result of a day, then rising"),
  `as_of` timestamp not null options (description = "When the result was computed; the latest wins [UTC]")
)
partition by timestamp_trunc(day, day)
cluster by site_id
options (description = "A row is a water balance of a field and day as pipelines up to 0.2 wrote it. No row is added; the view `irrigation` shows them.");
