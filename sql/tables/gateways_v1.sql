-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.gateways_v1 (
  `gateway_id` string not null options (description = "Gateway identifier"),
  `public_key` string not null options (description = "Its public key on P-256: SubjectPublicKeyInfo (DER) in base64"),
  `name` string options (description = "Name that people use, null for its identifier"),
  `site_id` string options (description = "Site where the gateway stands, null where that is not said"),
  `valid_from` timestamp not null options (description = "Since when the gateway has the key; it signs older batches that wait, too [UTC]"),
  `revoked_time` timestamp options (description = "Batches received from then on may not; null while the key is good [UTC]")
)
cluster by gateway_id
options (description = "A row is a key by which a gateway signs its batches. A gateway whose key is renewed has a row for each.");
