-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.replays_v1 (
  `reject_id` string not null options (description = "Identity of the reject"),
  `replayed_time` timestamp not null options (description = "When the replay ran [UTC]"),
  `rows_in` int64 not null options (description = "How many of its rows are facts since then"),
  `rows_left` int64 not null options (description = "How many of its rows are still set aside")
)
partition by timestamp_trunc(replayed_time, day)
cluster by reject_id
options (description = "A row says that rows of a reject became facts by a replay. Rows are only added; of one reject the largest rows_in counts.");
