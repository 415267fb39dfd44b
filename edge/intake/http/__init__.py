"""Takes readings that are posted over HTTP, for devices without MQTT: answered when they are on disk, never before.

`server` bounds connections, `request` reads one and answers it, `admission` says who may post what, `intake` hands it to the gateway.
"""
