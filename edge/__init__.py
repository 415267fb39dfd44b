"""Takes readings from sensors over MQTT and sends them as batches to Pub/Sub: the gateway. Imports only `program` and `schemas` of ours."""
