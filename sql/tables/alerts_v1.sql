-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.alerts_v1 (
  `alert_id` string not null options (description = "Identity of the alert: rule:subject:opened_time in microseconds"),
  `rule` string not null options (description = "Name of the rule in the registry"),
  `source` string not null options (description = "What the rule watches, for example event or silence"),
  `subject` string not null options (description = "Device, site or gateway that it is about; at most one alert of a rule is open for it"),
  `site_id` string options (description = "Site of the subject, null for a gateway"),
  `device_id` string options (description = "Device, null for a site or gateway"),
  `severity` string not null options (description = "info, warning or critical"),
  `state` string not null options (description = "opened, updated, resolved or retracted"),
  `opened_time` timestamp not null options (description = "Event time of the opening [UTC]"),
  `event_time` timestamp not null options (description = "Event time of what this row shows [UTC]"),
  `value` float64 options (description = "The value that led to it [the source's unit]"),
  `threshold` float64 options (description = "The rule's limit, null if it has none [the source's unit]"),
  `message` string not null options (description = "One sentence for the person who is notified"),
  `historical` bool not null options (description = "True if it comes from backlog: nobody is notified"),
  `revision` int64 not null options (description = "0 for the opening, then rising"),
  `as_of` timestamp not null options (description = "When the row was made [UTC]"),
  `notified` bool options (description = "Whether people are notified of this row; null before 0.3, where all were that are not historical"),
  `unit` string options (description = "Unit of value and threshold, null where it is not known"),
  `site_name` string options (description = "Name of the site, null where the registry has none"),
  `device_name` string options (description = "Name of the device, null where the registry has none"),
  `time_zone` string options (description = "Time zone of the site, by its IANA name; null for UTC"),
  `to_do` string options (description = "What the person who is notified is to do; null when it is resolved"),
  `link` string options (description = "Page about the alert, null if its rule names none")
)
partition by timestamp_trunc(opened_time, day)
cluster by rule, subject
options (description = "A row says what happened to an alert: opened, updated or resolved. Its rows share `alert_id`; the highest revision is its state.");
