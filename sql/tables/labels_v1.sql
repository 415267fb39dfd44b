-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.labels_v1 (
  `label_id` string not null options (description = "Identity of what was said: SHA-256 over what it is about and what it says"),
  `labelled_time` timestamp not null options (description = "When it was said [UTC]"),
  `labelled_by` string options (description = "Who said it, null where that is not known"),
  `answer` string not null options (description = "done, false_alarm, irrigated_mm, replaced or seen"),
  `amount` float64 options (description = "How much water was given, null of any other answer [mm]"),
  `event_time` timestamp not null options (description = "When it happened: the water was given, the alert opened [UTC]"),
  `alert_id` string options (description = "Alert that it answers, null if none"),
  `site_id` string options (description = "Site that it is about, null where the alert says it"),
  `device_id` string options (description = "Device that it is about, null for a whole site"),
  `model_sha256` string options (description = "Model that was told it by, null where the window's inference says it"),
  `note` string options (description = "What else was said, null if nothing")
)
partition by timestamp_trunc(event_time, day)
cluster by answer, site_id
options (description = "A row is what a person said about an alert, a device or a site. The same said twice has one `label_id`.");
