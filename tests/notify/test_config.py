"""The notifier's configuration: what is wrong is named, with its file and setting; the example that ships is right; secrets stay secret."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import notify
from notify.__main__ import cli
from notify.config import ConfigError, load, parse
from notify.receivers.mail import MailSettings
from notify.receivers.webhook import WebhookSettings
from tests.notify.alerts import settings

EXAMPLE = Path(notify.__file__).with_name("notify.example.toml")
HOOK = {"kind": "webhook", "name": "pager", "url": "https://example.com/hook"}
MAIL = {"kind": "mail", "name": "farmer", "host": "smtp.example.com", "sender": "a@example.com", "recipients": ["b@example.com"]}


def test_the_example_is_valid_and_shows_every_setting_with_its_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    shown = re.sub(r"^# ((?!tls_ca|key_file|url)[a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    assert shown.count("\n# ") < text.count("\n# ") - 10
    config = parse(tomllib.loads(shown), EXAMPLE)
    assert config == load(EXAMPLE)
    for section in (config.pubsub, config.notify, config.retry, config.answers, *config.receivers, config.routes[0]):
        for name in type(section).__struct_fields__:
            assert re.search(rf"^(# )?{name} = ", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pubsub": {}}, "pubsub.subscription is missing"),
        (
            {"pubsub": {"subscription": "notify"}},
            "pubsub.subscription must be a subscription's full name, projects/PROJECT/subscriptions/NAME, not 'notify'",
        ),
        ({"notify": {"state_file": "x", "max_perhour": 3}}, "notify.max_perhour: unknown setting; did you mean max_per_hour?"),
        ({"notify": {"state_file": "x", "max_per_hour": 0}}, "notify.max_per_hour must be 1 to 100000, not 0"),
        ({"retry": {"max_interval": 0.5}}, "retry.max_interval must be at least 1.0, not 0.5"),
        ({"retry": {"multiplier": "2"}}, "retry.multiplier must be a number, not '2'"),
        ({"routes": []}, "routes must not be empty: write [[routes]]"),
        ({"routes": [{"receivers": ["pager"]}]}, "routes[1].receivers: there is no receiver 'pager'; there are stdout"),
        (
            {"routes": [{"receivers": ["stdout"], "severities": ["page"]}]},
            "routes[1].severities[1] must be one of info, warning, critical, not 'page'",
        ),
        ({"routes": [{"receivers": ["stdout"], "rules": []}]}, "routes[1].rules must not be empty: leave it out for all"),
        ({"receivers": [HOOK | {"url": "http://example.com/"}]}, "receivers[1].url: example.com is another machine: it must be https"),
        ({"receivers": [HOOK | {"url": "ftp://example.com/"}]}, "receivers[1].url must be an http or https URL"),
        ({"receivers": [HOOK | {"url": "https://a:b@example.com/"}]}, "receivers[1].url must hold no password"),
        ({"receivers": [HOOK | {"url": "https://example.com:x/"}]}, "receivers[1].url is no URL"),
        ({"receivers": [HOOK | {"authorization": "a\nb"}]}, "receivers[1].authorization must be one line"),
        ({"receivers": [HOOK | {"timeout_seconds": 0}]}, "receivers[1].timeout_seconds must be 0.1 to 300"),
        ({"receivers": [HOOK | {"tls_ca": "nowhere.pem"}]}, "receivers[1].tls_ca: there is no file"),
        ({"receivers": [HOOK | {"name": "stdout"}]}, "the receiver name 'stdout' stands twice"),
        ({"receivers": [HOOK, MAIL | {"name": "pager"}]}, "the receiver name 'pager' stands twice"),
        ({"receivers": [MAIL | {"starttls": False}]}, "receivers[1].host smtp.example.com is another machine: starttls must be true"),
        ({"receivers": [MAIL | {"user": "x"}]}, "receivers[1]: a user and its password go together"),
        ({"receivers": [MAIL | {"recipients": []}]}, "receivers[1].recipients must not be empty"),
        ({"receivers": [MAIL | {"recipients": ["a@b\nBcc: c@d"]}]}, "receivers[1].recipients[1] must be one line"),
        ({"receivers": [MAIL | {"sender": "a@b, c@d"}]}, "receivers[1].sender must be a mail address, not 'a@b, c@d'"),
        ({"receivers": [HOOK | {"kind": "pager"}]}, "receivers[1].kind must be one of stdout, webhook, mail, not 'pager'"),
        ({"receivers": [HOOK | {"port": 25}]}, "receivers[1].port: unknown setting of kind 'webhook'"),
        ({"webhooks": [{"name": "pager"}]}, 'webhooks is no longer a setting: write [[receivers]] with kind = "webhook"'),
        ({"mails": [MAIL]}, 'mails is no longer a setting: write [[receivers]] with kind = "mail"'),
        (
            {"receivers": [MAIL | {"password": "${NO_SUCH_VARIABLE}"}]},
            "receivers[1].password: the environment variable NO_SUCH_VARIABLE",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(settings(**changes), tmp_path / "notify.toml")
    assert str(error.value).startswith(f"{tmp_path / 'notify.toml'}: ")
    assert reason in str(error.value)


def test_this_machine_needs_no_tls(tmp_path: Path) -> None:
    local = {"receivers": [HOOK | {"url": "http://127.0.0.1:8080/"}, MAIL | {"host": "localhost", "starttls": False}]}
    assert [receiver.name for receiver in parse(settings(**local), tmp_path / "notify.toml").receivers] == ["pager", "farmer"]


def test_secrets_come_from_the_environment_and_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", "geheim")
    secret = {
        "receivers": [HOOK | {"authorization": "Bearer ${TOKEN_OF_TEST}"}, MAIL | {"user": "x", "password": "${TOKEN_OF_TEST}"}],
    }
    config = parse(settings(**secret), tmp_path / "notify.toml")
    webhook, mail = config.receivers
    assert isinstance(webhook, WebhookSettings)
    assert isinstance(mail, MailSettings)
    assert (webhook.authorization, mail.password) == ("Bearer geheim", "geheim")
    assert "geheim" not in repr(config)
    assert "example.com/hook" not in repr(config)


@pytest.mark.parametrize("command", ["validate", "run"])
def test_a_mistake_is_one_line_and_exit_code_2_and_every_help_shows_an_example(tmp_path: Path, command: str) -> None:
    file = tmp_path / "notify.toml"
    file.write_text(EXAMPLE.read_text().replace("state_file", "statefile"))
    result = CliRunner().invoke(cli, [command, "--config", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: {file}: notify.statefile: unknown setting; did you mean state_file?\n"
    assert f"tinybeam notify {command} --config notify.toml" in CliRunner().invoke(cli, [command, "--help"]).output


def test_a_good_file_is_called_good() -> None:
    result = CliRunner().invoke(cli, ["validate", "--config", str(EXAMPLE)])
    assert result.exit_code == 0
    assert result.output == f"{EXAMPLE}: good. projects/my-project/subscriptions/notify, 2 routes to stdout, pager, farmer.\n"


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent.toml: cannot be read"):
        load(tmp_path / "absent.toml")


def test_a_url_whose_secret_stands_where_a_port_belongs_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(settings(receivers=[HOOK | {"url": "https://example.com:s3cret/hook"}]), tmp_path / "notify.toml")
    assert "is no URL" in str(raised.value)
    assert "s3cret" not in str(raised.value)
