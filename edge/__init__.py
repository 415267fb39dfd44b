"""The gateway: from sensors over MQTT to batches in Pub/Sub. Imports only `schemas` of ours."""
