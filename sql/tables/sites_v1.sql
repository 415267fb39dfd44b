-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.sites_v1 (
  `site_id` string not null options (description = "Site identifier"),
  `name` string not null options (description = "Name that people use"),
  `latitude` float64 options (description = "Latitude, WGS 84 [degree]"),
  `longitude` float64 options (description = "Longitude, WGS 84 [degree]"),
  `area_m2` float64 options (description = "Area of the field or hall [m2]"),
  `soil` string options (description = "Soil texture, for a field"),
  `crop` string options (description = "Crop, for a field"),
  `planted` timestamp options (description = "When the crop was sown, for a field [UTC]"),
  `valid_from` timestamp not null options (description = "From when this row holds, inclusive [UTC]"),
  `valid_to` timestamp options (description = "Until when it holds, exclusive; null for now [UTC]"),
  `time_zone` string options (description = "Time zone in which its people live, by its IANA name; null for UTC")
)
cluster by site_id
options (description = "A row is a field, a hall or a barn of the registry.");
