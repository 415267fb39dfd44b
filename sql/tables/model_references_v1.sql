-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.model_references_v1 (
  `model` string not null options (description = "Name of the model"),
  `model_version` string not null options (description = "Version of the model bundle"),
  `model_sha256` string not null options (description = "SHA-256 of model.tflite, hexadecimal"),
  `input` string not null options (description = "Name of the input in the bundle's recipe"),
  `position` int64 not null options (description = "Its place among the features, from 0"),
  `quantiles` array<float64> options (description = "Its quantiles at 0, 5, 10, ..., 100 % of the training examples"),
  `added_time` timestamp not null options (description = "When the row was added [UTC]")
)
cluster by model_sha256
options (description = "A row is how one input of a model was distributed in what it was trained on, by the manifest of its bundle.");
