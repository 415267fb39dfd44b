from pathlib import Path

from lab.acts import notifier
from notify.config import load
from notify.receivers.webhook import WebhookSettings


def test_the_settings_of_the_labs_notifier_are_valid_and_name_the_webhook(tmp_path: Path) -> None:
    config = load(notifier.write_settings(tmp_path, "http://127.0.0.1:8080/alerts"))
    assert config.pubsub.subscription == "projects/demo-project/subscriptions/notify"
    assert [receiver.url for receiver in config.receivers if isinstance(receiver, WebhookSettings)] == ["http://127.0.0.1:8080/alerts"]
    assert [route.receivers for route in config.routes] == [("stdout", "webhook")]
