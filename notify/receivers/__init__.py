"""Lists the kinds of receivers, a module each: settings, their check, and sending.

A new kind is a module and its settings in the union here.

[[receivers]]
kind = "webhook"
name = "pager"
url = "https://example.com/hooks/tinybeam"
"""

from __future__ import annotations

from notify.receivers.mail import MailSettings
from notify.receivers.stdout import StdoutSettings
from notify.receivers.webhook import WebhookSettings

ReceiverSettings = StdoutSettings | WebhookSettings | MailSettings
"""`open()` of any of them gives the Receiver."""
