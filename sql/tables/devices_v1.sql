-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.devices_v1 (
  `device_id` string not null options (description = "Device identifier, unique in the fleet"),
  `kind` string not null options (description = "Kind of sensor, for example soil"),
  `site_id` string not null options (description = "Site it stands on"),
  `valid_from` timestamp not null options (description = "From when this row holds, inclusive [UTC]"),
  `valid_to` timestamp options (description = "Until when it holds, exclusive; null for now [UTC]"),
  `name` string options (description = "Name that people use, null for its identifier")
)
cluster by device_id
options (description = "A row says where a device stood from one time to another, by the registry.");
